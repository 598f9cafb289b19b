"""Published siting instances: the only code that knows their families.

========  ==========================================================================================================
family    file
========  ==========================================================================================================
pmed      OR-Library p-median: ``n edges p``, then an edge list; costs are shortest distances, every node is a site
pmedcap   capacitated p-median: ``number best``, ``n p capacity``, then ``node x y load``; costs are Euclidean distances
          rounded down; a zip with one such file is read too
cap       OR-Library capacitated warehouses: ``sites clients``, ``capacity cost`` a site (``capacity`` may be the word
          itself: `capacity` must then be given), then ``load`` and the cost of serving all of it from each site
========  ==========================================================================================================
"""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from geodata.errors import Fault, InputError
from routing.siting.capacitated import solve_capacitated
from routing.siting.median import solve_p_median
from routing.siting.question import CapacityQuestion, FloatArray

FAMILIES = ("pmed", "pmedcap", "cap")


def bench_siting(family: str, path: Path, *, time_limit_s: float, capacity: float | None = None) -> dict[str, object]:
    """Solve a published instance and return what `shanlu bench` prints as one line of JSON.

    Parameters
    ----------
    capacity
        Capacity of every site, for instances of family ``cap`` that leave it open.

    Raises
    ------
    InputError
        If the family is unknown or the file is not of it.
    """
    started, cpu = time.perf_counter(), time.process_time()
    if family == "pmed":
        cost, p = read_pmed(path)
        median = solve_p_median(cost, p, time_limit_s=time_limit_s)
        objective, bound, proven, gap = median.cost, median.bound, median.proven, median.gap
    elif family in FAMILIES:
        question = read_pmedcap(path) if family == "pmedcap" else read_cap(path, capacity)
        answer = solve_capacitated(question, time_limit_s=time_limit_s)
        objective, bound, proven, gap = answer.cost, answer.bound, answer.proven, answer.gap
    else:
        raise InputError([_unknown_family(family)])
    return {
        "family": family,
        "instance": path.name.split(".")[0],
        "objective": round(objective, 6) if np.isfinite(objective) else None,
        "bound": round(bound, 6) if np.isfinite(bound) else None,
        "proven": proven,
        "gap": round(gap, 9),
        "seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
    }


def read_pmed(path: Path) -> tuple[FloatArray, int]:
    """Return costs (n, n) and p of an OR-Library p-median file; a repeated edge counts by its last line."""
    numbers = _numbers(path, _text(path))
    n, edges, p = (int(value) for value in numbers[:3]) if len(numbers) >= 3 else (0, 0, 0)
    if n < 1 or len(numbers) < 3 + 3 * edges or not 1 <= p <= n:
        raise InputError([_not_of_family(path, "pmed")])
    lines = np.array(numbers[3 : 3 + 3 * edges]).reshape(-1, 3)
    ends = lines[:, :2].astype(np.int64) - 1
    if edges and (ends.min() < 0 or ends.max() >= n):
        raise InputError([_not_of_family(path, "pmed")])
    weight: dict[tuple[int, int], float] = {}
    for (a, b), length in zip(ends.tolist(), lines[:, 2].tolist(), strict=True):
        weight[min(a, b), max(a, b)] = length
    pairs = np.array(list(weight), dtype=np.int64).reshape(-1, 2)
    graph = csr_matrix((np.array(list(weight.values())), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    cost = np.asarray(dijkstra(graph, directed=False), dtype=np.float64)
    if not np.isfinite(cost).all():
        raise InputError([_not_of_family(path, "pmed")])
    return cost, p


def read_pmedcap(path: Path) -> CapacityQuestion:
    """Return the question of a capacitated p-median file: one option a node, exactly p open, clients not split."""
    numbers = _numbers(path, _text(path))
    n, p = (int(numbers[2]), int(numbers[3])) if len(numbers) >= 5 else (0, 0)
    if n < 1 or len(numbers) < 5 + 4 * n or not 1 <= p <= n:
        raise InputError([_not_of_family(path, "pmedcap")])
    rows = np.array(numbers[5 : 5 + 4 * n]).reshape(n, 4)
    x, y, load = rows[:, 1], rows[:, 2], rows[:, 3]
    cost = np.floor(np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]) + 1e-9)
    return CapacityQuestion(
        cost=cost,
        load=load,
        option_site=np.arange(n, dtype=np.int64),
        option_cost=np.zeros(n),
        option_capacity=np.full(n, numbers[4]),
        option_money=np.zeros(n),
        option_counts=np.ones(n, dtype=np.bool_),
        at_most=p,
        exactly=True,
        split=False,
    )


def read_cap(path: Path, capacity: float | None = None) -> CapacityQuestion:
    """Return the question of a capacitated warehouse file: fixed costs, clients may be split."""
    text = _text(path)
    if "capacity" in text.lower():
        if capacity is None:
            raise InputError([_capacity_missing(path)])
        text = text.lower().replace("capacity", repr(float(capacity)))
    numbers = _numbers(path, text)
    m, n = (int(numbers[0]), int(numbers[1])) if len(numbers) >= 2 else (0, 0)
    if m < 1 or n < 1 or len(numbers) < 2 + 2 * m + n * (m + 1):
        raise InputError([_not_of_family(path, "cap")])
    sites = np.array(numbers[2 : 2 + 2 * m]).reshape(m, 2)
    rows = np.array(numbers[2 + 2 * m : 2 + 2 * m + n * (m + 1)]).reshape(n, m + 1)
    return CapacityQuestion(
        cost=rows[:, 1:],
        load=rows[:, 0],
        option_site=np.arange(m, dtype=np.int64),
        option_cost=sites[:, 1],
        option_capacity=np.full(m, capacity) if capacity is not None else sites[:, 0],
        option_money=np.zeros(m),
        option_counts=np.ones(m, dtype=np.bool_),
    )


def _text(path: Path) -> str:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return archive.read(archive.namelist()[0]).decode("ascii")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile, IndexError) as error:
        raise InputError([_unreadable(path, error)]) from error


def _numbers(path: Path, text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise InputError([_unreadable(path, error)]) from error


def _unreadable(path: Path, error: Exception) -> Fault:
    return Fault("BROKEN_FILE", path.name, f"the instance cannot be read: {error}", "Give the file as published")


def _not_of_family(path: Path, family: str) -> Fault:
    reason = f"the file is not a whole instance of family {family}"
    return Fault("BROKEN_FILE", path.name, reason, "Name its family, and give the file as published")


def _capacity_missing(path: Path) -> Fault:
    reason = "the instance leaves the capacity of its sites open"
    return Fault("BAD_ARGUMENTS", path.name, reason, "Give the capacity, for example 8000 for capa")


def _unknown_family(family: str) -> Fault:
    reason = "there is no such family of siting instances"
    remedy = f"Use one of {', '.join(FAMILIES)}"
    return Fault("UNKNOWN_CHOICE", "command line", reason, remedy, field="FAMILY", value=family)
