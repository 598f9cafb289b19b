"""The siting map: one file with the front as a slider, catchments along real foot paths; it needs no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from geodata.area import Area
from geodata.osm_tags import HIGHWAYS
from routing.export.map_page import filled_page, map_folder
from routing.export.map_roads import encoded_roads, road_lines
from routing.export.polyline import encode_line, simplified
from routing.export.relief import mercator_grid, shaded_relief
from routing.siting.outcome import SiteOutcome
from routing.siting.question import FloatArray
from routing.siting.shown import existing_points, figures_content, shown_members, uses_of
from routing.siting.study import Answer, Chosen
from routing.siting.survey import Candidate, Settlement

WAY_TOLERANCE_M = 6.0
RELIEF_PX = 900
MARGIN_DEG = 0.04


def siting_map(outcome: SiteOutcome, ways: Mapping[tuple[int, int], FloatArray], report: Mapping[str, Any]) -> bytes:
    """Return the page; `ways` are foot paths by (settlement, candidate), `report` the content of ``report.json``."""
    folder = files("routing.siting") / "data" / "map"
    shared = (map_folder() / "page.js").read_text(encoding="utf-8")
    return filled_page(
        (folder / "siting.html").read_text(encoding="utf-8"),
        title=outcome.scenario.name,
        lang=outcome.request.lang,
        style=(folder / "siting.css").read_text(encoding="utf-8"),
        script=f"{shared}\n{(folder / 'siting.js').read_text(encoding='utf-8')}",
        content={
            "lang": outcome.request.lang,
            "labels": json.loads((folder / "labels.json").read_text(encoding="utf-8")),
            **map_content(outcome, ways, report),
        },
    )


def map_content(
    outcome: SiteOutcome, ways: Mapping[tuple[int, int], FloatArray], report: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data the page draws."""
    study = outcome.study
    now = existing_points(outcome)
    steps = [
        {
            **_use(outcome, member.chosen, member.answer),
            "points": [list(point) for point in member.chosen],
            "figures": figures_content(member.figures),
            "delivery": round(member.delivery.money) if member.delivery else None,
            "alone": member.alone,
            "answer": member.chosen == outcome.answer.chosen[-1],
        }
        for member in shown_members(outcome)
    ]
    return {
        "report": {key: report[key] for key in report if key not in ("front", "timings_s")},
        "settlements": [
            {"name": place.name, "at": _at(place.lon, place.lat), "people": round(place.people)}
            for place in study.settlements
        ],
        "candidates": [
            {
                "id": place.id,
                "name": place.name,
                "at": _at(place.lon, place.lat),
                "existing": place.existing,
                "kinds": [kind.name for kind in place.kinds],
            }
            for place in study.candidates
        ],
        "steps": steps,
        "now": {**_use(outcome, now, None), "points": [list(point) for point in now]} if now else None,
        "ways": {f"{i}-{j}": encode_line(simplified(way, WAY_TOLERANCE_M)) for (i, j), way in ways.items()},
        "reach": outcome.request.aim.reach_min,
        "roads": _roads(outcome.area),
        "relief": _relief(outcome),
    }


def _at(lon: float, lat: float) -> list[float]:
    return [round(lon, 6), round(lat, 6)]


def _use(outcome: SiteOutcome, chosen: Chosen, answer: Answer | None) -> dict[str, Any]:
    """Return who uses which point with which share, and the mean minutes of each settlement (None: no point)."""
    uses = uses_of(outcome, chosen, answer)
    share, walked = np.zeros(len(outcome.study.settlements)), np.zeros(len(outcome.study.settlements))
    for i, _, part, minutes in uses:
        share[i] += part
        walked[i] += part * minutes
    return {
        "uses": [[i, j, round(part, 3)] for i, j, part, _ in uses],
        "minutes": [
            round(float(sum_min / part), 1) if part > 0.0 else None for part, sum_min in zip(share, walked, strict=True)
        ],
    }


def _roads(area: Area) -> dict[str, list[str]]:
    streets = area.streets
    names = np.asarray(HIGHWAYS)[streets.edge_highway]
    return encoded_roads(road_lines(names, streets.edge_from, streets.edge_to, streets.node_lon, streets.node_lat))


def _relief(outcome: SiteOutcome) -> dict[str, Any] | None:
    places: list[Settlement | Candidate] = [*outcome.study.settlements, *outcome.study.candidates]
    lon, lat = np.array([place.lon for place in places]), np.array([place.lat for place in places])
    edges = outcome.area.terrain.bounds
    west, south = max(lon.min() - MARGIN_DEG, edges[0]), max(lat.min() - MARGIN_DEG, edges[1])
    east, north = min(lon.max() + MARGIN_DEG, edges[2]), min(lat.max() + MARGIN_DEG, edges[3])
    if west >= east or south >= north:
        return None
    grid_lon, grid_lat = mercator_grid(float(west), float(south), float(east), float(north), RELIEF_PX)
    heights = outcome.area.terrain.elevation_m(grid_lon.ravel(), grid_lat.ravel()).reshape(grid_lon.shape)
    relief = shaded_relief(heights, float(west), float(south), float(east), float(north))
    picture = "data:image/png;base64," + base64.b64encode(relief.png).decode()
    return {"picture": picture, "box": [relief.west, relief.south, relief.east, relief.north]}
