"""Why an order is unassigned, and the smallest single change that would let it be served.

Every answer is tried, not guessed: the order is put alone on idle carriers, then into the finished plan, as it is and
with one input changed. A relaxation is `verified` when the changed order (or carrier) then found a feasible itinerary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from routing.model.order import Order
from routing.model.plan import Plan, Relaxation, Unassigned
from routing.model.problem import Problem
from routing.solver.carriers import Proposal
from routing.solver.day_loops import FAR_S
from routing.solver.instance import Instance, Job, compile_instance, make_job
from routing.solver.itineraries import ChainFinder
from routing.solver.proposals import proposals
from routing.solver.resume import state_of
from routing.solver.settling import SETTLED_TRIES, extra_cost_settled, settled_cost
from routing.solver.state import State

REASONS: dict[str, tuple[str, str]] = {
    "SAME_PLACE": ("Origin and destination are the same place.", "起点与终点相同。"),
    "NO_ROUTE_BY_ANY_CARRIER": ("No carrier reaches it: {detail}.", "没有运力可以到达:{detail_zh}。"),
    "TOO_HEAVY": ("Heavier than every carrier that reaches it may take.", "重量超过所有可达运力的限制。"),
    "TOO_LARGE": ("Larger than every carrier that reaches it may take.", "体积或长度超过所有可达运力的限制。"),
    "DANGEROUS_BARRED": (
        "Dangerous goods, and only buses lead there, which must not take them.",
        "危险品,仅有客运班车可达,不得承运。",
    ),
    "CLASS_BARRED": ("Its product class may not ride the carriers that lead there.", "该品类不得由可达运力承运。"),
    "WINDOW_TOO_TIGHT": ("No itinerary arrives within its time window.", "没有方案能在时间窗内送达。"),
    "RELEASED_TOO_LATE": ("Released too late for any itinerary of the day.", "放行时间太晚,当日无可行方案。"),
    "COLD_LIMIT": ("Every itinerary would leave it too warm (or too cold) for too long.", "所有方案都会超出冷链限制。"),
    "CLOSED": ("Every itinerary finds a site closed on its way.", "沿途站点未开放。"),
    "NO_TIME": (
        "No itinerary fits the shifts, driving limits, ranges, wind hours and stores.",
        "班次、驾驶时限、续航、风况或仓容不允许。",
    ),
    "BUS_FULL": ("The buses that lead there are full.", "可达的客运班车已无载货空间。"),
    "NO_CAPACITY": ("The carriers that could serve it are full or busy.", "可用运力已满或无空闲时间。"),
    "TOO_COSTLY": (
        "Serving it would add {cost} to the cost, more than leaving it out ({penalty}).",
        "送达需增加成本 {cost},高于未送达罚金({penalty})。",
    ),
    "SEARCH_STOPPED": (
        "The search was stopped before this order was looked at.",
        "求解被中止,该订单尚未处理。",
    ),
    "SEARCH_LIMIT": (
        "The time limit ended before it had a place in the plan; a longer search may serve it or say why not.",
        "时限内未能安排;延长求解时间可安排或说明原因。",
    ),
    "SEARCH_ENDED": (
        "It fits at a cost below its penalty; a longer search may serve it.",
        "可行且成本低于罚金,延长求解时间可安排。",
    ),
}
"""Reason codes with their texts in English and Chinese; the reference page is generated from this table."""
_DAY_S = 86_400
_WIDE = 40
"""Chains looked at when explaining, more than the search keeps."""
_NARROW = 8
"""Chains looked at for orders whose relaxation is not sought."""
_RELAXED = 50
"""Orders whose smallest relaxation is sought: the first ones; it takes many trials. The rest get the reason alone."""


def explain_unassigned(problem: Problem, plan: Plan, only: tuple[str, ...] = ()) -> tuple[Unassigned, ...]:
    """Return every order the plan's routes do not carry, with its reason and the smallest relaxation found.

    Parameters
    ----------
    problem, plan
        The day and its plan; entries already in ``plan.unassigned`` are ignored and found anew.
    only
        Kinds of carrier the plan was restricted to; empty means all.

    Returns
    -------
    tuple of Unassigned
        In the order of the problem's orders.
    """
    served = {handover.order for route in plan.routes for stop in route.stops for handover in stop.load}
    if all(order.id in served for order in problem.orders):
        return ()
    instance = compile_instance(problem, only, bundle=False)
    return explain_state(ChainFinder(instance), state_of(instance, plan))


def explain_state(
    finder: ChainFinder,
    state: State,
    cancelled: Callable[[], bool] = lambda: False,
    overdue: Callable[[], bool] = lambda: False,
) -> tuple[Unassigned, ...]:
    """Return the reasons of all orders a state leaves out; its instance holds one job per order.

    Once `cancelled` or `overdue` is true the rest is not tried any more and says so.
    """
    instance = state.instance
    desk = _Desk(instance, finder, State(instance), state)
    brief = replace(desk, relaxes=False)
    left = [job.orders[0] for job in instance.jobs if job.index not in state.served]
    found: list[Unassigned] = []
    for number, order in enumerate(left):
        if cancelled():
            found.append(_reason(order, "SEARCH_STOPPED"))
        elif overdue():
            found.append(_reason(order, "SEARCH_LIMIT"))
        else:
            found.append(_explain(desk if number < _RELAXED else brief, order))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Desk:
    """Where orders are tried: the compiled problem, idle carriers and the carriers of the plan."""

    instance: Instance
    finder: ChainFinder
    idle: State
    full: State
    relaxes: bool = True
    """Whether the smallest relaxation is sought, too."""

    @cached_property
    def _places(self) -> dict[str, int]:
        return {place.id: number for number, place in enumerate(self.instance.places)}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {job.orders[0].id: job.index for job in self.instance.jobs}

    @cached_property
    def _settled_cost(self) -> int:
        return settled_cost(self.full)

    def job(self, order: Order) -> Job:
        """Return the order as a job, whatever was changed in it."""
        return make_job(self.instance.problem, self._places, self._numbers[order.id], (order,))

    def try_in(self, state: State, job: Job, *, settled: bool = False) -> tuple[Proposal, float] | None:
        """Return the cheapest proposal that holds in a state and its cost with spoilage; the state stays as it is.

        With `settled`, the state being the full plan, one that seems worth it holds only if all final times still
        agree with it, and costs what it adds to them.
        """
        chains = self.finder.chains(job, _WIDE if self.relaxes else _NARROW)
        tries = 0
        for proposal in proposals(state, job, chains):
            state.begin()
            placed = state.place(job, proposal)
            cost = proposal.delta + state.spoilage.get(job.index, 0.0)
            state.rollback()
            if placed and settled and cost <= job.unserved_cost:
                tries += 1
                extra = extra_cost_settled(state, job, proposal, self._settled_cost) if tries <= SETTLED_TRIES else None
                placed, cost = extra is not None, extra or 0.0
            if placed:
                return proposal, cost
        return None


def _explain(desk: _Desk, order: Order) -> Unassigned:
    job = desk.job(order)
    if job.destination in job.origins:
        return _reason(order, "SAME_PLACE")
    if not desk.finder.chains(job):
        reached = any(desk.finder.reaches(origin, job.destination) for origin in job.origins)
        return _goods_barred(desk, order) if reached else _no_route(desk, order)
    alone = desk.try_in(desk.idle, job)
    if alone is None:
        return _times_barred(desk, order, job)
    found = desk.try_in(desk.full, job, settled=True)
    if found is None:
        return _no_room(desk, order, job, alone[0])
    cost = found[1]
    if cost <= order.unserved_cost:
        return _reason(order, "SEARCH_ENDED")
    more = round(cost - order.unserved_cost) + 1
    return _reason(
        order,
        "TOO_COSTLY",
        Relaxation(
            "orders.unserved_cost",
            more,
            "minor units",
            f"Raise its penalty by {more} to {round(order.unserved_cost) + more}.",
            f"将罚金提高 {more}。",
            verified=True,
        ),
        cost=round(cost),
        penalty=round(order.unserved_cost),
    )


def _reason(order: Order, code: str, relaxation: Relaxation | None = None, **values: object) -> Unassigned:
    text, text_zh = REASONS[code]
    return Unassigned(order.id, code, text.format(**values), text_zh.format(**values), relaxation)


# --- No way --------------------------------------------------------------------------------------------------------


def _no_route(desk: _Desk, order: Order) -> Unassigned:
    refusals = [
        f"{group.service.id} from {base}: {table.refusals[base, end]}"
        for group in desk.instance.drone_groups
        for table, base in ((group.table, desk.instance.places[group.base].id),)
        for end in (*order.origins, order.to_id)
        if (base, end) in table.refusals
    ]
    detail = "no road or path of any carrier's profile, no bus"
    detail_zh = "无道路、无班车"
    if refusals:
        detail += "; by air " + "; ".join(refusals[:2])
        detail_zh += ",无人机不可飞"
    return _reason(order, "NO_ROUTE_BY_ANY_CARRIER", detail=detail, detail_zh=detail_zh)


# --- Goods no carrier takes ----------------------------------------------------------------------------------------


def _goods_barred(desk: _Desk, order: Order) -> Unassigned:
    def taken(changed: Order) -> bool:
        return bool(desk.finder.chains(desk.job(changed)))

    light = replace(order, weight_kg=0.01)
    small = replace(order, volume_l=0.01, longest_cm=0.0)
    if not desk.relaxes:
        return _reason(order, _barred_code(order, taken))
    if taken(light):
        kg = _largest(lambda kg: taken(replace(order, weight_kg=kg)), 0.01, order.weight_kg, 0.01)
        return _reason(
            order, "TOO_HEAVY", _lighter(desk, order, replace(order, weight_kg=kg), "orders.weight_kg", "kg")
        )
    if taken(small):
        litres = _largest(lambda v: taken(replace(order, volume_l=v, longest_cm=0.0)), 0.01, order.volume_l, 0.1)
        return _reason(
            order, "TOO_LARGE", _lighter(desk, order, replace(small, volume_l=litres), "orders.volume_l", "litres")
        )
    return _reason(order, _barred_code(order, taken))


def _barred_code(order: Order, taken: Callable[[Order], bool]) -> str:
    """Return what keeps the goods off all carriers that lead there: weight, size, danger or class."""
    light = replace(order, weight_kg=0.01)
    small = replace(order, volume_l=0.01, longest_cm=0.0)
    if taken(light):
        return "TOO_HEAVY"
    if taken(small):
        return "TOO_LARGE"
    if taken(replace(small, weight_kg=0.01)):
        return "TOO_HEAVY"
    if order.dangerous and taken(replace(order, dangerous=False)):
        return "DANGEROUS_BARRED"
    return "CLASS_BARRED"


def _lighter(desk: _Desk, order: Order, changed: Order, field: str, unit: str) -> Relaxation:
    change = changed.weight_kg - order.weight_kg if unit == "kg" else changed.volume_l - order.volume_l
    verified = desk.try_in(desk.idle, desk.job(changed)) is not None
    less = round(-change, 2)
    unit_zh = "公斤" if unit == "kg" else "升"
    return Relaxation(
        field, round(change, 2), unit, f"Make it {less:g} {unit} less.", f"减少 {less:g} {unit_zh}。", verified
    )


def _largest(holds: Callable[[float], bool], good: float, bad: float, step: float) -> float:
    """Return the largest value found to hold between one that does and one that does not, within `step`."""
    while bad - good > step:
        middle = (good + bad) / 2.0
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good


# --- Times and temperatures ----------------------------------------------------------------------------------------


def _times_barred(desk: _Desk, order: Order, job: Job) -> Unassigned:
    def feasible(changed: Order) -> bool:
        return desk.try_in(desk.idle, desk.job(changed)) is not None

    if order.windows and feasible(replace(order, windows=())):
        return _reason(order, "WINDOW_TOO_TIGHT", _wider_window(feasible, order) if desk.relaxes else None)
    if order.release_s > 0 and feasible(replace(order, release_s=0)):
        if not desk.relaxes:
            return _reason(order, "RELEASED_TOO_LATE")
        minutes = order.release_s / 60.0 - _largest(
            lambda m: feasible(replace(order, release_s=int(m * 60))), 0.0, order.release_s / 60.0, 1.0
        )
        text = f"Release it {minutes:.0f} min earlier."
        relaxation = Relaxation(
            "orders.release_s", -round(minutes * 60), "s", text, f"提前 {minutes:.0f} 分钟放行。", True
        )
        return _reason(order, "RELEASED_TOO_LATE", relaxation)
    if job.product.cold:
        warm = _with_product(job, cold=False, box=job.product.box)
        if desk.try_in(desk.idle, warm) is not None:
            return _reason(order, "COLD_LIMIT", _longer_out_of_band(desk, job) if desk.relaxes else None)
    always = replace(
        desk.instance,
        opens_s=(0,) * len(desk.instance.places),
        closes_s=(FAR_S,) * len(desk.instance.places),
    )
    if desk.try_in(State(always), job) is not None:
        return _reason(order, "CLOSED")
    return _reason(order, "NO_TIME")


def _wider_window(feasible: Callable[[Order], bool], order: Order) -> Relaxation | None:
    """Return the least extension of the last window's end, or else of the first one's start, in minutes."""

    def later(minutes: float) -> Order:
        begin, end = order.windows[-1]
        return replace(order, windows=(*order.windows[:-1], (begin, end + int(minutes * 60))))

    def earlier(minutes: float) -> Order:
        begin, end = order.windows[0]
        return replace(order, windows=((max(0, begin - int(minutes * 60)), end), *order.windows[1:]))

    options = []
    for field, change, words, words_zh, sign in (
        ("orders.window_end_s", later, "End its window {} min later.", "时间窗延后 {} 分钟。", 1),
        ("orders.window_start_s", earlier, "Begin its window {} min earlier.", "时间窗提前 {} 分钟。", -1),
    ):
        if feasible(change(_DAY_S / 60.0)):
            minutes = int(_least(lambda m, change=change: feasible(change(m)), _DAY_S / 60.0))  # type: ignore[misc] # bound now
            options.append(
                (
                    minutes,
                    Relaxation(field, sign * minutes * 60, "s", words.format(minutes), words_zh.format(minutes), True),
                )
            )
    return min(options, key=lambda option: option[0])[1] if options else None


def _least(holds: Callable[[float], bool], good: float) -> float:
    """Return the least whole number found to hold, given one that does."""
    low, high = 0, int(good)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return float(high)


def _with_product(job: Job, **changes: object) -> Job:
    return replace(job, product=replace(job.product, **changes))  # type: ignore[arg-type] # fields of the class


def _longer_out_of_band(desk: _Desk, job: Job) -> Relaxation | None:
    def feasible(minutes: float) -> bool:
        allowed = job.product.max_out_of_band_s + int(minutes * 60)
        return desk.try_in(desk.idle, _with_product(job, max_out_of_band_s=allowed)) is not None

    if not feasible(_DAY_S / 60.0):
        return None
    minutes = int(_least(feasible, _DAY_S / 60.0))
    return Relaxation(
        f"products.max_out_of_band_s of {job.product.id}",
        minutes * 60,
        "s",
        f"Let it be out of its band {minutes} min longer.",
        f"允许超温时间延长 {minutes} 分钟。",
        True,
    )


# --- No room -------------------------------------------------------------------------------------------------------


def _no_room(desk: _Desk, order: Order, job: Job, alone: Proposal) -> Unassigned:
    """Tell full buses from busy carriers by giving each of the carriers of its best itinerary more room."""
    if not desk.relaxes:
        return _reason(order, "NO_CAPACITY")
    buses = [site.load.number for site in alone.sites if hasattr(site, "load")]
    for number in buses:
        load = desk.full.buses[number]
        trip = load.trip
        load.trip = replace(trip, max_kg=trip.max_kg + job.boxed_kg, max_l=trip.max_l + job.boxed_l)
        verified = desk.try_in(desk.full, job) is not None
        load.trip = trip
        if verified:
            kg = round(job.boxed_kg, 2)
            relaxation = Relaxation(
                f"cargo_trips.max_kg of trip {trip.id}",
                kg,
                "kg",
                f"Give the trip {kg:g} kg more.",
                f"增加 {kg:g} 公斤。",
                True,
            )
            return _reason(order, "BUS_FULL", relaxation)
    for ride in alone.chain.rides:
        vehicle = _one_more_vehicle(desk, job, ride.group) if ride.kind == "fleet" else None
        if vehicle is not None:
            return _reason(order, "NO_CAPACITY", vehicle)
    return _reason(order, "NO_CAPACITY")


def _one_more_vehicle(desk: _Desk, job: Job, group: int) -> Relaxation | None:
    fleet = desk.instance.fleets[group]
    base = desk.instance.places[fleet.base]
    with desk.full.one_more_vehicle(group):
        verified = desk.try_in(desk.full, job) is not None
    if not verified:
        return None
    return Relaxation(
        f"fleet.count of {fleet.type.id} at {base.id}",
        1,
        "vehicles",
        f"Station one more {fleet.type.id} at {base.name}.",
        f"在{base.name}增加一辆 {fleet.type.id}。",
        True,
    )
