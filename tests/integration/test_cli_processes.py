"""The command line in processes of its own: Ctrl-C, and equal bytes from equal inputs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_day import CONFIG, ORDERS, write_day

PATIENT = CONFIG.replace("max_iterations = 2", "time_limit_s = 600")


@contextmanager
def started(folder: Path, *arguments: str, hash_seed: str = "0") -> Iterator[subprocess.Popen[str]]:
    """Start `shanlu` without a terminal; it is killed at the end if it still runs."""
    environment = {**os.environ, "SHANLU_CACHE": str(folder / "cache"), "PYTHONHASHSEED": hash_seed}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "api.cli", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], word: str) -> str:
    """Read standard error up to the first line that holds a word; return it."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return line
    raise AssertionError(word)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_interrupt_keeps_the_best_plan(tmp_path: Path, workers: str) -> None:
    """Tests that Ctrl-C while searching ends all searches, and the best plan is checked and written, exit code 0."""
    write_day(tmp_path / "day", config=PATIENT)
    with started(tmp_path, "plan", "day", "--out", "out", "--workers", workers) as process:
        line = wait_for(process, "improvement")
        assert "best cost" in line
        assert "s left" in line
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: the helpers hear it too
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "stopping: the best plan so far is checked and written" in err
    assert "Traceback" not in err
    assert "checker               clean" in out
    plan = json.loads((tmp_path / "out/plan.json").read_text(encoding="utf-8"))
    assert len(plan["orders"]) >= 4
    assert (tmp_path / "out/map.html").is_file()


def test_interrupt_before_any_plan_writes_nothing(tmp_path: Path) -> None:
    """Tests that Ctrl-C while the files are read ends the run at once with exit code 130 and no output."""
    folder = write_day(tmp_path / "day", config=PATIENT)
    (folder / "weather.csv").unlink()
    os.mkfifo(folder / "weather.csv")  # reading waits here for ever
    with started(tmp_path, "plan", "day", "--out", "out") as process:
        wait_for(process, "reading")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err.strip().endswith("interrupted; nothing was written")
    assert not (tmp_path / "out").exists()
    assert not any(path.name.startswith(".out") for path in tmp_path.iterdir())


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    """Tests that two processes with equal inputs, seed and iterations write equal files, save timings."""
    orders = ORDERS + "".join(f"x{k},hub,{('v1', 'v2', 't1', 'g1')[k % 4]},{1 + k % 3},4,,\n" for k in range(12))
    write_day(tmp_path / "day", orders=orders)
    for name, hash_seed in (("one", "1"), ("two", "2")):
        arguments = ("plan", "day", "--out", name, "--max-iterations", "2", "--seed", "1")
        with started(tmp_path, *arguments, hash_seed=hash_seed) as process:
            _, err = process.communicate(timeout=240)
            assert process.returncode == 0, err
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert one.keys() == two.keys()
    reports = [json.loads(files.pop(Path("report.json"))) for files in (one, two)]
    assert [path for path in one if one[path] != two[path]] == []
    assert all(report.pop("timings_s") for report in reports)
    assert reports[0] == reports[1]
