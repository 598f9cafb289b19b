"""The OpenAPI document: everything has an example, and each example is of its schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from api_world import close_world, open_world

from api.examples import has_example

Part = dict[str, Any]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """Return the document of a service."""
    world = open_world(tmp_path_factory.mktemp("data"), Path())
    found: Part = world.client.get("/openapi.json").json()
    close_world(world)
    return found


def operations(document: Part) -> Iterator[tuple[str, Part]]:
    """Yield each operation with its name."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(operation: Part) -> Iterator[tuple[str, Part]]:
    """Yield what bodies and answers hold, by place and media type."""
    parts = {"body": operation.get("requestBody", {}), **operation["responses"]}
    for place, part in parts.items():
        for media_type, content in part.get("content", {}).items():
            yield f"{place} {media_type}", content


def test_everything_has_an_example(document: Part) -> None:
    """Tests that no parameter, body or answer of any operation is without an example."""
    bare = [
        f"{name}: {place}"
        for name, operation in operations(document)
        for place, content in contents(operation)
        if not has_example(content, document)
    ]
    bare += [
        f"{name}: {parameter['name']}"
        for name, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if "example" not in parameter
    ]
    assert bare == []


def test_examples_are_of_their_schemas(document: Part) -> None:
    """Tests that each example could be sent or answered as the schema beside it says."""
    faults = []
    for name, operation in operations(document):
        for place, content in contents(operation):
            examples = [case["value"] for case in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            schema = {**content.get("schema", {}), "components": document["components"]}
            validator = jsonschema.Draft202012Validator(schema)
            faults += [
                f"{name}: {place}: {error.message}" for example in examples for error in validator.iter_errors(example)
            ]
        for parameter in operation.get("parameters", []):
            schema = {**parameter["schema"], "components": document["components"]}
            errors = jsonschema.Draft202012Validator(schema).iter_errors(parameter["example"])
            faults += [f"{name}: {parameter['name']}: {error.message}" for error in errors]
    for name, schema in document["components"]["schemas"].items():
        validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
        for example in schema.get("examples", []):
            faults += [f"{name}: {error.message}" for error in validator.iter_errors(example)]
    assert faults == []
