"""``report.json``: what the checker found, the key figures, and what each operator is owed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from routing.checker import Report
from routing.evaluation import Kpis
from routing.export.scene import Scene

REPORT_FORMAT = "shanlu-report/1"


def report_content(
    scene: Scene,
    report: Report,
    kpis: Mapping[str, object] | Kpis,
    timings_s: Mapping[str, float],
    notes: Sequence[Mapping[str, object]] = (),
) -> dict[str, Any]:
    """Return the report, JSON-ready.

    Parameters
    ----------
    kpis
        Key figures; what they have under ``owed`` stands in a part of its own.
    timings_s
        Wall-clock seconds by stage. They are the only thing here that differs between two runs with equal plans.
    notes
        What a reader of the plan should know, JSON-ready: places no road vehicle reaches, oddities of the timetable.
    """
    figures: dict[str, Any] = asdict(kpis) if isinstance(kpis, Kpis) else dict(kpis)
    owed = figures.pop("owed", {})
    document = scene.document
    return {
        "format": REPORT_FORMAT,
        "scenario": asdict(document.scenario),
        "currency": document.objective.currency,
        "check": report.to_dict(),
        "cost": {**asdict(document.objective.lines), "total": document.objective.total},
        "bound": document.bound,
        "kpis": figures,
        "owed": owed,
        "unassigned": [{"order": entry.order, "reason": entry.reason} for entry in document.unassigned],
        "rejected": [asdict(row) for row in document.rejected],
        "notes": [dict(note) for note in notes],
        "credits": list(scene.credits),
        "synthetic": list(scene.synthetic),
        "synthetic_sites": sum(place.synthetic for place in scene.places.values()),
        "synthetic_orders": sum(order.synthetic for order in scene.orders.values()),
        "timings_s": dict(timings_s),
    }


def report_to_bytes(content: Mapping[str, Any]) -> bytes:
    """Return the bytes of ``report.json``: UTF-8, indented."""
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
