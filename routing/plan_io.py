"""Reading and writing ``plan.json``; the published schema is generated from the same types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from geodata.errors import PlanReadError
from routing.model.plan import (
    PLAN_FORMAT,
    CarrierKind,
    Leg,
    Plan,
    PlanDocument,
    Route,
)

_ADAPTER: TypeAdapter[PlanDocument] = TypeAdapter(PlanDocument)


def plan_to_bytes(document: PlanDocument) -> bytes:
    """Return the bytes of ``plan.json``: UTF-8, two-space indent, keys in the order of the types."""
    data = _ADAPTER.dump_python(document, mode="json")
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def read_plan(path: Path) -> PlanDocument:
    """Read a plan file.

    Raises
    ------
    PlanReadError
        If the file is missing, is not JSON, or is not of the plan format; the message names each wrong field.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path.name}: cannot be read: {error.strerror}"
        raise PlanReadError(msg) from error
    try:
        document = _ADAPTER.validate_json(raw, strict=True)
    except ValidationError as error:
        lines = [
            f"{path.name}: {'.'.join(str(part) for part in fault['loc']) or 'document'}: {fault['msg']}"
            for fault in error.errors()[:20]
        ]
        raise PlanReadError("\n".join(lines)) from error
    if document.format != PLAN_FORMAT:
        msg = f"{path.name}: format is {document.format!r}, expected {PLAN_FORMAT!r}"
        raise PlanReadError(msg)
    return document


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``plan.json``."""
    return _ADAPTER.json_schema()


def derive_legs(plan: Plan) -> dict[str, tuple[Leg, ...]]:
    """Return the legs of every order that rides, in order of time.

    Raises
    ------
    ValueError
        If an order is unloaded where it was not loaded, or never unloaded: such a plan is malformed.
    """
    legs: dict[str, list[Leg]] = {}
    for route in plan.routes:
        for leg in _legs_of_route(route):
            legs.setdefault(leg.order, []).append(leg)
    return {
        order: tuple(sorted(found, key=lambda leg: (leg.departure_s, leg.arrival_s))) for order, found in legs.items()
    }


def _legs_of_route(route: Route) -> list[Leg]:
    aboard: dict[str, tuple[int, str, str | None]] = {}
    legs: list[Leg] = []
    kind: CarrierKind = route.kind
    for position, stop in enumerate(route.stops):
        for handover in stop.unload:
            if handover.order not in aboard:
                msg = f"route {route.id}: order {handover.order} unloaded at {stop.place} but not aboard"
                raise ValueError(msg)
            start, compartment, box = aboard.pop(handover.order)
            origin = route.stops[start]
            legs.append(
                Leg(
                    order=handover.order,
                    route=route.id,
                    kind=kind,
                    from_place=origin.place,
                    to_place=stop.place,
                    load_start_s=origin.service_start_s,
                    departure_s=origin.departure_s,
                    arrival_s=stop.arrival_s,
                    unload_end_s=stop.service_end_s,
                    compartment=compartment,
                    box=box,
                )
            )
        for handover in stop.load:
            aboard[handover.order] = (position, handover.compartment, handover.box)
    if aboard:
        msg = f"route {route.id}: orders {sorted(aboard)} are never unloaded"
        raise ValueError(msg)
    return legs
