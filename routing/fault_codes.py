"""The codes of faults in the tables of a scenario; ``docs/reference/errors.md`` is made from here."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class FaultCode(StrEnum):
    """Stable code of a fault; `text` says what it means."""

    text: str

    def __new__(cls, value: str, text: str) -> Self:
        """Make a member that is its value as a string and carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    # Files
    MISSING_FILE = "MISSING_FILE", "A file named in scenario.toml, or scenario.toml itself, cannot be opened."
    OUTSIDE_SCENARIO = "OUTSIDE_SCENARIO", "A file name leads out of the scenario folder."
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT", "The ending of a file's name is none of the formats that are read."
    BAD_NAME = "BAD_NAME", "The scenario's name cannot be the name of a folder."
    BROKEN_FILE = "BROKEN_FILE", "The file is not what its name says: a syntax error, a damaged workbook."
    WRONG_ENCODING = "WRONG_ENCODING", "The text is not UTF-8; GB18030 and UTF-16 are recognised and named."
    AMBIGUOUS_SHEET = "AMBIGUOUS_SHEET", "A workbook has several filled sheets and none has the table's name."
    # Headers and keys
    MISSING_HEADER = "MISSING_HEADER", "The first row is not a header, or the file is empty."
    MISSING_COLUMN = "MISSING_COLUMN", "A required column is missing."
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN", "A column is not known; the nearest known one is suggested."
    DUPLICATE_COLUMN = "DUPLICATE_COLUMN", "A column appears twice."
    UNNAMED_COLUMN = "UNNAMED_COLUMN", "A column between others has no name."
    ROW_TOO_LONG = "ROW_TOO_LONG", "A row has more cells than the header."
    UNKNOWN_KEY = "UNKNOWN_KEY", "A key of a TOML, JSON or GeoJSON record is not known; the nearest one is suggested."
    DUPLICATE_KEY = "DUPLICATE_KEY", "A JSON object has the same key twice."
    # Values
    MISSING_VALUE = "MISSING_VALUE", "A required value is empty or absent."
    WRONG_TYPE = "WRONG_TYPE", "The value is of another kind than the field: text for a number, a list for a text."
    WRONG_GEOMETRY = "WRONG_GEOMETRY", "A GeoJSON feature is not a point."
    NOT_A_NUMBER = "NOT_A_NUMBER", "The value is no finite number: a text, a number with a unit, NaN or infinity."
    NUMBER_FORMAT = "NUMBER_FORMAT", "The number has a decimal comma or thousands separators."
    NOT_WHOLE = "NOT_WHOLE", "The value must be a whole number."
    NEGATIVE = "NEGATIVE", "The value must not be negative."
    ZERO = "ZERO", "The value must be above zero."
    OUT_OF_RANGE = "OUT_OF_RANGE", "The number lies outside its limits."
    UNKNOWN_CHOICE = "UNKNOWN_CHOICE", "The word is none of the accepted ones."
    BAD_TIME = "BAD_TIME", "The value is no time of the service day."
    DATE_AS_TIME = "DATE_AS_TIME", "A date stands where a time of the service day belongs."
    BAD_DATE = "BAD_DATE", "The value is no date."
    FORMULA_ERROR = "FORMULA_ERROR", "A spreadsheet cell holds an error such as #N/A, or a formula without a result."
    SHORTENED_NUMBER = "SHORTENED_NUMBER", "A spreadsheet has turned a long id into 6.9E+12; digits are lost."
    UNIT_SLIP = (
        "UNIT_SLIP",
        "The number is right in another unit: grams for kilograms, cubic metres for litres, hours for seconds.",
    )
    # Ids and references
    DUPLICATE_ID = "DUPLICATE_ID", "An id is used twice."
    RESERVED_ID = "RESERVED_ID", "Ids that begin with 'drop:' are kept for coordinate drops."
    UNKNOWN_SITE = "UNKNOWN_SITE", "There is no site of that id; the nearest one is suggested."
    UNKNOWN_CLASS = "UNKNOWN_CLASS", "There is no product class of that id; the nearest one is suggested."
    UNKNOWN_BOX = "UNKNOWN_BOX", "There is no passive box of that id; the nearest one is suggested."
    UNKNOWN_PROFILE = "UNKNOWN_PROFILE", "There is no travel profile of that id; the nearest one is suggested."
    UNKNOWN_PRESET = "UNKNOWN_PRESET", "There is no shipped preset of that id; the nearest one is suggested."
    UNKNOWN_TYPE = "UNKNOWN_TYPE", "A stand names a type that the fleet file does not hold."
    UNKNOWN_TIMEZONE = "UNKNOWN_TIMEZONE", "The time zone is not in the IANA database."
    UNKNOWN_PARENT = "UNKNOWN_PARENT", "The parent of a site is not in the sites file."
    # The four-level network
    PARENT_LEVEL = "PARENT_LEVEL", "The parent of a site is not of a higher level."
    PARENT_CYCLE = "PARENT_CYCLE", "The chain of parents leads back to the site."
    NO_HUB = "NO_HUB", "There is no site of level county."
    SWAPPED_COORDINATES = "SWAPPED_COORDINATES", "Longitude and latitude have changed places."
    NULL_COORDINATES = "NULL_COORDINATES", "Both coordinates are zero."
    BAD_COORDINATES = "BAD_COORDINATES", "Coordinates are no degrees: outside ±180/±90, or projected metres."
    # Orders and windows
    SAME_PLACE = "SAME_PLACE", "Origin and destination are the same site."
    NO_DESTINATION = "NO_DESTINATION", "An order has neither a destination site nor both coordinates."
    TWO_DESTINATIONS = "TWO_DESTINATIONS", "An order has a destination site and coordinates."
    HALF_WINDOW = "HALF_WINDOW", "One end of a time window is missing."
    TWO_WINDOWS = "TWO_WINDOWS", "Windows are given as a list and as columns."
    WINDOW_ORDER = "WINDOW_ORDER", "A window, shift or opening time ends before it starts."
    WINDOW_OVERLAP = "WINDOW_OVERLAP", "Two windows of an order overlap."
    RELEASE_AFTER_WINDOW = "RELEASE_AFTER_WINDOW", "Goods are released after their last window has ended."
    # Fleet and products
    ENERGY_SOURCE = "ENERGY_SOURCE", "A vehicle's energy source is not that of its travel profile."
    NO_COMPARTMENT = "NO_COMPARTMENT", "A vehicle has no compartment."
    NO_PAD = "NO_PAD", "Drones stand at a site without a drone pad."
    BOX_SIZE = "BOX_SIZE", "A passive box is smaller outside than inside."
    BAND_ORDER = "BAND_ORDER", "A temperature band ends below its start."
