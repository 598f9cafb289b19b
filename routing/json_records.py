"""Reading lists of records from JSON and GeoJSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geodata.errors import Fault, FaultCollector
from routing.fault_codes import FaultCode
from routing.records import RecordType, Row, Where, unknown_keys
from routing.text_files import decode_text

_TWICE = "\0twice"
"""Key under which an object remembers which of its keys came twice; no JSON text of ours has such a key."""


def read_json(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> tuple[Row, ...] | None:
    """Return the records of a list, or of an object that holds one under the record's name; None with a fault."""
    document = _parse(data, where, collector)
    if document is None:
        return None
    records = document.value.get(record.name) if isinstance(document.value, dict) else document.value
    if not isinstance(records, list):
        reason = "the document is neither a list of records nor an object with one"
        remedy = f'Write [{{...}}, ...] or {{"{record.name}": [{{...}}, ...]}}.'
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, reason, remedy))
        return None
    return tuple(_row(values, Where(where.file, number), record) for number, values in enumerate(records, start=1))


def read_geojson(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> tuple[Row, ...] | None:
    """Return the points of a feature collection as records with ``lon`` and ``lat``; None with a fault."""
    document = _parse(data, where, collector)
    if document is None:
        return None
    features = document.value.get("features") if isinstance(document.value, dict) else None
    if not isinstance(features, list):
        reason, remedy = "the document is not a feature collection", "Give a GeoJSON FeatureCollection of points."
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, reason, remedy))
        return None
    return tuple(_feature(values, Where(where.file, number), record) for number, values in enumerate(features, start=1))


@dataclass(frozen=True)
class _Document:
    value: Any


def _parse(data: bytes, where: Where, collector: FaultCollector) -> _Document | None:
    text = decode_text(data, where, collector)
    if text is None:
        return None
    line = None
    try:
        return _Document(json.loads(text, object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        reason, line = f"the file is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}", error.lineno
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        reason = f"the file is not usable JSON: {error}"
    collector.add(Where(where.file, line).fault(FaultCode.BROKEN_FILE, None, None, reason, "Mend the syntax there."))
    return None


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    return dict(pairs) | ({_TWICE: twice} if twice else {})


def _row(values: object, where: Where, record: RecordType) -> Row:
    number = where.row or 0
    if not isinstance(values, dict):
        remedy = f'Write an object such as {{"{record.required[0]}": ...}}.'
        fault = where.fault(FaultCode.WRONG_TYPE, None, values, "the record is not an object", remedy)
        return Row(number, {}, (fault,))
    own = {name: value for name, value in values.items() if name != _TWICE}
    return Row(number, own, (*_twice(values, where), *unknown_keys(record, own, where)))


def _twice(values: Mapping[str, Any], where: Where) -> list[Fault]:
    return [
        where.fault(FaultCode.DUPLICATE_KEY, name, None, f"the key '{name}' appears twice", "Keep one of them.")
        for name in values.get(_TWICE, ())
    ]


def _feature(feature: object, where: Where, record: RecordType) -> Row:
    parts = feature if isinstance(feature, dict) else {}
    properties = parts.get("properties")
    values = dict(properties) if isinstance(properties, dict) else {}
    if "id" in parts:
        values.setdefault("id", parts["id"])
    point = _point(parts.get("geometry"))
    if point is None:
        remedy = "Give a geometry of type Point with [lon, lat]."
        fault = where.fault(FaultCode.WRONG_GEOMETRY, "geometry", None, "the feature is not a point", remedy)
        return Row(where.row or 0, {}, (fault,))
    return _row(values | {"lon": point[0], "lat": point[1]}, where, record)


def _point(geometry: object) -> Sequence[object] | None:
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return None
    coordinates = geometry.get("coordinates")
    return coordinates if isinstance(coordinates, list) and len(coordinates) >= 2 else None
