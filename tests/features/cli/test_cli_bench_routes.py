"""``shanlu bench`` on instances of routes through the command line."""

import json
from pathlib import Path

from command_line import Shanlu

INSTANCE = """T1
VEHICLE
NUMBER     CAPACITY
  2         10
CUSTOMER
CUST NO.   XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME
    0      0         0          0          0       100          0
    1      3         4          4          0        50          2
    2      0         5          4         20        40          2
"""


def test_bench_routes_prints_one_json_line(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that an instance nobody has seen is read, solved, judged and told as one line."""
    path = tmp_path / "t1.txt"
    path.write_text(INSTANCE, encoding="utf-8")
    result = shanlu("bench", "vrptw", path, "--time-limit", 0.5, "--seed", 2)
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert (figures["family"], figures["instance"], figures["feasible"]) == ("vrptw", "T1", True)
    assert (figures["objective"], figures["best_known"], figures["seed"]) == (13.1, None, 2)


def test_bench_all_prints_a_table(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that every instance of a folder has its row, and that known best values give a mean gap."""
    for name in ("t1", "t2"):
        (tmp_path / f"{name}.txt").write_text(INSTANCE, encoding="utf-8")
    (tmp_path / "best_known.csv").write_text("instance,bks_dimacs_trunc1\nT1,13.1\n", encoding="utf-8")
    result = shanlu("bench", "vrptw", "--all", tmp_path, "--time-limit", 0.5)
    assert result.code == 0, result.err
    assert "T1" in result.out
    assert "T2" in result.out
    assert "mean gap of 1: 0.0000 %" in result.out


def test_bench_tells_what_is_wrong(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a broken file, a missing file, an empty folder and a family without folders are input errors."""
    broken = tmp_path / "t.txt"
    broken.write_text(INSTANCE.replace("2         10", "2"), encoding="utf-8")
    result = shanlu("bench", "vrptw", broken)
    assert (result.code, "row 4" in result.err) == (2, True)
    assert shanlu("bench", "vrptw").code == 2
    assert shanlu("bench", "mtvrptwr", "--all", tmp_path).code == 2
    assert shanlu("bench", "pmed", "--all", tmp_path).code == 2
