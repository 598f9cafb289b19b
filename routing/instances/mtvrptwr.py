"""Family mtvrptwr: several rounds a vehicle, windows, goods released over the day; VRPLIB text as PyVRP reads it.

Headers ``DIMENSION``, ``VEHICLES``, ``CAPACITY``, ``SERVICE_TIME``; sections of nodes (the first is the depot):
``NODE_COORD_SECTION``, ``DEMAND_SECTION``, ``TIME_WINDOW_SECTION``, ``RELEASE_TIME_SECTION``, and per vehicle
``VEHICLES_RELOAD_DEPOT_SECTION`` (where it may load again: the depot). What PyVRP knows beyond that is refused rather
than passed over. Objective: ten times the distance, each way cut to a whole number (DIMACS), as in the ``.sol`` files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geodata.errors import Fault, FaultCollector, InputError
from routing.instances.best_known import cost_of_solution_file
from routing.instances.family import Family, PublishedInstance
from routing.instances.instance_text import read_lines
from routing.instances.plane_rounds import PlaneRounds, judge, problem_of, scaled

_HEADERS = ("DIMENSION", "VEHICLES", "CAPACITY")
_SECTIONS = {"NODE_COORD": 3, "DEMAND": 2, "TIME_WINDOW": 3, "RELEASE_TIME": 2, "SERVICE_TIME": 2}
"""Sections of nodes and the words of a row."""
_OTHER_SECTIONS = ("VEHICLES_RELOAD_DEPOT", "DEPOT")
_REMEDY = "Give the file as published for this family"


@dataclass
class _Text:
    """Headers, and rows of numbers by section."""

    headers: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)


def read(path: Path) -> PublishedInstance:
    """Read an instance in VRPLIB format.

    Raises
    ------
    InputError
        If the file cannot be read, is not whole or asks for what the family does not have; every fault with its line.
    """
    rounds = read_rounds(path)
    return PublishedInstance(
        family="mtvrptwr",
        name=rounds.name,
        problem=problem_of(rounds),
        judge=lambda plan: judge(rounds, plan, 1.0),
        best_known=cost_of_solution_file(path),
    )


def read_rounds(path: Path) -> PlaneRounds:
    """Return the figures of a file.

    Raises
    ------
    InputError
        As `read`.
    """
    text = _read_text(path)
    faults = FaultCollector()
    figures = {name: _whole_header(path, text, name, faults) for name in _HEADERS}
    faults.raise_if_any()
    nodes = figures["DIMENSION"]
    if text.headers.get("EDGE_WEIGHT_TYPE", "EUC_2D") != "EUC_2D":
        faults.add(_fault(path, "only Euclidean distances belong to the family", field="EDGE_WEIGHT_TYPE"))
    if text.sections.get("DEPOT", [(1.0,)])[0] != (1.0,):
        faults.add(_fault(path, "the depot must be node 1", field="DEPOT_SECTION"))
    xy = _section(path, text, "NODE_COORD", nodes, faults)
    demand = _section(path, text, "DEMAND", nodes, faults)
    windows = _section(path, text, "TIME_WINDOW", nodes, faults)
    release = _section(path, text, "RELEASE_TIME", nodes, faults)
    service = _service(path, text, nodes, faults)
    faults.raise_if_any()
    if (windows[:, 1] < windows[:, 0]).any() or min(demand.min(), windows.min(), release.min(), service.min()) < 0:
        raise InputError(
            [_fault(path, "a figure is negative or a window ends before it begins", field="TIME_WINDOW_SECTION")]
        )
    reloads = text.sections.get("VEHICLES_RELOAD_DEPOT", [])
    return PlaneRounds(
        name=path.name.removesuffix(".vrp"),
        xy=xy,
        demand=demand[:, 0].astype(np.int64),
        early=_scaled(windows[:, 0]),
        late=_scaled(windows[:, 1]),
        service=_scaled(service[:, 0]),
        release=_scaled(release[:, 0]),
        vehicles=figures["VEHICLES"],
        capacity=figures["CAPACITY"],
        several=bool(reloads),
    )


def _read_text(path: Path) -> _Text:
    faults, text, section = FaultCollector(), _Text(), ""
    for line, row in read_lines(path):
        words = row.split()
        head, colon, value = row.partition(":")
        if words[0] == "EOF":
            break
        if words[0].endswith("_SECTION"):
            section = words[0].removesuffix("_SECTION")
            if section not in (*_SECTIONS, *_OTHER_SECTIONS):
                faults.add(_fault(path, "the family has no such section", field=words[0], row=line))
            text.sections[section] = []
        elif colon:
            text.headers[head.strip()] = value.strip()
        else:
            _read_row(path, line, words, text.sections.get(section), section, faults)
    faults.raise_if_any()
    return text


def _read_row(
    path: Path,
    line: int,
    words: list[str],
    rows: list[tuple[float, ...]] | None,
    section: str,
    faults: FaultCollector,
) -> None:
    if rows is None:
        faults.add(_fault(path, "a row before the first section", row=line, value=words[0]))
        return
    if len(words) != _SECTIONS.get(section, len(words)):
        faults.add(_fault(path, f"the row has {len(words)} words", field=f"{section}_SECTION", row=line))
        return
    try:
        rows.append(tuple(float(word) for word in words))
    except ValueError:
        faults.add(
            _fault(
                path, "the row holds what is not a number", field=f"{section}_SECTION", row=line, value=" ".join(words)
            )
        )


def _whole_header(path: Path, text: _Text, name: str, faults: FaultCollector) -> int:
    value = text.headers.get(name, "")
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    faults.add(_fault(path, "the header is missing or not a whole number above 0", field=name, value=value))
    return 0


def _section(path: Path, text: _Text, name: str, nodes: int, faults: FaultCollector) -> npt.NDArray[np.float64]:
    rows = text.sections.get(name, [])
    if [row[0] for row in rows] != [float(k) for k in range(1, nodes + 1)]:
        faults.add(_fault(path, f"the section does not have the nodes 1 to {nodes} in order", field=f"{name}_SECTION"))
        return np.zeros((max(1, nodes), 2))
    return np.array(rows, dtype=np.float64)[:, 1:]


def _service(path: Path, text: _Text, nodes: int, faults: FaultCollector) -> npt.NDArray[np.float64]:
    """Return service times (nodes, 1): of the section, or the header's at all customers."""
    if "SERVICE_TIME" in text.sections:
        return _section(path, text, "SERVICE_TIME", nodes, faults)
    try:
        seconds = float(text.headers.get("SERVICE_TIME", "0"))
    except ValueError:
        faults.add(_fault(path, "not a number", field="SERVICE_TIME", value=text.headers["SERVICE_TIME"]))
        seconds = 0.0
    service = np.full((nodes, 1), seconds)
    service[0] = 0.0
    return service


def _scaled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.array([scaled(float(value)) for value in values], dtype=np.int64)


def _fault(
    path: Path, reason: str, *, field: str | None = None, row: int | None = None, value: str | None = None
) -> Fault:
    return Fault("BROKEN_FILE", path.name, reason, _REMEDY, row=row, field=field, value=value)


FAMILY = Family("mtvrptwr", read, "**/*.vrp")
