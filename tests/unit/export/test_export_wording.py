import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.export.wording import all_labels, clock, money, number, wording_of


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


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(123_450, "CNY", "¥1,234.50"), (-5, "EUR", "-€0.05"), (100, "XYZ", "1.00 XYZ"), (0, "CNY", "¥0.00")],
)
def test_money_is_in_major_units(minor: int, currency: str, text: str) -> None:
    """Tests that minor units are shown with their currency."""
    assert money(minor, currency) == text


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


def _placeholders(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]


def test_an_unknown_language_is_refused() -> None:
    """Tests that a language without labels is named."""
    with pytest.raises(ValueError, match="'fr' is not one of en, zh"):
        wording_of("fr")
