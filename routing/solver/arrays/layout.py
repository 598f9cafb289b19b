"""How a day and a plan in the making lie in arrays, so that whole moves run as compiled loops.

Of an array whose columns have names, the names stand here. A leg is a ride of one job by one of its itineraries, with
all it asks for; a task is a leg on a carrier: that of job j's k-th ride has the number j * rides + k,
rides being a power of two. Carriers are
numbered through: vehicles first, fleet by fleet, then drones, group by group, then bus trips.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from routing.solver.day_loops import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

ROAD, DRONE, BUS = range(3)
"""Kinds of leg."""

# --- Columns of `Facts` ----------------------------------------------------------------------------------------------

J_RELEASE, J_DUE, J_PRODUCT, J_CHAINS, J_CHAINS_END, J_WATCHED = range(6)
"""`jobs`: release, due time (FAR_S: none), class, its chains, and whether it can become too warm or wait too long."""
JF_KG, JF_L, JF_BOXED_KG, JF_BOXED_L, JF_PIECES, JF_LATE, JF_UNSERVED, JF_HANDLING, JF_VALUE, JF_SPREAD, JF_FIRST = (
    range(11)
)
"""`job_sizes`: kilograms and litres without and with boxes, pieces, money by second of being late, for being left out,
for a handing over, and if all of it spoils; seconds of its shortest window, and the estimate of its cheapest chain."""
O_LEG, O_COUNT = range(2)
"""`options`: first leg and number of legs of a chain in one of the windows (0 legs: times forbid it)."""
(
    L_KIND, L_GROUP, L_ORIGIN, L_TARGET, L_NUMBER, L_FROM, L_TO, L_UNLOAD_BY, L_HANDLING, L_STORE, L_BOXED,
    L_FITS, L_FITS_END, L_OWN_S, L_OWN_ROUNDS, L_OWN_PART, L_OWN_BOXED, L_RIDES, L_RIDES_END,
) = range(19)  # fmt: skip
"""`legs`: kind, fleet or drone group, ends, a number equal for equal rides, bounds of the start of unloading, by when
goods must be unloaded, seconds of handling before, kind of store before, whether in a box on a bus or drone; rows of
`fits`; driving seconds, rounds allowed, compartment and box of a round of its own; rows of `rides`."""
LF_LOAD, LF_UNLOAD, LF_STORE_KG, LF_OWN, LF_OWN_FIXED, LF_OWN_SERVICE = range(6)
"""`leg_sizes`: seconds of loading and unloading, kilograms of the store before, money of a round of its own."""
F_BASE, F_MATRIX, F_COST, F_CLOCK = range(4)
"""`fleets`: base, and which travel matrix, matrix of costs and clock."""
R_TRIP, R_BOARD, R_ALIGHT, R_READY_BY, R_DEPARTURE, R_ARRIVAL, R_READY = range(7)
"""`rides`: as `instance.BusRide` names them."""
B_KG, B_L, B_FEE_KG, B_FEE_PIECE = range(4)
"""`trips`: space and fees."""
G_BASE, G_WINCH, G_TURNAROUND, G_START, G_END, G_CLASSES = range(6)
"""`groups`: base, seconds at the place and between sorties, shift, number of payload classes."""
GF_L, GF_SORTIE, GF_PER_H, GF_FIXED, GF_WH, GF_PER_WH = range(6)
"""`group_sizes`: litres, money by sortie, hour, day, watt-hours of a sortie at most, money by watt-hour."""
FL_OUT, FL_BACK, FL_OPEN = range(3)
"""`flights`: seconds out and back by hour of departure, and whether flights are legal."""
FX_OUT, FX_BACK, FX_KG = range(3)
"""`flight_bests`: least seconds out and back, most kilograms."""
P_HANDLING, P_MAX_WAIT = range(2)
"""`places`: seconds of handling; how long goods may wait (-1: as long as they like)."""
C_LOW, C_HIGH, C_START, C_LAG, C_MAX_OUT, C_MAX_H, C_SCALE, C_SHAPE, C_COLD, C_BOX, C_COOLANT, C_UA, C_HOLD = range(13)
"""`products`: as `product.ProductClass` and `product.Box` name them; scale 0: no loss."""


class Facts(NamedTuple):
    """What does not change while a plan is searched."""

    jobs: IntArray
    job_sizes: FloatArray
    chains: IntArray
    """First option of each chain, and one more entry at the end."""
    options: IntArray
    legs: IntArray
    leg_sizes: FloatArray
    fits: FloatArray
    """As `spot_loops.Leg.fits`."""
    fits_boxed: BoolArray
    fleets: IntArray
    durations: IntArray
    """Shape (matrices, places, places), like the next two."""
    distances: IntArray
    energies: FloatArray
    costs: npt.NDArray[np.float32]
    """As `day_loops.Road.cost`, by kind of vehicle."""
    clocks: FloatArray
    opens: IntArray
    closes: IntArray
    limits: IntArray
    """By fleet, as `day_loops.Road` has them, like `prices`."""
    prices: FloatArray
    room: FloatArray
    """By fleet: kilograms in each compartment, then litres."""
    set_points: FloatArray
    """By fleet, compartment and class: degrees where the compartment fits the class, else nan."""
    rides: IntArray
    trips: FloatArray
    slots: IntArray
    """By trip and call: equal for calls at one halt."""
    admitted: BoolArray
    """By job and trip."""
    groups: IntArray
    group_sizes: FloatArray
    payloads: FloatArray
    """By drone group: kilograms of the payload classes."""
    flight_of: IntArray
    """By drone group and place: row of `flights` (-1: none)."""
    flights: IntArray
    flight_wh: FloatArray
    """By row, way (0 out, 1 back), hour and payload class."""
    flight_bests: FloatArray
    places: IntArray
    elevations: FloatArray
    store_c: FloatArray
    """By place and class: degrees of the store that fits, else nan."""
    products: FloatArray
    barred: BoolArray
    """By two classes: whether they must not be in one compartment."""
    bits: IntArray
    """By class: a bit of its own, as good as, and the bits of those it must not be with; 0 where nothing is barred."""
    hours_c: FloatArray
    """Temperature by hour at `elevation_m`."""
    elevation_m: FloatArray
    """One entry."""


# --- Columns of `Sheet` ----------------------------------------------------------------------------------------------

(
    T_CARRIER, T_LEG, T_LOAD, T_UNLOAD, T_PART, T_BOXED, T_READY, T_LATEST,
    T_LOAD_START, T_LOAD_END, T_UNLOAD_START, T_UNLOAD_END, T_WAITS, T_NEXT, T_BEFORE,
) = range(15)  # fmt: skip
"""`tasks`: carrier (-1: none), leg; the stops of loading and unloading (drone: sortie, and 1 on the way out; bus: row
of `rides`); compartment, box; the times that `tasks.Task` names; where it waits afterwards (-1: nowhere), and the tasks
next to it in the list of those that wait there."""
T_SAVED = T_WAITS
"""Columns before this one go with the carrier."""
Q_LEGS, Q_OPTION = range(2)
"""`ridden`: rides of a job (0: left out) and its option (-1: none of the list)."""
S_PLACE, S_START, S_ARRIVAL, S_LEAVE, S_END = range(5)
"""`sorties`: the place and the times of the flight."""
(
    X_CARRIER, X_LEG, X_LOAD, X_LOAD_NEW, X_UNLOAD, X_UNLOAD_NEW, X_ROUND, X_PART, X_BOXED, X_READY, X_START,
    X_RIDE, X_SORTIE, X_FLY,
) = range(14)  # fmt: skip
"""`sites`: carrier (-1: none); as `days_search.Spot` names them; row of `rides`; sortie to join (-1: a new one), and
when it starts."""
M_SERIAL, M_CURRENT, M_INTS, M_FLOATS, M_TOUCHED, M_GROW, M_WATCHED, M_KNOWN, M_SERVED, M_SHIFT = range(10)
"""`marks[0]`: counters of savepoints, ends of the journals, carriers touched by the move, whether something was too
small, whether any job needs watching, sites remembered, jobs served, and the binary logarithm of the tasks of a job."""
E_TOTAL, E_BEST = 0, 4
"""`money`: what the plan costs, by savepoint what it cost there, and what the best plan costs."""


class Sheet(NamedTuple):
    """A plan in the making, its journal, and room to work."""

    times: IntArray
    """Shape (vehicles, rows as `day_loops` names them, stops)."""
    aboard: FloatArray
    figures: IntArray
    """By vehicle, as `boards.Days` has them."""
    fleet_of: IntArray
    """By vehicle."""
    fleet_rows: IntArray
    """By fleet: first vehicle and the one after the last."""
    sound: BoolArray
    group_of: IntArray
    """By drone."""
    group_rows: IntArray
    sorties: IntArray
    """Shape (drones, sorties, 5)."""
    energies: FloatArray
    """Watt-hours out and back by drone and sortie."""
    flown: IntArray
    """By drone, how many sorties."""
    filled: FloatArray
    """Shape (trips, 2, calls): kilograms and litres on every segment."""
    used: IntArray
    """By trip and call: ends of rides there."""
    taken: FloatArray
    """As `filled`, what is not to be had."""
    taken_calls: BoolArray
    taken_products: BoolArray
    """By trip and class."""
    cost: FloatArray
    """By carrier."""
    loaded: IntArray
    """By carrier: tasks."""
    lists: IntArray
    """By carrier: its tasks."""
    tasks: IntArray
    ridden: IntArray
    spoiled: FloatArray
    """By job: money."""
    waiting: IntArray
    """By place: the first task that waits there, -1: none."""
    waiting_kg: FloatArray
    elsewhere_kg: FloatArray
    """By place and kind of store: what is not to be had."""
    allowed: BoolArray
    """By chain: whether jobs may ride by it."""
    won: BoolArray
    """By chain: whether its job has ridden by it."""
    least: FloatArray
    """By job."""
    near: IntArray
    """By job: those near it, itself first; -1 at the end."""
    seeds: IntArray
    """Jobs that may be moved."""
    warmth_of: IntArray
    """By job: legs, compartments and times of the exposure known."""
    warmth: FloatArray
    """By job: seconds out of band, equivalent hours."""
    stamps: IntArray
    """By carrier, then job: the savepoint it was written down for last."""
    changed: BoolArray
    """By carrier, then job: whether it may differ from the best plan."""
    ints: IntArray
    """The journal."""
    floats: FloatArray
    marks: IntArray
    money: FloatArray
    touched: IntArray
    """Carriers touched by the move."""
    queue: IntArray
    queued: BoolArray
    known: IntArray
    """Sites remembered: what was looked for, and the columns of `sites`."""
    known_delta: FloatArray
    sites: IntArray
    stops: IntArray
    """Room to work on the stops of a day: rows of whole numbers, and of others."""
    stop_sizes: FloatArray
    lines: IntArray
    """Room for lists of jobs or tasks."""
    line_sizes: FloatArray
    random: npt.NDArray[np.uint64]


class Best(NamedTuple):
    """The best plan found: what of a `Sheet` the rest follows from."""

    times: IntArray
    """Only places and where rounds begin."""
    stops: IntArray
    """By vehicle: how many."""
    sorties: IntArray
    energies: FloatArray
    flown: IntArray
    loaded: IntArray
    lists: IntArray
    tasks: IntArray
    ridden: IntArray


class Cooling(NamedTuple):
    """How warm a search is."""

    rest: float
    """What the plan costs outside the arrays."""
    heat: float
    """Start temperature as a share of the plan's whole cost."""
    share: float
    """How much of the effort was used before move 0."""
    more: float
    """How much a move uses."""
    end: float
    """The temperature falls to so many times its start."""


def resized(array: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return an array of another shape with the same leading cells; new ones are 0."""
    other = np.zeros(shape, dtype=array.dtype)
    shared = tuple(slice(min(sizes)) for sizes in zip(array.shape, shape, strict=True))
    other[shared] = array[shared]
    return other
