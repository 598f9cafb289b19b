"""Family vrptw: Solomon's and Gehring and Homberger's instances of rounds with windows, in Solomon's text format.

::

    NAME
    VEHICLE
    NUMBER     CAPACITY
      25         200
    CUSTOMER
    CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME
        0       40       50        0        0         240          0
        1       25       85       20      145         175         10

Objective: distance in the convention of the DIMACS challenge (cut to one decimal), any number of vehicles up to the
file's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geodata.errors import Fault, FaultCollector
from routing.instances.best_known import number, row_of
from routing.instances.family import Family, PublishedInstance
from routing.instances.instance_text import read_lines
from routing.instances.plane_rounds import UNITS, PlaneRounds, judge, problem_of, scaled

_COLUMNS = ("CUST NO.", "XCOORD.", "YCOORD.", "DEMAND", "READY TIME", "DUE DATE", "SERVICE TIME")


def read(path: Path) -> PublishedInstance:
    """Read an instance in Solomon's text format.

    Raises
    ------
    InputError
        If the file cannot be read or is not whole; every fault with its line.
    """
    rounds = read_rounds(path)
    best = number(row_of(path, rounds.name), "bks_dimacs_trunc1")
    return PublishedInstance(
        family="vrptw",
        name=rounds.name,
        problem=problem_of(rounds),
        judge=lambda plan: judge(rounds, plan, 1.0 / UNITS),
        best_known=best,
    )


def read_rounds(path: Path) -> PlaneRounds:
    """Return the figures of a file.

    Raises
    ------
    InputError
        As `read`.
    """
    faults = FaultCollector()
    fleet: list[tuple[float, ...]] = []
    rows: list[tuple[float, ...]] = []
    section = ""
    for line, text in read_lines(path):
        words = text.split()
        if words[0].upper() in ("VEHICLE", "CUSTOMER"):
            section = words[0].upper()
        elif section and words[0][0].isdigit():
            _read_row(
                path, line, words, fleet if section == "VEHICLE" else rows, 2 if section == "VEHICLE" else 7, faults
            )
    _check_whole(path, fleet, rows, faults)
    faults.raise_if_any()
    table = np.array(rows, dtype=np.float64)
    times = [np.array([scaled(value) for value in table[:, k]], dtype=np.int64) for k in (4, 5, 6)]
    return PlaneRounds(
        name=path.name.split(".")[0].upper(),
        xy=table[:, 1:3],
        demand=table[:, 3].astype(np.int64),
        early=times[0],
        late=times[1],
        service=times[2],
        release=np.zeros(len(rows), dtype=np.int64),
        vehicles=int(fleet[0][0]),
        capacity=int(fleet[0][1]),
        several=False,
    )


def _read_row(
    path: Path, line: int, words: list[str], rows: list[tuple[float, ...]], wanted: int, faults: FaultCollector
) -> None:
    if len(words) != wanted:
        reason = f"the row has {len(words)} numbers instead of {wanted}"
        faults.add(Fault("BROKEN_FILE", path.name, reason, "Give the file as published", row=line))
        return
    try:
        rows.append(tuple(float(word) for word in words))
    except ValueError:
        bad = next(k for k, word in enumerate(words) if not word.replace(".", "", 1).replace("-", "", 1).isdigit())
        field = _COLUMNS[bad] if wanted == len(_COLUMNS) else ("NUMBER", "CAPACITY")[bad]
        faults.add(
            Fault("BROKEN_FILE", path.name, "not a number", "Give a number", row=line, field=field, value=words[bad])
        )


def _check_whole(
    path: Path, fleet: list[tuple[float, ...]], rows: list[tuple[float, ...]], faults: FaultCollector
) -> None:
    if faults.faults:
        return
    remedy = "Give the file as published: VEHICLE with number and capacity, CUSTOMER with depot 0 and customers 1 to n"
    if len(fleet) != 1 or fleet[0][0] < 1 or fleet[0][1] <= 0:
        faults.add(Fault("BROKEN_FILE", path.name, "the VEHICLE section does not give one fleet", remedy))
    if len(rows) < 2 or [row[0] for row in rows] != [float(k) for k in range(len(rows))]:
        faults.add(
            Fault("BROKEN_FILE", path.name, "the CUSTOMER section does not list the depot and customers", remedy)
        )
    for row in rows:
        if row[5] < row[4] or min(row[3:]) < 0:
            reason = f"customer {row[0]:g} has a negative figure or a window that ends before it begins"
            faults.add(Fault("BROKEN_FILE", path.name, reason, remedy, field="DUE DATE", value=f"{row[5]:g}"))


FAMILY = Family("vrptw", read, "**/*.txt")
