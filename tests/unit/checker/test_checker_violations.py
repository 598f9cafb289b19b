"""Each code of the checker on a good plan broken in one way."""

from pathlib import Path

import pytest
from checker_world import make_world
from damages import DAMAGES

from routing.checker import Code, check_document
from routing.checker.codes import render_reference

ROOT = Path(__file__).resolve().parents[3]


def test_good_plan_is_silent() -> None:
    """Tests that a plan without fault brings no violation."""
    world = make_world()
    report = check_document(world.facts, world.plan)
    assert report.violations == ()
    assert report.is_clean


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(name: str) -> None:
    """Tests that a damage brings exactly the codes it must bring, each with a text."""
    damage, codes = DAMAGES[name]
    report = check_document(*damage(make_world()))
    assert report.codes == codes, "\n".join(map(str, report.violations))
    assert all(violation.text for violation in report.violations)


def test_every_code_has_a_damage() -> None:
    """Tests that no code of the checker goes without a damage that brings it."""
    assert frozenset().union(*(codes for _, codes in DAMAGES.values())) == frozenset(Code)


def test_reference_page_is_current() -> None:
    """Tests that the page of codes is what the code generates."""
    page = ROOT / "docs" / "reference" / "violations.md"
    assert page.read_text(encoding="utf-8") == render_reference()
