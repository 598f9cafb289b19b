"""Examples of all the interface takes and gives, put into the OpenAPI document; the tests hold them to its schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

Part = dict[str, Any]
_VROOM_PATHS = ("/", "/optimization")
_FORM = "multipart/form-data"


def add_examples(document: Part) -> None:
    """Give every parameter, body and answer of an OpenAPI document that has no example one."""
    known = json.loads(files("api").joinpath("data", "examples.json").read_text(encoding="utf-8"))
    for path, operation, method in _operations(document):
        for parameter in operation.get("parameters", []):
            parameter.setdefault("example", known["parameters"][parameter["name"].lower()])
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if not has_example(content, document):
                content["example"] = known["forms"][path] if media_type == _FORM else _of(content, media_type, known)
        told = known["vroom"] if method == "post" and path in _VROOM_PATHS else {}
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                if not has_example(content, document):
                    content["example"] = told[status] if status in told else _of(content, media_type, known)


def _operations(document: Part) -> Iterator[tuple[str, Part, str]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, operation, method


def has_example(content: Mapping[str, Any], document: Part) -> bool:
    """Return whether a body's or an answer's content has an example, or the schema it names has."""
    name = _schema_name(content.get("schema", {}))
    schema = document["components"]["schemas"].get(name, {})
    return any(key in part for part in (content, schema) for key in ("example", "examples"))


def _of(content: Mapping[str, Any], media_type: str, known: Part) -> Any:
    schema = content.get("schema", {})
    names = [_schema_name(part) for part in (schema, *schema.get("anyOf", []))]
    return next((known["schemas"][name] for name in names if name in known["schemas"]), known["media"].get(media_type))


def _schema_name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
