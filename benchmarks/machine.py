"""What a measurement ran on, and a clock for both the wall and the processor."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Span:
    """Seconds of one piece of work: on the wall, and of this process on all processors."""

    wall_s: float
    cpu_s: float


class Watch:
    """Measures from its making: ``span()`` tells what has passed since the one before."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def span(self) -> Span:
        """Return what has passed since the watch was made or last asked."""
        wall, cpu = time.perf_counter(), time.process_time()
        passed = Span(wall - self._wall, cpu - self._cpu)
        self._wall, self._cpu = wall, cpu
        return passed


def conditions(packages: Sequence[str]) -> str:
    """Return a line with date, processor, its load, Python and the versions of packages."""
    load = f", load {os.getloadavg()[0]:.1f} when begun" if hasattr(os, "getloadavg") else ""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} processors{load}, "
        f"Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
