"""Tests of what commands print."""

import subprocess
import sys

PROGRAMME = """
import ctypes, time
from api.terminal import console, stray_output_aside
from routing.solver.master import in_background

def solve(seconds):
    time.sleep(seconds)
    ctypes.CDLL(None).puts(b"stray")

with stray_output_aside():
    solve(0.0)
    left = in_background(lambda: solve({seconds}))
    {wait}
console.print("answer")
left.join()
"""


def _printed(seconds: float, wait: str) -> tuple[list[str], list[str]]:
    """Return the lines on standard output and error of a programme whose solver prints."""
    text = PROGRAMME.format(seconds=seconds, wait=wait)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr.split()


def test_what_a_solver_prints_goes_to_standard_error() -> None:
    """Tests that standard output holds the answer alone when all solves have ended."""
    assert _printed(0.0, "left.join()") == (["answer"], ["stray", "stray"])


def test_a_solve_left_to_end_prints_to_standard_error_too() -> None:
    """Tests that standard output holds the answer alone when a solve goes on after it."""
    assert _printed(0.5, "pass") == (["answer"], ["stray", "stray"])
