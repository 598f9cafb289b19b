import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import routing.export
from routing.export.wording import all_labels, clock, number, wording_of


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "00:00"), (86_399, "23:59"), (25 * 3600 + 600, "01:10 +1"), (-60, "23:59 -1"), (2 * 86_400, "00:00 +2")],
)
def test_clock_marks_other_days(time_s: int, text: str) -> None:
    """Tests that times are HH:MM and times past midnight carry their day."""
    assert clock(time_s) == text


@given(st.integers(0, 3 * 86_400))
def test_clock_loses_only_seconds(time_s: int) -> None:
    """Tests that the minute can be read back from the text."""
    text, _, day = clock(time_s).partition(" ")
    hours, minutes = map(int, text.split(":"))
    assert int(day or 0) * 86_400 + hours * 3600 + minutes * 60 == time_s // 60 * 60


def test_number_has_no_trailing_zeros() -> None:
    """Tests that figures are short."""
    assert [number(value) for value in (4.0, 4.25, 100.0, 0.04)] == ["4", "4.2", "100", "0"]


def test_every_label_has_both_languages_and_the_same_placeholders() -> None:
    """Tests that no label is missing or forgets a figure in one of the languages."""
    labels = all_labels()
    for key, english in labels["en"].items():
        chinese = labels["zh"][key]
        assert english
        assert chinese
        assert set(_placeholders(english)) == set(_placeholders(chinese)), key


def test_labels_and_their_uses_agree() -> None:
    """Tests that the code asks for no label that is missing and that none is left over."""
    folder = Path(routing.export.__file__).parent
    sources = [*folder.glob("*.py"), *(folder / "data" / "map").glob("*.js")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"""\bsay\(["'](\w+)["']""", text))
    labels = set(all_labels()["en"])
    assert asked <= labels
    families = ("cat_", "level_", "col_", "cost_", "m_zone_", "part_")
    left_over = {key for key in labels if not re.search(f"""["']{key}["']""", text) and not key.startswith(families)}
    assert left_over == set()


def _placeholders(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]


def test_an_unknown_language_is_refused() -> None:
    """Tests that a language without labels is named."""
    with pytest.raises(ValueError, match="'fr' is not one of en, zh"):
        wording_of("fr")
