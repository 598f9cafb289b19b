"""Draw the picture of docs/explanation/method.md: the demo's day with one order's way, and how its plan got cheaper.

    python -m benchmarks.method_picture [--time-limit 30] [--write docs/images/method.png]

Needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib as mpl

from routing.export.palette import CATEGORY_COLOURS
from routing.generation.county import make_demo_scenario
from routing.pipeline import PlanOptions, Status, plan_deliveries

mpl.use("Agg")

SEED = 1
SIZES = {"county": 60, "town": 30, "village": 10, "group": 3}
Feature = dict[str, Any]


def plan_demo(time_limit_s: float) -> tuple[list[Feature], list[Status]]:
    """Return the features of the demo's plan and what was reported while it was searched."""
    seen: list[Status] = []
    with tempfile.TemporaryDirectory() as temporary:
        scenario, out = Path(temporary) / "scenario", Path(temporary) / "out"
        make_demo_scenario(scenario)
        outcome = plan_deliveries(scenario, out, PlanOptions(time_limit_s, seed=SEED), seen.append)
        if not outcome.report.is_clean:
            message = "the checker found violations in the plan; nothing is drawn"
            raise SystemExit(message)
        collection = json.loads((out / "plan.geojson").read_text(encoding="utf-8"))
    return collection["features"], seen


def shown_order(movements: list[Feature]) -> str:
    """Return the order that rides the most kinds of carrier, of these the one with the longest way."""
    kinds, metres = defaultdict[str, set[str]](set), defaultdict[str, float](float)
    for movement in movements:
        for order in movement["properties"]["orders"]:
            kinds[order].add(movement["properties"]["category"])
            metres[order] += movement["properties"]["distance_m"]
    return max(kinds, key=lambda order: (len(kinds[order]), metres[order]))


def draw(features: list[Feature], seen: list[Status], path: Path) -> None:
    """Write the picture: the map on the left, the cost of the best plan over the seconds of search on the right."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    movements = [found for found in features if found["properties"]["feature"] == "movement" and found["geometry"]]
    order = shown_order(movements)
    figure, (land, curve) = plt.subplots(1, 2, figsize=(10.5, 4.8), dpi=86, width_ratios=(3, 2), layout="constrained")
    _draw_sites(land, features)
    named = set[str]()
    for movement in movements:
        _draw_movement(land, movement, order, named)
    land.set_title(f"one day, and the way of order {order}", fontsize=9)
    land.set_axis_off()
    land.set_aspect(1.1)
    for line in land.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=6).get_lines():
        line.set(linewidth=2.5, alpha=1.0)
    _draw_curve(curve, seen)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_sites(axes: Any, features: list[Feature]) -> None:
    for site in features:
        if site["properties"]["feature"] == "site":
            lon, lat, _ = site["geometry"]["coordinates"]
            size = SIZES.get(site["properties"]["level"], 3)
            axes.scatter(lon, lat, s=size, color="#b0b0b0", edgecolor="#606060", linewidth=0.4, zorder=1)


def _draw_movement(axes: Any, movement: Feature, order: str, named: set[str]) -> None:
    """Draw a way, bold where the order rides along, and name each kind of carrier once."""
    category, rides = movement["properties"]["category"], order in movement["properties"]["orders"]
    lon, lat = list(zip(*movement["geometry"]["coordinates"], strict=True))[:2]
    label = None if category in named else category
    named.add(category)
    look = {"linewidth": 3.0, "zorder": 3} if rides else {"linewidth": 0.5, "alpha": 0.55, "zorder": 2}
    axes.plot(lon, lat, color=CATEGORY_COLOURS[category], label=label, **look)


def _draw_curve(axes: Any, seen: list[Status]) -> None:
    searched = [state for state in seen if state.cost is not None and state.stage in {"construction", "improvement"}]
    costs = [state.cost / 100.0 for state in searched if state.cost is not None]
    axes.step([state.elapsed_s for state in searched], costs, where="post", color="#35307f")
    axes.set_xscale("log")
    axes.set_xlabel("seconds of search", fontsize=8)
    axes.set_title("cost of the best plan, CNY", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, linewidth=0.3)


def main() -> None:
    """Plan the demo's day and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--write", type=Path, default=Path("docs/images/method.png"))
    arguments = parser.parse_args()
    draw(*plan_demo(arguments.time_limit), arguments.write)
    print(f"wrote {arguments.write}")


if __name__ == "__main__":
    main()
