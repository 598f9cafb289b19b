"""Travel matrices measured: Andorra and a generated mountain network of 40,000 nodes, beside a peer in the same run.

    python -m benchmarks.matrix DATA [--peer run_matrix.py] [--write benchmarks/results/matrix.md]

DATA is the folder with ``andorra-20250118.osm.pbf`` and ``N42E001.hgt.zip``. Prints one JSON line per row and, with
--write, a table in Markdown. One thread; CPU seconds are what compares on a shared machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from benchmarks.machine import conditions
from geodata.location import LocalFrame
from geodata.matrix_bench import MatrixBench, bench_network
from geodata.osm import read_street_network
from geodata.osm_tags import HIGHWAYS
from geodata.paths import find_paths, path_geometry
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import Snap, snap
from geodata.streets import Closure, StreetNetwork, closed_edges
from geodata.terrain import read_terrain
from geodata.turns import TurnBan

POINTS = 2000
SMALL, FULL = "andorra-2013-small.osm.pbf", "andorra-20250118.osm.pbf"
JUNCTIONS, NODES = 9_000, 40_000
LOOPS_SHARE = 0.15
"""Roads beside those of a tree: valleys have few second ways."""
BANS_SHARE = 0.02
"""Share of junctions with a forbidden turn (Andorra: 91 runs at some 3,000 junctions of drivable roads)."""


def mountain_network(seed: int) -> StreetNetwork:
    """Return a generated road network of 40,000 nodes: a tree of junctions, some loops, bends between junctions."""
    rng = np.random.default_rng(seed)
    x_y = rng.normal(0.0, 1.0, (JUNCTIONS, 2)) * np.array([12_000.0, 12_000.0])
    triangles = Delaunay(x_y).simplices
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.sort(sides, axis=1), axis=0)
    length = np.hypot(*(x_y[pairs[:, 0]] - x_y[pairs[:, 1]]).T)
    cost = length * rng.uniform(1.0, 3.0, length.size)
    tree = minimum_spanning_tree(csr_matrix((cost, (pairs[:, 0], pairs[:, 1])), shape=(JUNCTIONS, JUNCTIONS))).tocoo()
    in_tree = np.isin(pairs[:, 0] * JUNCTIONS + pairs[:, 1], tree.row.astype(np.int64) * JUNCTIONS + tree.col)
    chosen = in_tree | (rng.random(length.size) < LOOPS_SHARE * JUNCTIONS / length.size)
    roads, metres = pairs[chosen], length[chosen] * rng.uniform(1.1, 1.8, int(chosen.sum()))
    bends = rng.multinomial(NODES - JUNCTIONS, metres / metres.sum())
    return _assemble(rng, x_y, roads, metres, bends)


def _assemble(
    rng: np.random.Generator, x_y: np.ndarray, roads: np.ndarray, metres: np.ndarray, bends: np.ndarray
) -> StreetNetwork:
    """Return the network of roads cut into pieces at their bends."""
    pieces = bends + 1
    road = np.repeat(np.arange(len(roads)), pieces)
    step = np.arange(road.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    first_bend = JUNCTIONS + np.cumsum(bends) - bends
    start = np.where(step == 0, roads[road, 0], first_bend[road] + step - 1)
    end = np.where(step == pieces[road] - 1, roads[road, 1], first_bend[road] + step)
    places = np.empty((NODES, 2))
    places[:JUNCTIONS] = x_y
    bend = step < pieces[road] - 1
    share = ((step + 1) / pieces[road])[bend, None]
    places[end[bend]] = (1 - share) * x_y[roads[road[bend], 0]] + share * x_y[roads[road[bend], 1]]
    lon, lat = LocalFrame(102.0, 27.0).to_degrees(places[:, 0], places[:, 1])
    classes = np.array([HIGHWAYS.index(name) for name in ("secondary", "tertiary", "unclassified")], dtype=np.uint8)
    both = np.concatenate([road, road])
    tail, head = np.concatenate([start, end]), np.concatenate([end, start])
    order = np.lexsort((both, head, tail))
    grade = rng.uniform(-0.09, 0.09, road.size)
    m = order.size
    network = StreetNetwork(
        node_id=np.arange(1, NODES + 1, dtype=np.int64),
        node_lon=lon,
        node_lat=lat,
        node_elevation_m=np.zeros(NODES),
        edge_from=tail[order],
        edge_to=head[order],
        edge_length_m=np.concatenate([metres[road] / pieces[road]] * 2)[order],
        edge_grade=np.concatenate([grade, -grade])[order],
        edge_radius_m=np.concatenate([rng.uniform(12.0, 300.0, road.size)] * 2)[order],
        edge_way_id=both[order] + 1,
        edge_highway=rng.choice(classes, len(roads))[both[order]],
        edge_surface=np.zeros(m, dtype=np.uint8),
        edge_tracktype=np.zeros(m, dtype=np.uint8),
        edge_motor=np.ones(m, dtype=np.uint8),
        edge_heavy=np.ones(m, dtype=np.uint8),
        edge_foot=np.ones(m, dtype=np.uint8),
        edge_maxspeed_kmh=np.full(m, np.nan),
        edge_max_width_m=np.full(m, np.inf),
        edge_max_height_m=np.full(m, np.inf),
        edge_max_weight_kg=np.full(m, np.inf),
        edge_bridge=np.zeros(m, dtype=np.bool_),
        edge_tunnel=np.zeros(m, dtype=np.bool_),
        edge_name=np.zeros(m, dtype=np.int64),
    )
    return _with_bans(rng, network)


def _with_bans(rng: np.random.Generator, network: StreetNetwork) -> StreetNetwork:
    """Return the network with a turn forbidden at some junctions."""
    bans = []
    for node in np.flatnonzero(rng.random(JUNCTIONS) < BANS_SHARE).tolist():
        into, out = network.edges_into(node), network.edges_out_of(node)
        if out.size > 2:
            bans.append(TurnBan(node, (int(rng.choice(into)), int(rng.choice(out)))))
    return dataclasses.replace(network, turn_bans=tuple(bans))


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of some work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def andorra_details(data: Path, seed: int) -> tuple[StreetNetwork, dict[str, object]]:
    """Return Andorra's network and what reading, customising, a landslide and 2,000 path geometries took."""
    found: list[StreetNetwork] = []
    profiles = load_profiles()

    def cold() -> None:
        terrain = read_terrain([data / "N42E001.hgt.zip"])
        found.append(read_street_network(data / FULL, terrain))
        for profile in profiles.values():
            edge_costs(found[0], profile)

    wall, cpu = measured(cold)
    network = found[0]
    open_costs = {name: edge_costs(network, profile) for name, profile in profiles.items()}
    slide = _landslide(network)
    date = datetime.now(UTC).date()

    def recustomise() -> None:
        for name, profile in profiles.items():
            closed = closed_edges(network, [slide], date, 0, 86_400, profile_id=name, on_foot=profile.is_walker)
            open_costs[name].with_closed(closed)

    again_wall, again_cpu = min(measured(recustomise) for _ in range(3))
    costs = open_costs["van_diesel"]
    usable = np.unique(network.edge_from[np.isfinite(costs.duration_s)])
    nodes = np.random.default_rng(seed).choice(usable, POINTS, replace=False).astype(np.int64)
    places = Snap(nodes, np.zeros(POINTS), np.zeros(POINTS))
    pairs = [(k, (k * 7 + 1) % POINTS) for k in range(POINTS)]

    def geometries(of: Sequence[tuple[int, int]]) -> None:
        for path in find_paths(network, costs, places, of):
            if path is not None:
                path_geometry(network, path.nodes)

    loading_wall, loading_cpu = measured(lambda: geometries(pairs[:1]))
    paths_wall, paths_cpu = measured(lambda: geometries(pairs))
    return network, {
        "cold_wall_s": round(wall, 2),
        "cold_cpu_s": round(cpu, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "profiles": len(profiles),
        "recustomise_wall_s": round(again_wall, 3),
        "recustomise_cpu_s": round(again_cpu, 3),
        "one_path_first_wall_s": round(loading_wall, 2),
        "one_path_first_cpu_s": round(loading_cpu, 2),
        "paths_2000_wall_s": round(paths_wall, 2),
        "paths_2000_cpu_s": round(paths_cpu, 2),
    }


def _landslide(network: StreetNetwork) -> Closure:
    """Return a closure of 200 m of a main road."""
    edge = int(np.flatnonzero(network.edge_highway == HIGHWAYS.index("primary"))[100])
    at = shapely.Point(network.node_lon[network.edge_from[edge]], network.node_lat[network.edge_from[edge]])
    return Closure("slide", "closed", at.buffer(0.001))


def peer_row(script: Path, extract: Path) -> tuple[dict[str, object], np.ndarray]:
    """Return the figures of ``run_matrix.py scipy-simplified``, run now, and its points (lon, lat), shape (k, 2)."""
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, str(script), "scipy-simplified", str(extract), str(POINTS), "--work", work]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        with (Path(work) / f"{extract.name}.graph.pkl").open("rb") as file:
            (lon_lat, *_), _ = pickle.load(file)
    chosen = np.random.default_rng(1).choice(len(lon_lat), POINTS, replace=False)  # as the script draws them
    return dict(json.loads(done.stdout.strip().splitlines()[-1])), lon_lat[chosen]


def same_points_row(data: Path, lon_lat: np.ndarray, reference: int) -> MatrixBench:
    """Return the figures on the 2013 extract for points given by coordinates."""
    network = read_street_network(data / SMALL, read_terrain([data / "N42E001.hgt.zip"]))
    profile = load_profiles()["van_diesel"]
    places = snap(network, edge_costs(network, profile), profile, lon_lat[:, 0], lon_lat[:, 1])
    nodes = places.node[places.node >= 0]
    return bench_network(network, SMALL, nodes.size, nodes=nodes, reference_sources=reference)


def main() -> None:
    """Measure, print and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reference", type=int, default=100)
    given = parser.parse_args()
    network, details = andorra_details(given.data, given.seed)
    rows = [
        bench_network(network, FULL, POINTS, given.seed, reference_sources=given.reference),
        bench_network(mountain_network(given.seed), "generated", POINTS, given.seed, reference_sources=given.reference),
    ]
    peer: dict[str, object] = {}
    if given.peer:
        peer, lon_lat = peer_row(given.peer, given.data / SMALL)
        rows.insert(0, same_points_row(given.data, lon_lat, given.reference))
    for row in (*(row.to_dict() for row in rows), details, peer):
        print(json.dumps(row))
    if given.write:
        given.write.write_text(markdown([row.to_dict() for row in rows], details, peer), encoding="utf-8")


def markdown(rows: list[dict[str, object]], details: dict[str, object], peer: dict[str, object]) -> str:
    """Return the results as a page."""
    lines = [
        "# Travel matrices",
        "",
        f"Measured by `benchmarks/matrix.py`: {conditions(('numpy', 'scipy', 'numba'))};",
        "one thread, other work beside it, so that CPU seconds are what compares.",
        "",
        "2000 x 2000 seconds, with metres and watt-hours along the fastest path, `van_diesel`, turn restrictions on.",
        "The query holds everything after the edge costs: turn states, contraction, hierarchy and sweep. Dijkstra is",
        "scipy's on the same graph, nothing contracted. The small extract is run on the very points of the peers.",
        "",
    ]
    head = ("network", "nodes", "edges", "forbidden turns", "part", "query CPU s", "query wall s", "unreachable")
    columns = ("area", "nodes", "edges", "turn_bans", "part_nodes", "query_cpu_s", "query_wall_s", "unreachable")
    lines += _table(
        (*head, "largest difference from Dijkstra"),
        [
            (*(row[name] for name in columns), f"{row['largest_difference_s']} s ({row['reference_sources']} sources)")
            for row in rows
        ],
    )
    published = "2026-11-21, published with the instances"
    peers: list[tuple[object, ...]] = [
        ("scipy, chain nodes contracted", SMALL, "0.61 (+ 0.4 build)", published),
        ("OSRM CH", SMALL, "1.7 (+ 1.4 build)", published),
        ("OSRM CH", "another Alpine network, 41,146 nodes", "1.9 (+ 9.2 build)", published),
    ]
    if peer:
        cost = f"{peer['query_cpu_s']} (+ {peer['build_s']} build)"
        peers.insert(0, ("scipy, chain nodes contracted", f"{SMALL}, {peer['nodes']} nodes", cost, "in this run"))
    lines += ["", "Peers, seconds only, 2000 x 2000:", ""]
    lines += _table(("engine", "network", "query CPU s", "measured"), peers)
    lines += [
        "",
        "OSRM itself could not be run here: its wheels need Python 3.12. Its figures are of another run on the same",
        "kind of machine; the two rows of scipy tell how that run and this one compare.",
        "",
    ]
    cold = f"extract and terrain to network with grades, {details['profiles']} profiles, cold"
    lines += _table(
        ("work, Andorra", "CPU s", "wall s", "bar"),
        [
            (
                f"{cold} ({details['peak_memory_mb']} MB peak)",
                details["cold_cpu_s"],
                details["cold_wall_s"],
                "20 s, 1.5 GB",
            ),
            (
                f"a landslide: closed edges found, {details['profiles']} profiles customised again",
                details["recustomise_cpu_s"],
                details["recustomise_wall_s"],
                "0.2 s",
            ),
            (
                "one path, the first of the process: loads the compiled loops",
                details["one_path_first_cpu_s"],
                details["one_path_first_wall_s"],
                "",
            ),
            ("paths and geometry of 2,000 legs", details["paths_2000_cpu_s"], details["paths_2000_wall_s"], "2 s"),
        ],
    )
    return "\n".join([*lines, ""])


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


if __name__ == "__main__":
    main()
