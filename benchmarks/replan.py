"""Every kind of disturbance of a planned day: seconds to a new checked plan, its cost against a full solve of the rest.

``python -m benchmarks.replan SCENARIO PLAN.json --at 39600 --seconds 4.6 --full 30`` prints one row a disturbance as
Markdown. The full solve begins with an empty plan of the same remaining day and has `--full` seconds; both costs are
those of the whole day, what has happened included. The cache is warm but for what the disturbance changes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.machine import Watch
from geodata.area import Area
from geodata.cache import HELD_PRODUCTS, Cache, default_cache_folder
from routing.day import read_day
from routing.evaluation import cost_of
from routing.model.plan import Plan, PlanDocument, Route
from routing.plan_io import read_plan
from routing.replan.events import Breakdown, Delay, Events
from routing.replan.replanning import WITHIN_S, ReplanOptions, full_solve, replan
from routing.scenario import Scenario
from routing.solver import Limits

AT_S = 39_600
"""When the day is disturbed: 11:00."""
HEADER = (
    "| disturbance | replan, s | of CPU, s | cost | full solve | difference | unassigned | orders moved | stranded |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Disturbance:
    """A kind of disturbance and the events of one instance of it."""

    name: str
    events: Events


def disturbances(document: PlanDocument, scenario: Scenario, area: Area | None, now_s: int) -> Iterator[Disturbance]:
    """Yield one disturbance of each kind that the plan has something for at a moment."""
    under_way = [r for r in document.routes if r.kind == "vehicle" and _begin(r) < now_s < _end(r)]
    to_come = [r for r in document.routes if _begin(r) > now_s]
    yield Disturbance("nothing", Events(now_s))
    if under_way:
        van = max(under_way, key=lambda route: len(route.stops))
        yield Disturbance("late vehicle", Events(now_s, delays=(Delay(van.carrier, 1_800),)))
        yield Disturbance("broken vehicle", Events(now_s, broken=(Breakdown(van.carrier),)))
    buses = [route for route in to_come if route.kind == "bus"]
    if buses:
        bus = max(buses, key=lambda route: sum(len(stop.load) for stop in route.stops))
        yield Disturbance("late bus", Events(now_s, late_trips=(Delay(bus.carrier, 1_800),)))
        yield Disturbance("cancelled bus", Events(now_s, cancelled_trips=(bus.carrier,)))
    drones = tuple(f"{s.type}@{s.site}#{k + 1}" for s in scenario.stands for k in range(s.count))
    grounded = tuple(name for name in drones if name.split("@")[0] in scenario.drone_services)
    if grounded:
        yield Disturbance("grounded drones", Events(now_s, grounded=grounded))
    road = _busy_road(under_way, area, now_s) if area is not None else None
    if road is not None:
        yield Disturbance("closed road", Events(now_s, closures=(road,)))
    fresh = tuple(_copy(scenario, k) for k in range(min(10, len(scenario.orders))))
    yield Disturbance("new orders", Events(now_s, new_orders=fresh))
    loaded = {hand.order for route in document.routes if _begin(route) < now_s for s in route.stops for hand in s.load}
    free = tuple(order.id for order in scenario.orders if order.id not in loaded)[:10]
    if free:
        yield Disturbance("cancelled orders", Events(now_s, cancelled_orders=free))


def _begin(route: Route) -> int:
    return route.stops[0].service_start_s


def _end(route: Route) -> int:
    return route.stops[-1].service_end_s


def _copy(scenario: Scenario, k: int) -> dict[str, object]:
    """Return a new order like one of the day, between sites, released now."""
    order = [order for order in scenario.orders if order.to_id not in scenario.drops][k]
    return {
        "id": f"new-{k}",
        "from_site": order.from_id,
        "to_site": order.to_id,
        "weight_kg": order.weight_kg,
        "volume_l": order.volume_l,
        "pieces": order.pieces,
    }


def _busy_road(under_way: list[Route], area: Area, now_s: int) -> dict[str, object] | None:
    """Return a closure of a stretch of road in the middle of a way still to go."""
    for route in under_way:
        for here, there in pairwise(route.stops):
            nodes = here.movement.nodes if here.movement is not None else ()
            if here.departure_s > now_s and len(nodes) > 10 and there.place != route.base:
                at = area.streets.node_index(list(nodes[len(nodes) // 2 :][:2]))
                line = [[float(area.streets.node_lon[k]), float(area.streets.node_lat[k])] for k in at]
                geometry = {"type": "LineString", "coordinates": line}
                return {"type": "Feature", "properties": {"kind": "closed"}, "geometry": geometry}
    return None


@dataclass(frozen=True)
class Row:
    """What replanning after one disturbance took and cost, in seconds and minor units; counts of orders."""

    name: str
    wall_s: float
    cpu_s: float
    cost: int
    full_cost: int
    unassigned: int
    moved: int
    stranded: int
    timings_s: dict[str, float]


def measure(
    folder: Path,
    document: PlanDocument,
    cache: Cache,
    *,
    at_s: int = AT_S,
    within_s: float = WITHIN_S,
    full_s: float = 10.0,
    only: str | None = None,
) -> Iterator[Row]:
    """Replan a planned day after one disturbance of each kind, and solve the rest of each in full.

    Parameters
    ----------
    folder, document
        The scenario and its plan.
    only
        Name of the one disturbance wanted; None: all.
    """
    day = read_day(folder, cache=cache)
    for found in disturbances(document, day.scenario, day.area, at_s):
        if only is None or found.name == only:
            yield _measured(folder, document, found, cache, within_s, full_s)


def _measured(
    folder: Path, document: PlanDocument, found: Disturbance, cache: Cache, within_s: float, full_s: float
) -> Row:
    options = ReplanOptions(Limits(None), within_s=within_s)
    watch = Watch()
    with tempfile.TemporaryDirectory() as target:
        made = replan(folder, document, found.events, options, Path(target) / "day", cache)
        span = watch.span()
        full = full_solve(made, Plan(document.routes), found.events, options, Limits(full_s))
    return Row(
        found.name,
        span.wall_s,
        span.cpu_s,
        made.document.objective.total,
        cost_of(made.built.problem, full).total,
        len(made.document.unassigned),
        len(made.moved),
        len(made.stranded),
        dict(made.timings_s),
    )


def main() -> None:
    """Print a row for each disturbance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--at", type=int, default=AT_S)
    parser.add_argument("--seconds", type=float, default=WITHIN_S)
    parser.add_argument("--full", type=float, default=10.0)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    print(HEADER, flush=True)
    rows = measure(
        chosen.scenario,
        read_plan(chosen.plan),
        Cache(default_cache_folder(), HELD_PRODUCTS),
        at_s=chosen.at,
        within_s=chosen.seconds,
        full_s=chosen.full,
        only=chosen.only,
    )
    for row in rows:
        print(_text(row), flush=True)


def _text(row: Row) -> str:
    return (
        f"| {row.name} | {row.wall_s:.1f} | {row.cpu_s:.1f} | {row.cost / 100:.2f} | {row.full_cost / 100:.2f} "
        f"| {row.cost / row.full_cost - 1:+.1%} | {row.unassigned} | {row.moved} | {row.stranded} |"
    )


if __name__ == "__main__":
    main()
