"""JSON Schemas of the input files and of the plan, and the tables of the documentation, made from the code.

``python -m routing.schemas docs/reference`` rewrites the schemas and the generated blocks of ``formats.md`` and
``errors.md`` there; a test keeps the committed files equal to what this module makes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from geodata.weather import WEATHER_COLUMNS, WeatherColumn
from routing.fault_codes import FaultCode
from routing.fleet import COMPARTMENT_RECORD, DRONE_RECORD, FLEET_RECORD, STAND_RECORD, VEHICLE_RECORD
from routing.order_import import ORDER_RECORD
from routing.plan_io import plan_schema
from routing.products import BOX_RECORD, CLASS_RECORD, PRODUCTS_RECORD, STORE_RECORD
from routing.records import Field, RecordType
from routing.scenario import COSTS_RECORD, FILES_RECORD, OBJECTIVE_RECORD, SCENARIO_RECORD, SOLVER_RECORD
from routing.sites import SITE_RECORD

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_CLOCK_PATTERN: Final = r"^\d{1,3}:[0-5]\d(:[0-5]\d)?$"
_BLOCK: Final = re.compile(r"(<!-- generated: (?P<name>[\w.]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)

DOCUMENTED_RECORDS: Final = (
    SCENARIO_RECORD,
    FILES_RECORD,
    COSTS_RECORD,
    SOLVER_RECORD,
    OBJECTIVE_RECORD,
    SITE_RECORD,
    ORDER_RECORD,
    VEHICLE_RECORD,
    COMPARTMENT_RECORD,
    DRONE_RECORD,
    STAND_RECORD,
    CLASS_RECORD,
    BOX_RECORD,
    STORE_RECORD,
)
"""Record types that have a table in ``formats.md``."""


def json_schemas() -> dict[str, Schema]:
    """Return the JSON Schema of each kind of file by name; tables as the list of their rows."""
    return {
        "scenario": _document(
            SCENARIO_RECORD,
            files=FILES_RECORD,
            costs=COSTS_RECORD,
            solver=SOLVER_RECORD,
            objective=OBJECTIVE_RECORD,
        ),
        "sites": _rows(SITE_RECORD),
        "orders": _rows(ORDER_RECORD),
        "fleet": _fleet_schema(),
        "products": _products_schema(),
        "weather": {
            "$schema": _DIALECT,
            "title": "weather",
            "description": "weather.csv, one hour a row",
            "type": "array",
            "items": {
                "type": "object",
                "properties": {column.name: _weather_schema(column) for column in WEATHER_COLUMNS},
                "required": [column.name for column in WEATHER_COLUMNS if column.required],
                "additionalProperties": False,
            },
        },
        "plan": {"$schema": _DIALECT, **plan_schema()},
    }


def record_schema(record: RecordType, **tables: Schema) -> Schema:
    """Return the JSON Schema of one record; `tables` are the schemas of its fields of kind ``table``."""
    return {
        "title": record.name,
        "description": record.text,
        "type": "object",
        "properties": {
            field.name: tables[field.name] if field.kind == "table" else field_schema(field) for field in record.fields
        },
        "required": list(record.required),
        "additionalProperties": False,
    }


def field_schema(field: Field) -> Schema:
    """Return the JSON Schema of one field."""
    schema = {"description": f"{field.text} ({field.unit})" if field.unit else field.text, **_KINDS[field.kind](field)}
    if field.default is not None:
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return schema


def _numeric(field: Field) -> Schema:
    schema: Schema = {"type": "integer" if field.kind == "integer" else "number"}
    if field.low is not None:
        schema["exclusiveMinimum" if field.above_low else "minimum"] = field.low
    if field.high is not None:
        schema["maximum"] = field.high
    return schema


def _seconds(field: Field) -> Schema:
    whole: Schema = {"type": "integer", "minimum": field.low, "maximum": field.high}
    return {"anyOf": [whole, {"type": "string", "pattern": _CLOCK_PATTERN}]}


def _span(field: Field) -> Schema:
    return {"type": "array", "items": _seconds(field), "minItems": 2, "maxItems": 2}


_KINDS: Final[Mapping[str, Callable[[Field], Schema]]] = {
    "number": _numeric,
    "integer": _numeric,
    "coordinate": _numeric,
    "seconds": _seconds,
    "text": lambda _: {"type": "string"},
    "choice": lambda field: {"enum": list(field.choices)},
    "flag": lambda _: {"type": "boolean"},
    "texts": lambda _: {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
    "span": _span,
    "spans": lambda field: {"type": "array", "items": _span(field)},
    "date": lambda _: {"type": "string", "format": "date"},
}


def _weather_schema(column: WeatherColumn) -> Schema:
    schema: Schema = {"description": column.unit, "type": "integer" if column.name == "hour" else "number"}
    schema |= {"minimum": column.low, "maximum": column.high}
    return schema if column.default is None else {**schema, "default": column.default}


def _rows(record: RecordType) -> Schema:
    return {"$schema": _DIALECT, "title": record.name, "type": "array", "items": record_schema(record)}


def _document(record: RecordType, **tables: RecordType) -> Schema:
    return {"$schema": _DIALECT, **record_schema(record, **{key: record_schema(t) for key, t in tables.items()})}


def _fleet_schema() -> Schema:
    compartments = {"type": "array", "items": record_schema(COMPARTMENT_RECORD), "minItems": 1}
    records = {
        "vehicle": _or_preset(record_schema(VEHICLE_RECORD, compartments=compartments)),
        "drone": _or_preset(record_schema(DRONE_RECORD)),
        "stand": record_schema(STAND_RECORD),
    }
    lists = {key: {"type": "array", "items": schema} for key, schema in records.items()}
    return {"$schema": _DIALECT, **record_schema(FLEET_RECORD, **lists)}


def _or_preset(schema: Schema) -> Schema:
    """Return the schema with its requirements replaced by a preset where one is named."""
    required = schema.pop("required")
    return {**schema, "required": ["id"], "anyOf": [{"required": ["preset"]}, {"required": required}]}


def _products_schema() -> Schema:
    parts = {"class": CLASS_RECORD, "box": BOX_RECORD}
    tables: dict[str, Schema] = {
        key: {"type": "object", "additionalProperties": record_schema(record.without_requirements())}
        for key, record in parts.items()
    }
    return {"$schema": _DIALECT, **record_schema(PRODUCTS_RECORD, **tables, store_c=record_schema(STORE_RECORD))}


# --- Tables of the documentation -------------------------------------------------------------------------------------


def markdown_blocks() -> dict[str, str]:
    """Return the generated blocks of the documentation by name."""
    blocks = {record.name: _record_table(record) for record in DOCUMENTED_RECORDS}
    blocks["weather"] = _table(
        ("column", "unit", "default"),
        [
            (f"**{column.name}**" if column.required else column.name, column.unit, _shown_default(column.default))
            for column in WEATHER_COLUMNS
        ],
    )
    blocks["fault_codes"] = _table(
        ("code", "meaning", "what to do", "example"),
        [(f"`{code}`", code.text, code.remedy, code.example) for code in FaultCode],
    )
    return blocks


def _record_table(record: RecordType) -> str:
    rows = [
        (
            f"**{field.name}**" if field.required else field.name,
            field.text,
            "a table or list of tables, below" if field.kind == "table" else field.accepts,
            "" if field.required else _shown_default(field.default),
        )
        for field in record.fields
    ]
    return _table(("name", "meaning", "accepts", "default"), rows)


def _shown_default(default: object) -> str:
    if default is None or default in ((), ""):
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:,.10g}" if isinstance(default, float) else str(default)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def fill_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Return Markdown text with the content of every generated block replaced.

    Raises
    ------
    KeyError
        If the text has a block that is not made here.
    """
    return _BLOCK.sub(lambda found: found[1] + blocks[found["name"]] + found[3], text)


def reference_files(folder: Path) -> dict[Path, str]:
    """Return what the files of the reference folder should hold; the Markdown files there are the templates."""
    schemas = {
        folder / "schemas" / f"{name}.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in json_schemas().items()
    }
    blocks = markdown_blocks()
    pages = [folder / "formats.md", folder / "errors.md"]
    return schemas | {page: fill_blocks(page.read_text(encoding="utf-8"), blocks) for page in pages}


def write_reference(folder: Path) -> None:
    """Bring the schemas and the generated blocks of the reference folder up to date."""
    for path, text in reference_files(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
