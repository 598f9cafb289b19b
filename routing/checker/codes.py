"""Codes of violations: the one list, from which ``docs/reference/violations.md`` is generated."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What a plan can do wrong; the first word of a code is its rule family in ``docs/reference/rules.md``."""

    CUSTODY_UNKNOWN_ORDER = "CUSTODY_UNKNOWN_ORDER"
    CUSTODY_MISSING_ORDER = "CUSTODY_MISSING_ORDER"
    CUSTODY_DOUBLE_STATE = "CUSTODY_DOUBLE_STATE"
    CUSTODY_NO_REASON = "CUSTODY_NO_REASON"
    CUSTODY_LOADED_TWICE = "CUSTODY_LOADED_TWICE"
    CUSTODY_NOT_ABOARD = "CUSTODY_NOT_ABOARD"
    CUSTODY_NOT_UNLOADED = "CUSTODY_NOT_UNLOADED"
    CUSTODY_BROKEN_CHAIN = "CUSTODY_BROKEN_CHAIN"

    TIMING_STOP_ORDER = "TIMING_STOP_ORDER"
    TIMING_ARRIVAL_MISMATCH = "TIMING_ARRIVAL_MISMATCH"
    TIMING_TRAVEL_TOO_SHORT = "TIMING_TRAVEL_TOO_SHORT"
    TIMING_SERVICE_TOO_SHORT = "TIMING_SERVICE_TOO_SHORT"
    TIMING_OUTSIDE_OPENING = "TIMING_OUTSIDE_OPENING"
    TIMING_BEFORE_RELEASE = "TIMING_BEFORE_RELEASE"
    TIMING_OUTSIDE_WINDOW = "TIMING_OUTSIDE_WINDOW"
    TIMING_ROUTES_OVERLAP = "TIMING_ROUTES_OVERLAP"
    TIMING_NOT_AT_BASE = "TIMING_NOT_AT_BASE"
    TIMING_OUTSIDE_SHIFT = "TIMING_OUTSIDE_SHIFT"
    TIMING_DRIVE_TOO_LONG = "TIMING_DRIVE_TOO_LONG"
    TIMING_REST_MISPLACED = "TIMING_REST_MISPLACED"
    TIMING_REST_MISSING = "TIMING_REST_MISSING"
    TIMING_RANGE_EXCEEDED = "TIMING_RANGE_EXCEEDED"
    TIMING_TOO_MANY_ROUNDS = "TIMING_TOO_MANY_ROUNDS"

    TRANSFER_TOO_SHORT = "TRANSFER_TOO_SHORT"
    TRANSFER_CUTOFF_MISSED = "TRANSFER_CUTOFF_MISSED"
    TRANSFER_WAIT_TOO_LONG = "TRANSFER_WAIT_TOO_LONG"
    TRANSFER_STORE_FULL = "TRANSFER_STORE_FULL"

    CAPACITY_UNKNOWN_COMPARTMENT = "CAPACITY_UNKNOWN_COMPARTMENT"
    CAPACITY_KG = "CAPACITY_KG"
    CAPACITY_LITRES = "CAPACITY_LITRES"
    CAPACITY_PIECE_KG = "CAPACITY_PIECE_KG"
    CAPACITY_PIECE_LENGTH = "CAPACITY_PIECE_LENGTH"
    CAPACITY_INCOMPATIBLE = "CAPACITY_INCOMPATIBLE"

    TIMETABLE_NO_SUCH_TRIP = "TIMETABLE_NO_SUCH_TRIP"
    TIMETABLE_TRIP_TWICE = "TIMETABLE_TRIP_TWICE"
    TIMETABLE_NO_SUCH_CALL = "TIMETABLE_NO_SUCH_CALL"
    TIMETABLE_CALL_ORDER = "TIMETABLE_CALL_ORDER"
    TIMETABLE_TIME_MISMATCH = "TIMETABLE_TIME_MISMATCH"
    TIMETABLE_GOODS_BARRED = "TIMETABLE_GOODS_BARRED"
    TIMETABLE_NO_PICKUP = "TIMETABLE_NO_PICKUP"
    TIMETABLE_NO_DROPOFF = "TIMETABLE_NO_DROPOFF"

    FLIGHT_SORTIE_SHAPE = "FLIGHT_SORTIE_SHAPE"
    FLIGHT_WRONG_ENDS = "FLIGHT_WRONG_ENDS"
    FLIGHT_OUTSIDE_TERRAIN = "FLIGHT_OUTSIDE_TERRAIN"
    FLIGHT_TOO_LOW = "FLIGHT_TOO_LOW"
    FLIGHT_TOO_HIGH = "FLIGHT_TOO_HIGH"
    FLIGHT_NO_FLY = "FLIGHT_NO_FLY"
    FLIGHT_CONTROLLED = "FLIGHT_CONTROLLED"
    FLIGHT_WIND = "FLIGHT_WIND"
    FLIGHT_PAYLOAD = "FLIGHT_PAYLOAD"
    FLIGHT_IMPOSSIBLE = "FLIGHT_IMPOSSIBLE"
    FLIGHT_RESERVE = "FLIGHT_RESERVE"
    FLIGHT_TURNAROUND = "FLIGHT_TURNAROUND"
    FLIGHT_OUTSIDE_SHIFT = "FLIGHT_OUTSIDE_SHIFT"

    COLD_BOX_MISSING = "COLD_BOX_MISSING"
    COLD_BOX_WRONG = "COLD_BOX_WRONG"
    COLD_OUT_OF_BAND = "COLD_OUT_OF_BAND"
    COLD_DOSE = "COLD_DOSE"

    ACCESS_NO_PATH = "ACCESS_NO_PATH"
    ACCESS_WRONG_JOIN = "ACCESS_WRONG_JOIN"
    ACCESS_NO_SUCH_ROAD = "ACCESS_NO_SUCH_ROAD"
    ACCESS_ROAD_FORBIDDEN = "ACCESS_ROAD_FORBIDDEN"
    ACCESS_ROAD_CLOSED = "ACCESS_ROAD_CLOSED"

    CONSISTENCY_BAD_NUMBER = "CONSISTENCY_BAD_NUMBER"
    CONSISTENCY_DIGEST = "CONSISTENCY_DIGEST"
    CONSISTENCY_SCENARIO = "CONSISTENCY_SCENARIO"
    CONSISTENCY_REJECTED = "CONSISTENCY_REJECTED"
    CONSISTENCY_ONLY = "CONSISTENCY_ONLY"
    CONSISTENCY_ROUTE_ID = "CONSISTENCY_ROUTE_ID"
    CONSISTENCY_UNKNOWN_CARRIER = "CONSISTENCY_UNKNOWN_CARRIER"
    CONSISTENCY_ROUTE_FIELD = "CONSISTENCY_ROUTE_FIELD"
    CONSISTENCY_EMPTY_ROUTE = "CONSISTENCY_EMPTY_ROUTE"
    CONSISTENCY_UNKNOWN_PLACE = "CONSISTENCY_UNKNOWN_PLACE"
    CONSISTENCY_STOP_FIELD = "CONSISTENCY_STOP_FIELD"
    CONSISTENCY_MOVEMENT = "CONSISTENCY_MOVEMENT"
    CONSISTENCY_SLOT = "CONSISTENCY_SLOT"
    CONSISTENCY_HANDOVER = "CONSISTENCY_HANDOVER"
    CONSISTENCY_LOAD = "CONSISTENCY_LOAD"
    CONSISTENCY_DURATION = "CONSISTENCY_DURATION"
    CONSISTENCY_DISTANCE = "CONSISTENCY_DISTANCE"
    CONSISTENCY_ENERGY = "CONSISTENCY_ENERGY"
    CONSISTENCY_BATTERY = "CONSISTENCY_BATTERY"
    CONSISTENCY_LEGS = "CONSISTENCY_LEGS"
    CONSISTENCY_COST = "CONSISTENCY_COST"
    CONSISTENCY_TOTAL = "CONSISTENCY_TOTAL"
    CONSISTENCY_BOUND = "CONSISTENCY_BOUND"

    @property
    def family(self) -> str:
        """Rule family of the code: ``CUSTODY``, ``TIMING``, ..."""
        return self.value.split("_", 1)[0]

    @property
    def meaning(self) -> str:
        """What is wrong, in one sentence."""
        return _MEANINGS[self]


_MEANINGS: dict[Code, str] = {
    Code.CUSTODY_UNKNOWN_ORDER: "The plan carries or lists an order that the scenario does not accept.",
    Code.CUSTODY_MISSING_ORDER: "An order of the scenario is neither served nor unassigned.",
    Code.CUSTODY_DOUBLE_STATE: "An order is both served and unassigned, or unassigned twice.",
    Code.CUSTODY_NO_REASON: "An unassigned order has no reason.",
    Code.CUSTODY_LOADED_TWICE: "An order is loaded onto a carrier it is already aboard.",
    Code.CUSTODY_NOT_ABOARD: "An order is unloaded from a carrier it is not aboard.",
    Code.CUSTODY_NOT_UNLOADED: "An order is loaded and never unloaded again.",
    Code.CUSTODY_BROKEN_CHAIN: "The legs of an order do not form one chain from its origin to its destination.",
    Code.TIMING_STOP_ORDER: "The times of a stop are not in the order arrival, service start, service end, departure.",
    Code.TIMING_ARRIVAL_MISMATCH: "An arrival is not the departure before it plus the duration of the movement.",
    Code.TIMING_TRAVEL_TOO_SHORT: "A movement takes less time than its way needs.",
    Code.TIMING_SERVICE_TOO_SHORT: "Service at a stop takes less time than what is done there needs.",
    Code.TIMING_OUTSIDE_OPENING: "Service starts while the place is closed.",
    Code.TIMING_BEFORE_RELEASE: "An order is loaded at its origin before its release.",
    Code.TIMING_OUTSIDE_WINDOW: "Service at an order's destination starts outside all of its windows.",
    Code.TIMING_ROUTES_OVERLAP: "Two routes of one carrier overlap in time.",
    Code.TIMING_NOT_AT_BASE: "A route does not start and end at its carrier's base.",
    Code.TIMING_OUTSIDE_SHIFT: "A vehicle or courier works outside its shift.",
    Code.TIMING_DRIVE_TOO_LONG: "A carrier travels longer in the day than it may.",
    Code.TIMING_REST_MISPLACED: "A rest overlaps another, or is not within its stop's time after service.",
    Code.TIMING_REST_MISSING: "A driver travels longer than allowed without a rest of twenty minutes.",
    Code.TIMING_RANGE_EXCEEDED: "A round takes more energy than the vehicle's range allows.",
    Code.TIMING_TOO_MANY_ROUNDS: "A vehicle or courier makes more rounds in the day than it may.",
    Code.TRANSFER_TOO_SHORT: "An order is loaded again before it is unloaded and handled.",
    Code.TRANSFER_CUTOFF_MISSED: "An order is not ready at the cut-off before its bus departs.",
    Code.TRANSFER_WAIT_TOO_LONG: "Goods wait between two legs for longer than the place allows.",
    Code.TRANSFER_STORE_FULL: "Goods between two legs weigh more than the store they lie in holds.",
    Code.CAPACITY_UNKNOWN_COMPARTMENT: "An order rides in a compartment its carrier does not have.",
    Code.CAPACITY_KG: "A compartment or bus carries more kilograms than it holds.",
    Code.CAPACITY_LITRES: "A compartment, bus or drone carries more litres than it holds.",
    Code.CAPACITY_PIECE_KG: "A piece is heavier than the bus takes.",
    Code.CAPACITY_PIECE_LENGTH: "A piece is longer than the bus takes.",
    Code.CAPACITY_INCOMPATIBLE: "Goods of classes that may not be together share a compartment.",
    Code.TIMETABLE_NO_SUCH_TRIP: "A bus route uses a trip that does not run with cargo on the service date.",
    Code.TIMETABLE_TRIP_TWICE: "Two routes use the same bus trip.",
    Code.TIMETABLE_NO_SUCH_CALL: "A stop of a bus route is not a call of the trip that handles cargo for the place.",
    Code.TIMETABLE_CALL_ORDER: "The stops of a bus route are not in the order of the trip's calls.",
    Code.TIMETABLE_TIME_MISMATCH: "The times of a bus stop differ from the timetable.",
    Code.TIMETABLE_GOODS_BARRED: "Goods ride a bus that takes none of their kind: dangerous, or of a class barred.",
    Code.TIMETABLE_NO_PICKUP: "Goods board where the call forbids it.",
    Code.TIMETABLE_NO_DROPOFF: "Goods alight where the call forbids it.",
    Code.FLIGHT_SORTIE_SHAPE: "A sortie is not base, one other place, base.",
    Code.FLIGHT_WRONG_ENDS: "A flight line does not start and end on the ground of its two places.",
    Code.FLIGHT_OUTSIDE_TERRAIN: "A flight line leaves the area whose ground height is known.",
    Code.FLIGHT_TOO_LOW: "A flight is lower over ground than its clearance, away from its ends.",
    Code.FLIGHT_TOO_HIGH: "A flight is higher over ground than the ceiling.",
    Code.FLIGHT_NO_FLY: "A flight crosses an active no-fly zone.",
    Code.FLIGHT_CONTROLLED: "A flight crosses a controlled zone outside an approved corridor.",
    Code.FLIGHT_WIND: "Wind or gusts in an hour flown are above the drone's limit.",
    Code.FLIGHT_PAYLOAD: "A drone carries more than its payload limit at the altitude of the flight.",
    Code.FLIGHT_IMPOSSIBLE: "The drone cannot fly its line at all.",
    Code.FLIGHT_RESERVE: "A sortie ends with less than the battery's reserve.",
    Code.FLIGHT_TURNAROUND: "A drone starts again before its turnaround is over.",
    Code.FLIGHT_OUTSIDE_SHIFT: "A drone flies outside its shift.",
    Code.COLD_BOX_MISSING: "Cold goods ride without the box they need.",
    Code.COLD_BOX_WRONG: "Goods ride in a box they do not need, or in another box than their class's.",
    Code.COLD_OUT_OF_BAND: "Cold goods are outside their temperature band for longer than they tolerate.",
    Code.COLD_DOSE: "Cold goods use more equivalent hours than their budget.",
    Code.ACCESS_NO_PATH: "A street movement has no way on the street network.",
    Code.ACCESS_WRONG_JOIN: "A way starts or ends too far from its place.",
    Code.ACCESS_NO_SUCH_ROAD: "Two following nodes of a way are not joined by a road in that direction.",
    Code.ACCESS_ROAD_FORBIDDEN: "A way uses a road that the vehicle may not use.",
    Code.ACCESS_ROAD_CLOSED: "A way uses a road that is closed at that time.",
    Code.CONSISTENCY_BAD_NUMBER: "A figure is not finite, negative where it cannot be, or absurdly large.",
    Code.CONSISTENCY_DIGEST: "The plan was made for another scenario, or the scenario has changed since.",
    Code.CONSISTENCY_SCENARIO: "Name, date or currency of the scenario differ.",
    Code.CONSISTENCY_REJECTED: "The rejected rows listed are not the rows the scenario rejects.",
    Code.CONSISTENCY_ONLY: "A route's kind is outside the kinds the plan says it is restricted to.",
    Code.CONSISTENCY_ROUTE_ID: "Two routes have the same id.",
    Code.CONSISTENCY_UNKNOWN_CARRIER: "A route names a carrier that does not exist.",
    Code.CONSISTENCY_ROUTE_FIELD: "Operator, kind, type, profile or base of a route differ from its carrier's.",
    Code.CONSISTENCY_EMPTY_ROUTE: "A route has fewer than two stops.",
    Code.CONSISTENCY_UNKNOWN_PLACE: "A stop is at a place that does not exist.",
    Code.CONSISTENCY_STOP_FIELD: "A stop has a field that its kind of carrier does not have.",
    Code.CONSISTENCY_MOVEMENT: "A movement is missing, stands after the last stop, or is of the wrong kind.",
    Code.CONSISTENCY_SLOT: "A movement names a time slot that is not the slot of its departure.",
    Code.CONSISTENCY_HANDOVER: "Load and unload of one leg differ in compartment or box.",
    Code.CONSISTENCY_LOAD: "The load stated at a stop is not what the carrier holds.",
    Code.CONSISTENCY_DURATION: "A movement takes longer than its way needs.",
    Code.CONSISTENCY_DISTANCE: "The distance of a movement is not that of its way.",
    Code.CONSISTENCY_ENERGY: "The energy of a movement is not that of its way.",
    Code.CONSISTENCY_BATTERY: "The battery left is not what the energy used leaves.",
    Code.CONSISTENCY_LEGS: "The legs listed for an order are not those of the routes.",
    Code.CONSISTENCY_COST: "A cost line is not what the plan costs.",
    Code.CONSISTENCY_TOTAL: "The total is not the sum of the cost lines.",
    Code.CONSISTENCY_BOUND: "The lower bound is above the total.",
}

_INTRODUCTION = """# Violations

What `shanlu check` can find in a plan, by rule family ([the rules](rules.md)). Generated from
`routing/checker/codes.py`. Each violation names its code, the place, route and order concerned, and by how much the
rule is broken where it has a measure.
"""


def render_reference() -> str:
    """Return the text of ``docs/reference/violations.md``."""
    lines = [_INTRODUCTION]
    family = ""
    for code in Code:
        if code.family != family:
            family = code.family
            lines += [f"## {family}", "", "| code | meaning |", "|---|---|"]
        lines.append(f"| `{code.value}` | {code.meaning} |")
        if _is_last_of_family(code):
            lines.append("")
    return "\n".join(lines)


def _is_last_of_family(code: Code) -> bool:
    codes = list(Code)
    position = codes.index(code)
    return position + 1 == len(codes) or codes[position + 1].family != code.family
