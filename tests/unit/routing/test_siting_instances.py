"""Readers of published siting instances, on small files in their formats."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from geodata.errors import InputError
from routing.siting.instances import bench_siting, read_cap, read_pmed, read_pmedcap


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="ascii")
    return path


def test_pmed_distances_are_shortest_and_a_repeated_edge_counts_by_its_last_line(tmp_path: Path) -> None:
    """Tests all-pairs distances and the family's convention for repeated edges, then the proven optimum."""
    path = written(tmp_path, "pmed1.txt", "4 4 1\n1 2 9\n1 2 3\n2 3 4\n3 4 5\n")
    cost, p = read_pmed(path)
    assert p == 1
    assert cost[0].tolist() == [0.0, 3.0, 7.0, 12.0]
    record = bench_siting("pmed", path, time_limit_s=5.0)
    assert (record["objective"], record["bound"], record["proven"]) == (16.0, 16.0, True)


def test_pmedcap_rounds_distances_down_and_reads_zips(tmp_path: Path) -> None:
    """Tests coordinates, loads, capacity and p of a zipped capacitated p-median file, and its optimum."""
    text = " 1 5\n 4 2 10\n 1 0 0 5\n 2 1 1 5\n 3 9 9 5\n 4 10 11 5\n"
    path = tmp_path / "pmedcap01.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pmedcap01.txt", text)
    question = read_pmedcap(path)
    assert question.cost[0].tolist() == [0.0, 1.0, 12.0, 14.0]
    assert (question.at_most, question.exactly, question.split, question.option_capacity[0]) == (2, True, False, 10.0)
    record = bench_siting("pmedcap", path, time_limit_s=5.0)
    assert (record["objective"], record["proven"]) == (3.0, True)


def test_cap_takes_a_capacity_where_the_file_leaves_it_open(tmp_path: Path) -> None:
    """Tests fixed costs, loads and costs of a warehouse file whose capacity is the word itself, and its optimum."""
    path = written(tmp_path, "capa.txt", "2 2\ncapacity 7.5\ncapacity 2.5\n3\n1 2\n4\n6 5\n")
    with pytest.raises(InputError, match="leaves the capacity"):
        read_cap(path)
    question = read_cap(path, 7.0)
    assert question.load.tolist() == [3.0, 4.0]
    assert np.array_equal(question.cost, np.array([[1.0, 2.0], [6.0, 5.0]]))
    assert bench_siting("cap", path, time_limit_s=5.0, capacity=7.0)["objective"] == 9.5


@pytest.mark.parametrize(
    ("family", "text"), [("pmed", "3 2 1\n1 2 3\n"), ("pmedcap", "1 2\n"), ("cap", "2 x\n"), ("pmd", "1")]
)
def test_other_files_and_families_are_refused(tmp_path: Path, family: str, text: str) -> None:
    """Tests that a cut, foreign or unknown instance is refused as what it is."""
    with pytest.raises(InputError):
        bench_siting(family, written(tmp_path, "x.txt", text), time_limit_s=1.0)
