"""Random damage to the text of a scenario is a fault or lived with, never a failure of the program."""

import random
import re
from pathlib import Path

import pytest
from command_line import Shanlu
from small_day import write_day

JUNK = ("", "-1", "0", "1e309", "nan", "abc", '"', "999999999999", "25:00", "[]", "null", "hub", "100.05", "é", ",")
TEXTS = frozenset({".csv", ".toml", ".txt", ".geojson", ".osm"})


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_word_is_no_bug(tmp_path: Path, shanlu: Shanlu, seed: int) -> None:
    """Tests that a scenario with one word replaced by junk is planned (exit 0) or refused with a line (exit 2)."""
    folder = write_day(tmp_path / "day")
    rng = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.suffix in TEXTS and path.stat().st_size)
    path = rng.choice(files)
    text = path.read_text(encoding="utf-8")
    word = rng.choice(list(re.finditer(r"[\w.:-]+", text)))
    path.write_text(text[: word.start()] + rng.choice(JUNK) + text[word.end() :], encoding="utf-8")
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code in (0, 2), answer.err
    assert (tmp_path / "out").exists() == (answer.code == 0)
    assert ("error: " in answer.err) == (answer.code == 2)
