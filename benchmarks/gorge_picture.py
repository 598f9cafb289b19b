"""Draw the picture of docs/explanation/mountain-times.md: one leg of the demo county, and what its time is made of.

    python benchmarks/gorge_picture.py [--write docs/images/gorge-leg.png]

Prints the explanation of the leg, from which the page's figures are taken. Needs matplotlib.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from geodata.leg_explanation import CAUSES, LegExplanation, explain_leg, leg_text
from geodata.location import FloatArray, LocalFrame
from geodata.osm import read_street_network
from geodata.paths import fastest_edges
from geodata.profiles import EdgeCosts, edge_costs, edge_factors, load_profiles
from geodata.street_matrix import compute_matrix, snap
from geodata.streets import StreetNetwork
from geodata.synthetic import make_county
from geodata.synthetic_extract import county_extract
from geodata.synthetic_osm import write_pbf
from geodata.terrain import Terrain
from routing.generation.county import DEMO, DEMO_SEED

mpl.use("Agg")

PROFILE = "van_diesel"
WANTED_M = (9_000, 11_000)
"""The page is about ten kilometres of road."""


@dataclass(frozen=True)
class Gorge:
    """The county's land and the leg chosen."""

    terrain: Terrain
    network: StreetNetwork
    costs: EdgeCosts
    leg: LegExplanation


def find_gorge() -> Gorge:
    """Return the leg from the demo county's places that goes farthest round, of about ten kilometres."""
    county = make_county(DEMO.spec, DEMO_SEED)
    terrain = county.terrain()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "county.osm.pbf"
        write_pbf(path, county_extract(county))
        network = read_street_network(path, terrain)
    profile = load_profiles()[PROFILE]
    costs = edge_costs(network, profile)
    lon, lat = county.lon_lat.T
    places = snap(network, costs, profile, lon, lat)
    matrix = compute_matrix(network, costs, PROFILE, [str(k) for k in range(lon.size)], places)
    length = matrix.distance_m.astype(np.float64)
    x, y = LocalFrame(float(lon.mean()), float(lat.mean())).to_metres(lon, lat)
    straight = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    suitable = matrix.reachable & (length > WANTED_M[0]) & (length < WANTED_M[1]) & (straight > 1_500.0)
    walk_s = np.nan_to_num(places.access_s, nan=1e9)
    suitable &= walk_s[:, None] + walk_s[None, :] < 60.0
    start, end = np.unravel_index(np.where(suitable, length / np.maximum(straight, 1.0), 0.0).argmax(), length.shape)
    leg = explain_leg(network, profile, costs, places, int(start), int(end))
    assert isinstance(leg, LegExplanation)
    return Gorge(terrain, network, costs, leg)


def draw(gorge: Gorge, path: Path) -> None:
    """Write the picture: plan, height along the road, and the parts of the time."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    edges = fastest_edges(gorge.network, gorge.costs, gorge.leg.nodes)
    speed = edge_factors(gorge.network, load_profiles()[PROFILE]).speed_kmh[edges]
    figure = plt.figure(figsize=(10, 5.2), dpi=86, layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1.0, 1.25])
    plan = figure.add_subplot(grid[:, 0])
    colours = mpl.colormaps["viridis"], mpl.colors.Normalize(5.0, 35.0)
    _draw_plan(plan, gorge, edges, speed, colours)
    _draw_heights(figure.add_subplot(grid[0, 1]), gorge.network, edges, speed, colours)
    _draw_parts(figure.add_subplot(grid[1, 1]), gorge.leg)
    mappable = mpl.cm.ScalarMappable(colours[1], colours[0])
    figure.colorbar(mappable, ax=plan, orientation="horizontal", shrink=0.8, label="speed, km/h")
    figure.savefig(path, metadata={"Software": None})


def _draw_plan(axes: Any, gorge: Gorge, edges: Any, speed: FloatArray, colours: tuple[Any, Any]) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    network, terrain = gorge.network, gorge.terrain
    ends = np.stack([network.node_xy_m[network.edge_from[edges]], network.node_xy_m[network.edge_to[edges]]], axis=1)
    low, high = ends.min(axis=(0, 1)) - 900.0, ends.max(axis=(0, 1)) + 900.0
    x, y = np.arange(low[0], high[0], 30.0), np.arange(low[1], high[1], 30.0)
    lon, lat = network.frame.to_degrees(*(values.ravel() for values in np.meshgrid(x, y)))
    height = np.asarray(terrain.elevation_m(lon, lat)).reshape(y.size, x.size)
    shade = mpl.colors.LightSource(315, 45).hillshade(height, vert_exag=1.5, dx=30.0, dy=30.0)
    extent = (0.0, (x[-1] - x[0]) / 1000, 0.0, (y[-1] - y[0]) / 1000)
    axes.imshow(shade, cmap="gray", origin="lower", extent=extent, vmin=-0.4, vmax=1.1, interpolation="bilinear")
    columns, rows = np.linspace(0.0, extent[1], x.size), np.linspace(0.0, extent[3], y.size)
    axes.contour(columns, rows, height, 12, colors="#6b5b3e", linewidths=0.4)
    lines = LineCollection((ends - low) / 1000, cmap=colours[0], norm=colours[1], linewidths=3.0)
    lines.set_array(speed)
    axes.add_collection(lines)
    first, last = (ends[0, 0] - low) / 1000, (ends[-1, 1] - low) / 1000
    axes.plot(*np.column_stack([first, last]), "k--", lw=1.0)
    axes.plot(*first, "wo", mec="k"), axes.plot(*last, "ws", mec="k")
    axes.set(title="From circle to square", xlabel="km", ylabel="km")


def _draw_heights(axes: Any, network: StreetNetwork, edges: Any, speed: FloatArray, colours: tuple[Any, Any]) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    along = np.concatenate([[0.0], np.cumsum(network.edge_length_m[edges])]) / 1000
    nodes = np.concatenate([network.edge_from[edges[:1]], network.edge_to[edges]])
    points = np.column_stack([along, network.node_elevation_m[nodes]])
    pieces: Any = np.stack([points[:-1], points[1:]], axis=1)
    lines = LineCollection(pieces, cmap=colours[0], norm=colours[1], linewidths=3.0)
    lines.set_array(speed)
    axes.add_collection(lines)
    axes.autoscale()
    axes.set(title="Height along the road", xlabel="km driven", ylabel="m above sea level")
    axes.grid(alpha=0.3)


def _draw_parts(axes: Any, leg: LegExplanation) -> None:
    parts = {"straight at 45 km/h": leg.straight_m / 12.5, "free speed": leg.free_s, **leg.added_s}
    left = 0.0
    for row, seconds in enumerate(parts.values()):
        begin = 0.0 if row < 2 else left
        colour = ("#bbbbbb", "#3b7dd8", "#d8663b")[min(row, 2)]
        axes.barh(row, seconds / 60, left=begin / 60, color=colour)
        axes.text((begin + seconds) / 60 + 0.15, row, f"{seconds / 60:.1f}", va="center")
        left = begin + seconds
    axes.set_yticks(range(len(parts)), [name if name not in CAUSES else f"+ {name}" for name in parts])
    axes.invert_yaxis()
    axes.set(title=f"What {leg.duration_s / 60:.0f} minutes are made of", xlabel="minutes")
    axes.margins(x=0.12)


def main() -> None:
    """Choose the leg, print it, draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, default=Path("docs/images/gorge-leg.png"))
    given = parser.parse_args()
    gorge = find_gorge()
    print(leg_text(gorge.leg))
    draw(gorge, given.write)


if __name__ == "__main__":
    main()
