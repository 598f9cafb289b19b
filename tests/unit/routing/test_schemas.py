"""The published schemas and tables are those of the code, and say the same as the readers."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scenario_folders import CONFIG, FLEET, PRODUCTS, orders_json

from routing.fault_codes import FaultCode
from routing.schemas import DOCUMENTED_RECORDS, fill_blocks, json_schemas, reference_files, write_reference

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"
SCHEMAS = json_schemas()


def test_committed_reference_is_what_the_code_makes() -> None:
    """Tests that schemas and generated blocks are up to date (else: python -m routing.schemas docs/reference)."""
    for path, text in reference_files(REFERENCE).items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_every_record_and_the_codes_have_a_block() -> None:
    """Tests that no record type and no fault code is left out of the documentation."""
    formats = (REFERENCE / "formats.md").read_text(encoding="utf-8")
    for record in DOCUMENTED_RECORDS:
        assert f"<!-- generated: {record.name} -->" in formats
    errors = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    for code in FaultCode:
        assert f"| `{code}` |" in errors


def test_write_reference_fills_templates(tmp_path: Path) -> None:
    """Tests that writing fills the blocks of the pages, leaves the rest, and is stable."""
    (tmp_path / "formats.md").write_text("a\n<!-- generated: sites -->\nold\n<!-- end of generated -->\nb\n")
    (tmp_path / "errors.md").write_text("nothing\n")
    write_reference(tmp_path)
    page = (tmp_path / "formats.md").read_text(encoding="utf-8")
    assert page.startswith("a\n")
    assert page.endswith("b\n")
    assert "old" not in page
    assert "**lon**" in page
    assert all(path.read_text(encoding="utf-8") == text for path, text in reference_files(tmp_path).items())


def test_unknown_block_is_refused() -> None:
    """Tests that a block the code does not make is an error, not left stale."""
    with pytest.raises(KeyError):
        fill_blocks("<!-- generated: nothing -->\n<!-- end of generated -->", {})


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    """Tests that each schema is itself valid JSON Schema."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def shipped(name: str) -> dict[str, Any]:
    """Return a shipped TOML file."""
    return tomllib.loads(files("routing").joinpath("data", name).read_text(encoding="utf-8"))


def plain(document: Any) -> Any:
    """Return a document as JSON shows it (dates as text)."""
    return json.loads(json.dumps(document, default=str))


GOOD: list[tuple[str, Any]] = [
    ("scenario", tomllib.loads(CONFIG)),
    ("fleet", tomllib.loads(FLEET)),
    ("products", tomllib.loads(PRODUCTS)),
    ("products", shipped("products.toml")),
    ("orders", json.loads(orders_json({"windows": [["08:00", 36_000]]}, {"due_s": "25:30"}))),
    ("sites", [{"id": "hub", "name": "Hub", "level": "county", "lon": 1.5, "lat": 42.5, "bus_stop_ids": ["a"]}]),
    ("weather", [{"hour": 0, "temp_c": 3.5}]),
]
BAD: list[tuple[str, Any]] = [
    ("scenario", tomllib.loads(CONFIG.replace("currency", "curency"))),
    ("fleet", {"vehicle": [{"id": "a", "kind": "vehicle"}]}),
    ("fleet", {"vehicle": [{"id": "a", "preset": "walker", "compartments": []}]}),
    ("products", {"class": {"a": {"store": "freezer"}}}),
    ("orders", json.loads(orders_json({"weight_kg": 0}))),
    ("orders", json.loads(orders_json({"due_s": "8 o'clock"}))),
    ("sites", [{"id": "hub", "name": "Hub", "level": "city", "lon": 1.5, "lat": 42.5}]),
    ("sites", [{"id": "hub", "name": "Hub", "level": "county", "lon": 1.5, "lat": 95}]),
    ("weather", [{"hour": 0}]),
]


@pytest.mark.parametrize(("name", "document"), GOOD)
def test_good_documents_satisfy_the_schema(name: str, document: Any) -> None:
    """Tests that documents the readers accept satisfy the published schema."""
    jsonschema.validate(plain(document), SCHEMAS[name], cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(("name", "document"), BAD)
def test_bad_documents_do_not(name: str, document: Any) -> None:
    """Tests that documents the readers refuse do not satisfy the published schema."""
    assert not jsonschema.Draft202012Validator(SCHEMAS[name]).is_valid(plain(document))
