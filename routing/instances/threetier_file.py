"""The three text files of a ``3tdppt`` instance as plain figures, with every fault of them found at once."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import Fault, FaultCollector, InputError

DEFAULT_WAIT = 60.0
DEFAULT_RUNS = (30.0, 30.0, 30)
"""First departure, headway and number of runs of lines that state none (inferred by matching published values)."""
_KINDS = ("S", "O", "D", "L")
_Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class BusStop:
    """A stop: position, minutes a truck's unloading takes, and longest wait of goods in minutes."""

    x: float
    y: float
    service: float
    wait: float


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: position, out-stops that may serve it, load, earliest and latest delivery in minutes."""

    x: float
    y: float
    outs: tuple[str, ...]
    load: float
    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line: in-stops then out-stops in order, room, first departure and headway in minutes, number of runs."""

    ins: tuple[str, ...]
    outs: tuple[str, ...]
    room: float
    first: float
    headway: float
    runs: int


@dataclass(frozen=True)
class ThreeTierFile:
    """The figures of an instance; `timed` says whether its stops state service times and longest waits."""

    name: str
    timed: bool
    centre: tuple[float, float]
    reached: tuple[str, ...]
    """In-stops that trucks may visit."""
    stops: dict[str, BusStop]
    customers: dict[str, Customer]
    lines: dict[str, Line]
    params: dict[str, float]

    @property
    def courier_load(self) -> float:
        """What one courier carries."""
        return self.params.get("freightersCap", self.params.get("freighterCap", 0.0))


def read_files(path: Path) -> ThreeTierFile:
    """Read the ``.city``, ``.demands`` and ``.params`` files of one stem.

    Raises
    ------
    InputError
        With every fault found: files absent, rows that are none, names that repeat or point nowhere, figures out of
        range.
    """
    reader = _Reader(path)
    city, demands, params = (_rows(path.with_suffix(end), reader.faults) for end in (".city", ".demands", ".params"))
    reader.faults.raise_if_any()
    reader.read_params(params)
    reader.read_demands(demands)
    reader.read_city(city)
    reader.check()
    return reader.result()


def _rows(path: Path, faults: FaultCollector) -> list[_Row]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        code = "MISSING_FILE" if isinstance(error, FileNotFoundError) else "BROKEN_FILE"
        reason = "the instance cannot be read: " + (getattr(error, "strerror", None) or "it is not UTF-8")
        faults.add(Fault(code, path.name, reason, "Give .city, .demands and .params of one stem as published"))
        return []
    rows = [(k, line.split("#")[0].split()) for k, line in enumerate(text.splitlines(), 1)]
    return [row for row in rows if row[1]]


class _Reader:
    """What has been read so far, and what was wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path, self.faults = path, FaultCollector()
        self.centre: tuple[float, float] | None = None
        self.reached: tuple[str, ...] = ()
        self.timed: set[bool] = set()
        self.stops: dict[str, BusStop] = {}
        self.customers: dict[str, Customer] = {}
        self.lines: dict[str, Line] = {}
        self.demands: dict[str, tuple[float, float, float]] = {}
        self.params: dict[str, float] = {}

    def fault(self, suffix: str, reason: str, row: int | None = None, value: str | None = None) -> None:
        name = self.path.with_suffix(suffix).name
        self.faults.add(Fault("BROKEN_FILE", name, reason, "Give the file as published", row=row, value=value))

    def numbers(self, suffix: str, row: _Row, begin: int, counts: Sequence[int]) -> list[float]:
        """Return the figures of a row from word `begin` on; none, and a fault, where they are too many, few or none."""
        words = row[1][begin:]
        try:
            found = [float(word) for word in words]
        except ValueError:
            found = []
        if len(found) not in counts or not all(map(math.isfinite, found)):
            wanted = " or ".join(map(str, counts))
            self.fault(suffix, f"{wanted} numbers are expected after word {begin}", row[0], " ".join(row[1]))
            return []
        return found

    # --- Parameters and demands ------------------------------------------------------------------------------------

    def read_params(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            found = self.numbers(".params", row, 1, (1,))
            if found:
                self.params[row[1][0]] = found[0]
        courier = "freighterCap" if "freighterCap" in self.params else "freightersCap"
        for name in ("Lmax", "maxTrucks", "maxFreightersPerStop", "trucksCap", courier):
            if name not in self.params:
                self.fault(".params", f"the parameter {name} is missing")
            elif self.params[name] < 0:
                self.fault(".params", f"the parameter {name} is negative", value=str(self.params[name]))

    def read_demands(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            found = self.numbers(".demands", row, 1, (3,))
            if not found:
                continue
            load, earliest, latest = found
            if load < 0 or earliest > latest:
                self.fault(".demands", "the load is negative or the window empty", row[0], " ".join(row[1]))
            self._once(self.demands, ".demands", row, row[1][0])
            self.demands[row[1][0]] = (load, earliest, latest)

    def _once(self, known: Container[str], suffix: str, row: _Row, name: str) -> None:
        if name in known:
            self.fault(suffix, "the name stands twice", row[0], name)

    # --- The city --------------------------------------------------------------------------------------------------

    def read_city(self, rows: Sequence[_Row]) -> None:
        for row, lists in _grouped(rows):
            kind = row[1][0]
            wanted = {"S": 0, "O": 1, "D": 1, "L": 2}.get(kind)
            if wanted is None or len(row[1]) < 2:
                self.fault(".city", "the row is none of a stop, the centre, a customer or a line", row[0], row[1][0])
            elif len(lists) != wanted:
                self.fault(".city", f"{wanted} rows of stops are expected, not {len(lists)}", row[0], row[1][1])
            else:
                {"S": self._stop, "O": self._centre, "D": self._customer, "L": self._line}[kind](row, lists)

    def _stop(self, row: _Row, _: list[tuple[str, ...]]) -> None:
        found = self.numbers(".city", row, 2, (4, 6))
        if found:
            self._once(self.stops, ".city", row, row[1][1])
            self.timed.add(len(found) == 6)
            service, wait = found[4:] if len(found) == 6 else (0.0, DEFAULT_WAIT)
            if service < 0 or wait < 0:
                self.fault(".city", "a time is negative", row[0], " ".join(row[1]))
            self.stops[row[1][1]] = BusStop(found[2], found[3], service, wait)

    def _centre(self, row: _Row, lists: list[tuple[str, ...]]) -> None:
        found = self.numbers(".city", row, 2, (2,))
        if found:
            if self.centre is not None:
                self.fault(".city", "a second centre", row[0], row[1][1])
            self.centre, self.reached = (found[0], found[1]), lists[0]

    def _customer(self, row: _Row, lists: list[tuple[str, ...]]) -> None:
        found = self.numbers(".city", row, 2, (2,))
        if not found:
            return
        name = row[1][1]
        self._once(self.customers, ".city", row, name)
        if name not in self.demands:
            self.fault(".demands", "the customer has no demand", value=name)
        load, earliest, latest = self.demands.get(name, (0.0, 0.0, 0.0))
        self.customers[name] = Customer(found[0], found[1], lists[0], load, earliest, latest)

    def _line(self, row: _Row, lists: list[tuple[str, ...]]) -> None:
        found = self.numbers(".city", row, 3, (2, 5))
        if found:
            self._once(self.lines, ".city", row, row[1][1])
            first, headway, runs = found[2:] if len(found) == 5 else DEFAULT_RUNS
            if min(found[0], first, headway) < 0 or runs < 0 or runs != int(runs):
                self.fault(".city", "a figure of the line is negative or no whole number", row[0], row[1][1])
            self.lines[row[1][1]] = Line(lists[0], lists[1], found[0], first, headway, int(runs))

    # --- The whole -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        if self.centre is None:
            self.fault(".city", "there is no centre (a row that begins with O)")
        if len(self.timed) > 1:
            self.fault(".city", "some stops state service time and longest wait, others do not")
        if not self.customers:
            self.fault(".city", "there is no customer (a row that begins with D)")
        for name in self._unknown():
            self.fault(".city", "a list names a stop that does not exist", value=name)
        for name in self.demands:
            if name not in self.customers:
                self.fault(".demands", "the demand is of no customer of the .city file", value=name)
        for name, line in self.lines.items():
            if len({*line.ins, *line.outs}) < len(line.ins) + len(line.outs):
                self.fault(".city", "the line calls at a stop twice", value=name)
        if len({self.stops[name].service for name in self.reached if name in self.stops}) > 1:
            self.fault(".city", "unloading takes longer at some in-stops than at others, which is not supported")
        self.faults.raise_if_any()

    def _unknown(self) -> Iterator[str]:
        lists = [self.reached, *(found.outs for found in self.customers.values())]
        lists += [stops for line in self.lines.values() for stops in (line.ins, line.outs)]
        named = dict.fromkeys(name for stops in lists for name in stops)
        return (name for name in named if name not in self.stops)

    def result(self) -> ThreeTierFile:
        if self.centre is None:  # never: `check` has raised
            raise InputError(self.faults.faults)
        return ThreeTierFile(
            self.path.stem, self.timed == {True}, self.centre, self.reached, self.stops, self.customers, self.lines,
            self.params,
        )  # fmt: skip


def _grouped(rows: Sequence[_Row]) -> Iterator[tuple[_Row, list[tuple[str, ...]]]]:
    """Yield each record's row with the rows of stop names that follow it."""
    record: _Row | None = None
    lists: list[tuple[str, ...]] = []
    for row in rows:
        if row[1][0] in _KINDS or record is None:
            if record is not None:
                yield record, lists
            record, lists = row, []
        else:
            lists.append(tuple(row[1]))
    if record is not None:
        yield record, lists
