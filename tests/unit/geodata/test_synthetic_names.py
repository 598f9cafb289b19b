import numpy as np
import pytest

from geodata.synthetic_names import place_names


def test_names_differ_and_pair_up() -> None:
    """Tests that 3,000 names differ in Chinese, that short ones come first, and pinyin is one capitalised word."""
    names = place_names(3_000, np.random.default_rng(1))
    assert len({chinese for chinese, _ in names}) == 3_000
    assert [len(chinese) for chinese, _ in names] == sorted(len(chinese) for chinese, _ in names)
    assert all(pinyin.isalpha() and pinyin == pinyin.capitalize() for _, pinyin in names)


def test_too_many_names_are_refused() -> None:
    """Tests that more names than there are is an error, not a repetition."""
    with pytest.raises(ValueError, match="can be made"):
        place_names(100_000, np.random.default_rng(1))
