"""A regional feed to a timetable, and connections between pairs of sites on it.

    python -m benchmarks.timetable DATA [--pairs N] [--seed S] [--write benchmarks/results/timetable.md]

DATA is the folder with ``gtfs_sardinia_arst/arst-cagliari-2019.gtfs.zip``. Sites are made from stops: each is served by
all stops within a walk of 400 m. Pairs are drawn from stops that have a bus on the busiest date.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.machine import Span, Watch, conditions
from geodata.connections import Connection, ConnectionSearch, walking_links
from geodata.errors import FaultCollector
from geodata.gtfs import Feed, read_feed, read_gtfs
from geodata.location import Level, Site
from geodata.timetable import Timetable

FEED = Path("gtfs_sardinia_arst") / "arst-cagliari-2019.gtfs.zip"
HANDLING_S = 300


def main() -> None:
    """Run the measurement asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    text = measure(arguments.data / FEED, arguments.pairs, arguments.seed)
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


def measure(path: Path, n_pairs: int, seed: int) -> str:
    """Return the measurement as Markdown."""
    where = conditions(["numpy"])
    feed, _ = read_feed(path, FaultCollector())
    day = busiest_date(feed)
    watch = Watch()
    timetable = read_gtfs(path, day)
    reading = watch.span()
    stop_ids = sorted({call.stop_id for trip in timetable.trips for call in trip.calls})
    sites = [_site(timetable, stop_id) for stop_id in stop_ids]
    watch.span()
    links = walking_links(timetable, sites)
    linking = watch.span()
    search = ConnectionSearch(timetable, links, dict.fromkeys(stop_ids, HANDLING_S))
    building = watch.span()
    pairs = np.random.default_rng(seed).choice(len(stop_ids), (n_pairs, 2))
    watch.span()
    found = [search.connections(stop_ids[a], stop_ids[b]) for a, b in pairs]
    searching = watch.span()
    rows = [
        (f"feed of {sum(len(trip.calls) for trip in feed.trips):,} stop times to the timetable of {day}", reading, 8.0),
        (f"{len(links):,} links on foot between {len(sites):,} sites and their stops", linking, None),
        (f"index of {sum(len(trip.calls) for trip in timetable.trips):,} calls", building, None),
        (f"Pareto-best connections between {n_pairs} pairs, up to one change", searching, 2.0),
    ]
    return _page(where, rows, found)


def busiest_date(feed: Feed) -> date:
    """Return the date with most trips."""
    trips = {service.id: sum(trip.service_id == service.id for trip in feed.trips) for service in feed.services}
    running = {day: sum(trips[s.id] for s in feed.services if s.runs_on(day)) for day in feed.service_dates}
    return max(running, key=lambda day: (running[day], day))


def _site(timetable: Timetable, stop_id: str) -> Site:
    stop = timetable.stops[stop_id]
    return Site(stop_id, stop.name, Level.VILLAGE, stop.lon, stop.lat)


def _page(where: str, rows: list[tuple[str, Span, float | None]], found: list[tuple[Connection, ...]]) -> str:
    table = "".join(
        f"| {work} | {span.wall_s:.2f} | {span.cpu_s:.2f} | {'' if bar is None else f'{bar:g}'} |\n"
        for work, span, bar in rows
    )
    joined = [connections for connections in found if connections]
    count, changes = sum(map(len, joined)), sum(one.n_transfers for pair in joined for one in pair)
    return (
        "# Timetable\n\n"
        f"Measured by `python -m benchmarks.timetable`: {where}.\n\n"
        f"| work | wall s | processor s | bar, wall s |\n|---|---|---|---|\n{table}\n"
        f"{len(joined)} of {len(found)} pairs are joined, by {count} connections, {changes} of them with a change. "
        "Sites are stops of the feed, served by all stops within 400 m on foot; goods need "
        f"{HANDLING_S} s of handling at a change beside the spans of `geodata.connections`.\n"
    )


if __name__ == "__main__":
    main()
