"""The codes of faults in the input, all of them; ``docs/reference/errors.md`` is made from here.

Readers of `geodata` cannot import this module and name their codes as text; a test keeps those and this list equal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class FaultCode(StrEnum):
    """Stable code of a fault: `text` says what it means, `remedy` what to do, `example` shows one (or is empty)."""

    text: str
    remedy: str
    example: str

    def __new__(cls, value: str, text: str, remedy: str, example: str = "") -> Self:
        """Make a member that is its value as a string and carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text, member.remedy, member.example = text, remedy, example
        return member

    # Files
    MISSING_FILE = (
        "MISSING_FILE",
        "A file that is named, or that must be there, is not.",
        "Put the file there or mend its name; the nearest name there is suggested.",
        'streets = "aera.osm"',
    )
    OUTSIDE_SCENARIO = (
        "OUTSIDE_SCENARIO",
        "A file name leads out of the scenario folder.",
        "Put the file into the folder and name it relative to it.",
        '"../area.osm"',
    )
    UNSUPPORTED_FORMAT = (
        "UNSUPPORTED_FORMAT",
        "The ending of a file's name is none of the formats that are read.",
        "Save the file in one of the formats named.",
        '"orders.ods"',
    )
    BAD_NAME = (
        "BAD_NAME",
        "The scenario's name cannot be the name of a folder, or the currency is no ISO 4217 code.",
        'Leave out / \\ : * ? " < > |; give three capital letters.',
        'name = "a/b"',
    )
    BROKEN_FILE = (
        "BROKEN_FILE",
        "The file is not what its name says: a syntax error, a cut download, a damaged workbook, map, raster or zip.",
        "Mend the line named, or fetch or save the file again.",
    )
    WRONG_ENCODING = (
        "WRONG_ENCODING",
        "The text is not UTF-8; GB18030 and UTF-16 are recognised in the tables and named.",
        "Save the file as UTF-8.",
    )
    AMBIGUOUS_SHEET = (
        "AMBIGUOUS_SHEET",
        "A workbook has several filled sheets and none has the table's name.",
        "Give the sheet the name of the table, or keep one sheet.",
    )
    # Headers and keys
    MISSING_HEADER = (
        "MISSING_HEADER",
        "The first row is not a header, or the file is empty.",
        "Write the names of the columns into the first row.",
    )
    MISSING_COLUMN = ("MISSING_COLUMN", "A required column is missing.", "Add the column.")
    UNKNOWN_COLUMN = (
        "UNKNOWN_COLUMN",
        "A column is not known.",
        "Use the nearest known name, which is suggested, or delete the column.",
        "`wieght_kg`",
    )
    DUPLICATE_COLUMN = ("DUPLICATE_COLUMN", "A column appears twice.", "Keep one of the two.")
    UNNAMED_COLUMN = ("UNNAMED_COLUMN", "A column between others has no name.", "Name it or delete it.")
    ROW_TOO_LONG = (
        "ROW_TOO_LONG",
        "A row has more cells than the header (in the timetable a warning: the extra cells are ignored).",
        "Put text that contains commas into quotation marks.",
    )
    UNKNOWN_KEY = (
        "UNKNOWN_KEY",
        "A key or property of a TOML, JSON or GeoJSON record is not known.",
        "Use the nearest known name, which is suggested.",
        'curency = "EUR"',
    )
    DUPLICATE_KEY = ("DUPLICATE_KEY", "A JSON object has the same key twice.", "Keep one of the two.")
    # Values
    MISSING_VALUE = ("MISSING_VALUE", "A required value is empty or absent.", "Give the value.")
    WRONG_TYPE = (
        "WRONG_TYPE",
        "The value is of another kind than the field: text for a number, a list for a text, a number for a table.",
        "Give a value of the kind named.",
    )
    WRONG_GEOMETRY = (
        "WRONG_GEOMETRY",
        "A GeoJSON feature has no shape, one that cannot be used, or one of another kind than its file holds.",
        "Sites are points, zones areas, closures lines or areas, all in degrees, longitude first.",
    )
    NOT_A_NUMBER = (
        "NOT_A_NUMBER",
        "The value is no finite number: a text, a number with a unit, NaN or infinity.",
        "Give the number alone.",
        "`1.2 kg`",
    )
    NUMBER_FORMAT = (
        "NUMBER_FORMAT",
        "The number has a decimal comma or thousands separators.",
        "Write it plainly, with a decimal point.",
        "`1,200`",
    )
    NOT_WHOLE = ("NOT_WHOLE", "The value must be a whole number.", "Give a whole number.", "`pieces` 1.5")
    NEGATIVE = ("NEGATIVE", "The value must not be negative.", "Give a number in the range named.", "`weight_kg` -2")
    ZERO = ("ZERO", "The value must be above zero.", "Give a number in the range named.", "`weight_kg` 0")
    OUT_OF_RANGE = ("OUT_OF_RANGE", "The number lies outside its limits.", "Give a number in the range named.")
    BAD_VALUE = (
        "BAD_VALUE",
        "A number of the timetable, weather, airspace, population file or a travel profile is none, or not possible.",
        "Give a number in the range named.",
    )
    BAD_RANGE = (
        "BAD_RANGE",
        "A lower limit of a zone is not below its upper limit.",
        "Give the lower limit first.",
        "`floor_agl_m` 120, `ceiling_agl_m` 60",
    )
    BAD_MONTH = ("BAD_MONTH", "A month is not a number from 1 to 12.", "Give a list of numbers from 1 to 12.")
    BAD_GRADE = (
        "BAD_GRADE",
        "The grade points of a travel profile cannot be used.",
        "List [grade, share] pairs, grades ascending, shares above 0 and up to 1 that fall away from level ground.",
    )
    UNKNOWN_CHOICE = (
        "UNKNOWN_CHOICE",
        "The word is none of the accepted ones.",
        "Use one of the words named.",
        '`level` "hamlet"',
    )
    BAD_TIME = (
        "BAD_TIME",
        "The value is no time of the service day, or runs backwards along a trip or closure.",
        "Give seconds after midnight or HH:MM; hours may pass 24.",
        "`8 am`",
    )
    DATE_AS_TIME = (
        "DATE_AS_TIME",
        "A date stands where a time of the service day belongs.",
        "Give the time of day alone.",
    )
    BAD_DATE = ("BAD_DATE", "The value is no date.", "Write YYYY-MM-DD, in GTFS YYYYMMDD.", '"3 March"')
    FORMULA_ERROR = (
        "FORMULA_ERROR",
        "A spreadsheet cell holds an error such as #N/A, or a formula without a result.",
        "Mend the formula and save the workbook again.",
        "`#N/A`",
    )
    SHORTENED_NUMBER = (
        "SHORTENED_NUMBER",
        "A spreadsheet has turned a long id into a short number; digits are lost.",
        "Format the column as text and enter the ids again.",
        "`6.9E+12`",
    )
    UNIT_SLIP = (
        "UNIT_SLIP",
        "The number is right in another unit: grams for kilograms, cubic metres for litres, hours for seconds.",
        "Give it in the unit of the column.",
        "`weight_kg` 1500 of one small parcel",
    )
    # Ids and references
    DUPLICATE_ID = ("DUPLICATE_ID", "An id is used twice.", "Give each its own; the first use is named.")
    RESERVED_ID = ("RESERVED_ID", "Ids that begin with 'drop:' are kept for coordinate drops.", "Choose another id.")
    UNKNOWN_SITE = (
        "UNKNOWN_SITE",
        "There is no site of that id in the sites file.",
        "Use the nearest id, which is suggested.",
    )
    UNKNOWN_CLASS = (
        "UNKNOWN_CLASS",
        "There is no product class of that id.",
        "Use the nearest one, which is suggested, or define it in products.toml.",
    )
    UNKNOWN_BOX = (
        "UNKNOWN_BOX",
        "There is no passive box of that id.",
        "Use the nearest one, which is suggested, or define it in products.toml.",
    )
    UNKNOWN_PROFILE = (
        "UNKNOWN_PROFILE",
        "There is no travel profile of that id, or a profile is like itself.",
        "Use the nearest one, which is suggested, or define it in the profiles file.",
    )
    UNKNOWN_PRESET = (
        "UNKNOWN_PRESET",
        "There is no shipped preset of that id.",
        "Use the nearest one, which is suggested.",
    )
    UNKNOWN_TYPE = (
        "UNKNOWN_TYPE",
        "A stand names a type that the fleet file does not hold.",
        "Use the nearest one, which is suggested, or add the type.",
    )
    UNKNOWN_TIMEZONE = (
        "UNKNOWN_TIMEZONE",
        "The time zone is not in the IANA database.",
        "Use the nearest one, which is suggested.",
        '"Europe/Andora"',
    )
    UNKNOWN_PARENT = (
        "UNKNOWN_PARENT",
        "The parent of a site is not in the sites file.",
        "Use the nearest id, which is suggested.",
    )
    UNKNOWN_STOP = (
        "UNKNOWN_STOP",
        "A stop_id of the timetable, or of a site's bus_stop_ids, is not in stops.txt.",
        "Use the nearest id, which is suggested.",
    )
    UNKNOWN_TRIP = ("UNKNOWN_TRIP", "A trip_id of the timetable is not in trips.txt.", "Use an id of trips.txt.")
    UNKNOWN_LINE = ("UNKNOWN_LINE", "A route_id of the timetable is not in routes.txt.", "Use an id of routes.txt.")
    UNKNOWN_SERVICE = (
        "UNKNOWN_SERVICE",
        "A service_id is in neither calendar.txt nor calendar_dates.txt.",
        "Use an id of one of them.",
    )
    UNKNOWN_ORDER = ("UNKNOWN_ORDER", "An event names an order that is not of the day.", "Use an order of the plan.")
    UNKNOWN_CARRIER = (
        "UNKNOWN_CARRIER",
        "An event names a vehicle, courier, drone or bus trip that there is not.",
        "Use a carrier of the plan's day; the nearest is suggested.",
    )
    NO_WAY_BACK = (
        "NO_WAY_BACK",
        "With the roads closed a vehicle under way cannot get back to its base.",
        "Leave a road open, or tell of the vehicle as broken once it is back.",
    )
    UNKNOWN_AGENCY = ("UNKNOWN_AGENCY", "An agency_id is not in agency.txt.", "Use an id of agency.txt.")
    # The four-level network
    PARENT_LEVEL = (
        "PARENT_LEVEL",
        "The parent of a site is not of a higher level.",
        "Give a site of a level named.",
    )
    PARENT_CYCLE = (
        "PARENT_CYCLE",
        "The chain of parents leads back to the site.",
        "Give a parent of a higher level, or none.",
    )
    NO_HUB = ("NO_HUB", "There is no site of level county.", "Give at least one site the level 'county'.")
    SWAPPED_COORDINATES = (
        "SWAPPED_COORDINATES",
        "Longitude and latitude have changed places.",
        "Give them the other way round.",
        "lon 42.5, lat 1.5 in Andorra",
    )
    NULL_COORDINATES = ("NULL_COORDINATES", "Both coordinates are zero.", "Give the true ones, or delete the row.")
    BAD_COORDINATES = (
        "BAD_COORDINATES",
        "Coordinates are no degrees: outside ±180/±90, or projected metres.",
        "Give degrees, EPSG:4326.",
    )
    # Orders and windows
    SAME_PLACE = ("SAME_PLACE", "Origin and destination are the same site.", "Mend one of the two.")
    NO_DESTINATION = (
        "NO_DESTINATION",
        "An order has neither a destination site nor both coordinates; or no site can take generated orders.",
        "Give to_site, or to_lon and to_lat.",
    )
    TWO_DESTINATIONS = (
        "TWO_DESTINATIONS",
        "An order has a destination site and coordinates.",
        "Keep one of the two.",
    )
    HALF_WINDOW = ("HALF_WINDOW", "One end of a time window is missing.", "Give both ends or none.")
    TWO_WINDOWS = ("TWO_WINDOWS", "Windows are given as a list and as columns.", "Keep one of the two.")
    WINDOW_ORDER = (
        "WINDOW_ORDER",
        "A window, shift or opening time ends before it starts.",
        "Give the end after the start; past midnight as 26:00.",
        "12:00 to 08:00",
    )
    WINDOW_OVERLAP = ("WINDOW_OVERLAP", "Two windows of an order overlap.", "Join them or part them.")
    RELEASE_AFTER_WINDOW = (
        "RELEASE_AFTER_WINDOW",
        "Goods are released after their last window has ended.",
        "Give an earlier release or a later window.",
    )
    # Fleet and products
    ENERGY_SOURCE = (
        "ENERGY_SOURCE",
        "A vehicle's energy source is not that of its travel profile.",
        "Choose a profile of that source, or leave the key out.",
    )
    NO_COMPARTMENT = ("NO_COMPARTMENT", "A vehicle has no compartment.", "Give at least one compartment.")
    NO_PAD = ("NO_PAD", "Drones stand at a site without a drone pad.", "Give the site drone_pads, or move the drones.")
    BOX_SIZE = ("BOX_SIZE", "A passive box is smaller outside than inside.", "Give outer_l above the inside's litres.")
    BAND_ORDER = ("BAND_ORDER", "A temperature band ends below its start.", "Give low_c below high_c.")
    # Map, terrain, timetable, weather
    NO_ROADS = (
        "NO_ROADS",
        "The map has no way that a vehicle or walker may use.",
        "Give an extract with its roads.",
    )
    NO_PLACES = ("NO_PLACES", "The map has no settlement to make sites of.", "Give an extract of a settled area.")
    TERRAIN_MISSING = ("TERRAIN_MISSING", "No elevation tile is given.", "Give the tiles that cover the area.")
    TERRAIN_NO_CRS = (
        "TERRAIN_NO_CRS",
        "A raster has no coordinate system.",
        "Set one, for example with gdal_edit.py -a_srs EPSG:4326.",
    )
    TERRAIN_NOT_COVERING = (
        "TERRAIN_NOT_COVERING",
        "The elevation tiles leave part of the area, a site or a drop uncovered.",
        "Add the tiles of the part named, or mend the coordinates of the row named.",
    )
    TERRAIN_TOO_LARGE = (
        "TERRAIN_TOO_LARGE",
        "The area has more samples than can be held.",
        "Give a smaller area or coarser tiles.",
    )
    TERRAIN_VOID = (
        "TERRAIN_VOID",
        "The tiles hold nothing but voids in the area.",
        "Give tiles with heights.",
    )
    NO_SERVICE = (
        "NO_SERVICE",
        "Nothing of the timetable runs on the service date.",
        "Choose a date the feed covers (the nearest is named), or give a newer feed.",
    )
    SEVERAL_TIMEZONES = (
        "SEVERAL_TIMEZONES",
        "The agencies of the feed differ in time zone (a warning).",
        "Give one feed per time zone.",
    )
    TRIP_WITHOUT_CALLS = (
        "TRIP_WITHOUT_CALLS",
        "A trip has fewer than two stop times (a warning: it is left out).",
        "Add its stop times.",
    )
    UNKNOWN_SHAPE = (
        "UNKNOWN_SHAPE",
        "A trip names a shape that is not there (a warning: it is drawn from stop to stop).",
        "Add the shape to shapes.txt.",
    )
    UNKNOWN_STATION = (
        "UNKNOWN_STATION",
        "A stop names a parent station that is not there (a warning: it is read without).",
        "Add the station to stops.txt.",
    )
    INEXACT_HEADWAY = (
        "INEXACT_HEADWAY",
        "The feed promises a headway, not times (a warning: departures are taken as exact).",
        "Set exact_times to 1 where the times hold.",
    )
    REALTIME_IGNORED = (
        "REALTIME_IGNORED",
        "An update of the realtime feed is about a trip beside the timetable (a warning).",
        "Put the trip into the timetable.",
    )
    EMPTY_TABLE = ("EMPTY_TABLE", "The weather table has no usable hour.", "Give the hours of the day.")
    HOUR_MISSING = ("HOUR_MISSING", "An hour of the weather is missing.", "Give every hour from 0 to the last.")
    DUPLICATE_HOUR = ("DUPLICATE_HOUR", "An hour of the weather is given twice.", "Give each hour once.")
    MIXED_REFERENCE = (
        "MIXED_REFERENCE",
        "The reference elevation of the weather differs between rows.",
        "Give one elevation in all rows.",
    )
    # Command line
    BAD_ARGUMENTS = (
        "BAD_ARGUMENTS",
        "Options of a command exclude or miss each other.",
        "Give the options the message names.",
        "`shanlu scenario` without a map",
    )
    OUTPUT_TAKEN = (
        "OUTPUT_TAKEN",
        "The output folder holds something else, which is not overwritten.",
        "Name another folder.",
    )
    OUTPUT_NOT_WRITABLE = (
        "OUTPUT_NOT_WRITABLE",
        "The output folder cannot be used or made.",
        "Name a folder you may write to, on a disk with room.",
    )
