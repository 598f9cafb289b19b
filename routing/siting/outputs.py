"""Files of a siting run: GeoJSON, tables, report and map page, all made from one outcome."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from routing.siting.map_page import siting_map
from routing.siting.outcome import SiteOutcome
from routing.siting.question import FloatArray
from routing.siting.shown import Use, catchment_ways, existing_points, figures_content, uses_of
from routing.siting.study import Chosen, figures_of
from routing.siting.why import competitors


def write_siting(out: Path, outcome: SiteOutcome) -> None:
    """Write ``points.geojson``, three tables, ``report.json`` and ``map.html`` into an existing folder."""
    ways = catchment_ways(outcome)
    (out / "points.geojson").write_bytes(_json(points_features(outcome, ways)))
    (out / "points.csv").write_bytes(_csv(POINT_COLUMNS, point_rows(outcome)))
    (out / "settlements.csv").write_bytes(_csv(SETTLEMENT_COLUMNS, settlement_rows(outcome)))
    (out / "front.csv").write_bytes(_csv(FRONT_COLUMNS, front_rows(outcome)))
    (out / "report.json").write_bytes(_json(report_content(outcome)))
    (out / "map.html").write_bytes(siting_map(outcome, ways, report_content(outcome)))


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8-sig")  # the mark lets spreadsheets open Chinese names


# --- Tables --------------------------------------------------------------------------------------------------------

POINT_COLUMNS = (
    "id",
    "name",
    "lon",
    "lat",
    "state",
    "kind",
    "opening_cost",
    "capacity",
    "year",
    "people",
    "parcels",
    "mean_min",
    "bus_lines",
)
SETTLEMENT_COLUMNS = (
    "id",
    "name",
    "lon",
    "lat",
    "people",
    "elderly",
    "parcels",
    "point",
    "minutes",
    "elderly_minutes",
    "share",
    "fallback",
    "fallback_minutes",
)
FRONT_COLUMNS = (
    "opened",
    "investment",
    "mean_min",
    "elderly_mean_min",
    "worst_min",
    "farthest_min",
    "people_within_15",
    "people_beyond",
    "delivery_per_day",
    "by_siting_alone",
    "points",
)


def _uses(outcome: SiteOutcome) -> list[Use]:
    """Return (settlement, point, share, minutes) of everyone who uses an open point, by the answer."""
    return uses_of(outcome, outcome.answer.chosen[-1], outcome.answer)


def point_rows(outcome: SiteOutcome) -> list[dict[str, object]]:
    """Return one row a candidate: open or not, since which year, and whom it serves."""
    study = outcome.study
    kinds = dict(outcome.answer.chosen[-1])
    people, parcels, walked = (np.zeros(len(study.candidates)) for _ in range(3))
    for i, j, share, minutes in _uses(outcome):
        people[j] += share * study.people[i]
        parcels[j] += share * study.parcels[i]
        walked[j] += share * study.people[i] * minutes
    rows: list[dict[str, object]] = []
    for j, place in enumerate(study.candidates):
        kind = place.kinds[kinds[j]] if j in kinds else None
        state = ("kept" if j in kinds else "closed") if place.existing else ("opened" if j in kinds else "not opened")
        rows.append(
            {
                "id": place.id,
                "name": place.name,
                "lon": f"{place.lon:.7f}",
                "lat": f"{place.lat:.7f}",
                "state": state,
                "kind": kind.id if kind else "",
                "opening_cost": f"{kind.opening_cost:.0f}" if kind else "",
                "capacity": f"{kind.capacity:g}" if kind and np.isfinite(kind.capacity) else "",
                "year": _year_of(outcome, j) if kind and not place.existing else "",
                "people": round(float(people[j])),
                "parcels": round(float(parcels[j]), 1),
                "mean_min": round(float(walked[j] / people[j]), 1) if people[j] else "",
                "bus_lines": ";".join(place.bus_lines),
            }
        )
    return rows


def _year_of(outcome: SiteOutcome, site: int) -> int | str:
    if not outcome.request.aim.years:
        return ""
    return next(k + 1 for k, chosen in enumerate(outcome.answer.chosen) if site in dict(chosen))


def settlement_rows(outcome: SiteOutcome) -> list[dict[str, object]]:
    """Return one row a settlement and point it uses; those beyond reach name their fallback."""
    study = outcome.study
    fallback = {entry.settlement: entry for entry in outcome.beyond}
    uses: dict[int, list[tuple[int, float, float]]] = {}
    for i, j, share, minutes in _uses(outcome):
        uses.setdefault(i, []).append((j, share, minutes))
    rows: list[dict[str, object]] = []
    for i, place in enumerate(study.settlements):
        facts = {
            "id": place.id,
            "name": place.name,
            "lon": f"{place.lon:.7f}",
            "lat": f"{place.lat:.7f}",
            "people": round(place.people),
            "elderly": round(place.elderly),
            "parcels": round(place.parcels, 1),
        }
        for j, share, minutes in uses.get(i, ()):
            used = {"point": study.candidates[j].id, "minutes": round(minutes, 1), "share": round(share, 4)}
            rows.append({**facts, **used, "elderly_minutes": round(minutes / 0.7, 1)})
        if i not in uses:
            entry = fallback.get(i)
            minutes_by = "" if entry is None or entry.minutes is None else round(entry.minutes, 1)
            rows.append({**facts, "fallback": entry.by if entry else "no room", "fallback_minutes": minutes_by})
    return rows


def front_rows(outcome: SiteOutcome) -> list[dict[str, object]]:
    """Return one row a set of the front."""
    rows: list[dict[str, object]] = []
    for member in outcome.front.members:
        figures = member.figures
        rows.append(
            {
                "opened": figures.opened,
                "investment": round(figures.investment),
                "mean_min": round(figures.mean_min, 2),
                "elderly_mean_min": round(figures.elderly_mean_min, 2),
                "worst_min": round(figures.worst_min, 2),
                "farthest_min": round(figures.farthest_min, 2),
                "people_within_15": round(dict(figures.people_within)[15.0]),
                "people_beyond": round(figures.people_beyond),
                "delivery_per_day": round(member.delivery.money) if member.delivery else "",
                "by_siting_alone": "yes" if member.alone else "no",
                "points": " ".join(outcome.study.candidates[site].id for site, _ in member.chosen),
            }
        )
    return rows


# --- Report and GeoJSON ---------------------------------------------------------------------------------------------


def report_content(outcome: SiteOutcome) -> dict[str, Any]:
    """Return the report: question, answer with bound and proof, figures now and then, front, prices, who is beyond."""
    study, aim, answer = outcome.study, outcome.request.aim, outcome.answer
    now = existing_points(outcome)
    return {
        "scenario": outcome.scenario.name,
        "digest": outcome.scenario.digest,
        "currency": outcome.scenario.currency,
        "synthetic": list(outcome.scenario.synthetic),
        "credits": list(outcome.scenario.credits),
        "question": {key: value for key, value in asdict(aim).items() if value not in (None, (), False)},
        "profile": outcome.request.profile,
        "settlements": len(study.settlements),
        "candidates": len(study.candidates),
        "answer": {
            "measure": answer.measure,
            "value": round(answer.value, 6),
            "bound": round(answer.bound, 6),
            "proven": answer.proven,
            "gap": round(answer.gap, 6),
            "points": _named(outcome, answer.chosen[-1]),
            "years": [_named(outcome, chosen) for chosen in answer.chosen] if aim.years else [],
            "figures": figures_content(figures_of(study, aim, answer)),
        },
        "now": figures_content(figures_of(study, aim, answer, now)) if now else None,
        "front": [
            {
                "points": _named(outcome, member.chosen),
                "by_siting_alone": member.alone,
                "figures": figures_content(member.figures),
                "delivery": asdict(member.delivery) if member.delivery else None,
            }
            for member in outcome.front.members
        ],
        "sets_judged": len(outcome.front.archive),
        "prices": [asdict(price) for price in outcome.prices],
        "compete": [list(pair) for pair in competitors(outcome.prices)],
        "one_more_point": asdict(outcome.marginal) if outcome.marginal else None,
        "beyond_reach": [
            {
                "settlement": study.settlements[entry.settlement].id,
                "name": study.settlements[entry.settlement].name,
                "by": entry.by,
                "minutes": None if entry.minutes is None else round(entry.minutes, 1),
                "base": entry.base,
                "reason": entry.reason,
            }
            for entry in outcome.beyond
        ],
        "timings_s": dict(outcome.timings_s),
    }


def _named(outcome: SiteOutcome, chosen: Chosen) -> list[dict[str, str]]:
    places = outcome.study.candidates
    return [{"id": places[j].id, "name": places[j].name, "kind": places[j].kinds[k].id} for j, k in chosen]


def points_features(outcome: SiteOutcome, ways: Mapping[tuple[int, int], FloatArray]) -> dict[str, Any]:
    """Return every candidate as a point, and the foot path of every settlement to the point it uses as a line."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(str(row["lon"])), float(str(row["lat"]))]},
            "properties": {key: value for key, value in row.items() if key not in ("lon", "lat")},
        }
        for row in point_rows(outcome)
    ]
    places = outcome.study.settlements
    for i, j, share, minutes in _uses(outcome):
        way = ways.get((i, j))
        if way is not None and len(way) > 1:
            line = [[round(float(x), 6), round(float(y), 6), round(float(z), 1)] for x, y, z in way]
            facts = {"settlement": places[i].id, "point": outcome.study.candidates[j].id}
            features.append(
                {
                    "type": "Feature",
                    "geometry": {"type": "LineString", "coordinates": line},
                    "properties": {**facts, "minutes": round(minutes, 1), "share": round(share, 4)},
                }
            )
    return {"type": "FeatureCollection", "features": features}
