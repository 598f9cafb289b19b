"""Drone flights between all pairs of many places: legal paths, and their costs by hour and payload class.

    python -m benchmarks.flights DATA [--places N] [--type L] [--seed S] [--write benchmarks/results/flights.md]

DATA is the folder with ``andorra/andorra-20250118.osm.pbf`` and ``andorra/N42E001.hgt.zip``. Places are spread evenly
over a box that holds Andorra; airspace is what the map shows; weather is the synthetic windy afternoon.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.machine import Span, Watch, conditions
from geodata.flight import (
    FlightPath,
    FlightRefusal,
    costs_of_paths,
    find_flight_paths,
    load_drone_types,
    usable_wh,
)
from geodata.location import LocalFrame
from geodata.matrix import UNREACHABLE_S
from geodata.osm_features import read_osm_features
from geodata.terrain import read_terrain
from routing.generation.airspace_osm import airspace_from_areas
from routing.generation.weather import windy_afternoon

WEST, SOUTH, EAST, NORTH = 1.42, 42.44, 1.77, 42.65
AROUND = 0.03
"""Degrees of terrain read around the places, for ways round zones."""
DAY = date(2026, 11, 3)
N_HOURS = 24


def main() -> None:
    """Run the measurement asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--type", default="L")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    text = measure(arguments.data / "andorra", arguments.places, arguments.type, arguments.seed)
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


def measure(data: Path, n_places: int, type_id: str, seed: int) -> str:
    """Return the measurement as Markdown."""
    where = conditions(["numpy", "scipy", "shapely"])
    frame = LocalFrame((WEST + EAST) / 2, (SOUTH + NORTH) / 2)
    drone, weather = load_drone_types()[type_id], windy_afternoon(1_000.0, 1)
    areas = read_osm_features(data / "andorra-20250118.osm.pbf").areas
    watch = Watch()
    terrain = read_terrain([data / "N42E001.hgt.zip"], (WEST - AROUND, SOUTH - AROUND, EAST + AROUND, NORTH + AROUND))
    reading = watch.span()
    airspace, notes = airspace_from_areas(areas, frame)
    places = np.random.default_rng(seed).uniform((WEST, SOUTH), (EAST, NORTH), (n_places, 2))
    start, end = np.nonzero(~np.eye(n_places, dtype=np.bool_))
    watch.span()
    found = find_flight_paths(terrain, airspace, frame, places[start], places[end], drone, DAY)
    finding = watch.span()
    paths = [path for path in found if isinstance(path, FlightPath)]
    payload_kg = np.linspace(0.0, drone.payload_kg, 3)
    watch.span()
    duration_s, energy_wh = costs_of_paths(paths, drone, weather, payload_kg, N_HOURS, winch=True)
    pricing = watch.span()
    both = Span(finding.wall_s + pricing.wall_s, finding.cpu_s + pricing.cpu_s)
    rows = [
        ("terrain read", reading, ""),
        (f"paths of {len(found):,} legs, each legal over terrain and round {len(airspace.zones)} zones", finding, ""),
        (f"seconds and Wh of {len(paths):,} paths, {N_HOURS} hours, {len(payload_kg)} payload classes", pricing, ""),
        ("paths and costs together", both, "10"),
    ]
    table = "".join(f"| {work} | {span.wall_s:.2f} | {span.cpu_s:.2f} | {bar} |\n" for work, span, bar in rows)
    refusals = Counter(path.rule for path in found if isinstance(path, FlightRefusal))
    refused = ", ".join(f"{count} for {rule}" for rule, count in sorted(refusals.items())) or "none"
    open_hours = duration_s < UNREACHABLE_S
    in_reach = open_hours[:, :, np.newaxis] & (energy_wh <= usable_wh(drone))
    return (
        "# Flights\n\n"
        f"Measured by `python -m benchmarks.flights`: {where}.\n\n"
        f"| work | wall s | processor s | bar, wall s |\n|---|---|---|---|\n{table}\n"
        f"{n_places} places over Andorra, type {drone.id}; {notes[0]} Paths are "
        f"{np.mean([path.distance_m for path in paths]) / 1000:.1f} km long on average with "
        f"{np.mean([len(path.line) for path in paths]):.0f} vertices; legs refused: {refused}. "
        f"Weather leaves {open_hours.any(axis=0).sum()} of {N_HOURS} hours to fly in; in those, one battery covers "
        + ", ".join(
            f"{in_reach[:, :, k].sum() / max(1, open_hours.sum()):.0%} of the flights with {kg:.0f} kg"
            for k, kg in enumerate(payload_kg)
        )
        + ". Compiled loops are read from their cache; the first run on a machine compiles them for some seconds.\n"
    )


if __name__ == "__main__":
    main()
