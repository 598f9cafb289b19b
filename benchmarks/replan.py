"""Every kind of disturbance of a planned day: seconds to a new checked plan, its cost against a full solve of the rest.

``python -m benchmarks.replan SCENARIO PLAN.json --at 36000 --seconds 2 --full 30`` prints one row a disturbance as
Markdown. The full solve begins with an empty plan of the same remaining day and has `--full` seconds; both costs are
those of the whole day, what has happened included. Times are those of the process alone, on a warm cache.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from geodata.area import Area
from geodata.cache import Cache, default_cache_folder
from routing.evaluation import cost_of
from routing.model.plan import Plan, PlanDocument, Route
from routing.plan_io import read_plan
from routing.replan.events import Breakdown, Delay, Events
from routing.replan.replanning import Replanned, ReplanOptions, full_solve, replan
from routing.scenario import Scenario, read_scenario
from routing.solver import Limits

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


def main() -> None:
    """Print a row for each disturbance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--at", type=int, default=36_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--full", type=float, default=30.0)
    parser.add_argument("--may-move", type=int)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    from routing.day import read_day  # noqa: PLC0415

    cache = Cache(default_cache_folder())
    document = read_plan(chosen.plan)
    day = read_day(chosen.scenario, cache=cache)
    print(HEADER, flush=True)
    for found in disturbances(document, read_scenario(chosen.scenario), day.area, chosen.at):
        if chosen.only is None or found.name == chosen.only:
            print(_row(chosen, document, found, cache), flush=True)


def _row(chosen: argparse.Namespace, document: PlanDocument, found: Disturbance, cache: Cache) -> str:
    options = ReplanOptions(Limits(chosen.seconds), may_move=chosen.may_move)
    with tempfile.TemporaryDirectory() as folder:
        made, wall_s, cpu_s = _timed(
            lambda: replan(chosen.scenario, document, found.events, options, Path(folder) / "day", cache)
        )
        full = full_solve(made, Plan(document.routes), found.events, options, Limits(chosen.full))
    whole = cost_of(made.built.problem, full).total
    cost = made.document.objective.total
    return (
        f"| {found.name} | {wall_s:.1f} | {cpu_s:.1f} | {cost / 100:.2f} | {whole / 100:.2f} | {cost / whole - 1:+.1%} "
        f"| {len(made.document.unassigned)} | {len(made.moved)} | {len(made.stranded)} |"
    )


def _timed(make: Callable[[], Replanned]) -> tuple[Replanned, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = make()
    return made, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
