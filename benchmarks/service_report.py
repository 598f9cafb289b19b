"""The page of the service's measurements, made of their figures; parts run at less than full size say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]
FULL = {"clients": 200, "seconds": 300.0, "kills": 20, "plans": 1_000, "cases": 20_000}
"""Sizes of the full measurement."""
_HEAD = """# The service: load, faults, replanning

Written by `make bench-service` (`python -m benchmarks.service [PART ...]`) from `service.json`;
each part names when and on what it ran. "Partial" is what ran at less than its full size. Times on the wall depend on
what else the machine did, so the processor's seconds stand beside them.
"""


def report(parts: Mapping[str, Figures]) -> str:
    """Return the page as Markdown."""
    sections = [_HEAD]
    for name, title, tell in (
        ("load", "Load", _load),
        ("kills", "Killed processes", _kills),
        ("memory", "Memory over many small plans", _memory),
        ("first-plan", "A large day on a prepared network", _first_plan),
        ("replan", "Replanning the Andorra day", _replan),
        ("fuzz", "Generated requests", _fuzz),
    ):
        found = parts.get(name)
        body = "Not run.\n" if found is None else f"{found['conditions']}.\n\n{tell(found)}"
        sections.append(f"## {title}\n\n`python -m benchmarks.service {name}`. {body}")
    return "\n".join(sections)


def _partial(figures: Figures, *names: str) -> str:
    less = [f"{figures[name]:g} of {FULL[name]:g} {name}" for name in names if figures[name] < FULL[name]]
    return f"Partial: {', '.join(less)}. " if less else ""


def _bar(holds: bool) -> str:
    return "kept" if holds else "**not kept**"


def _load(found: Figures) -> str:
    read, submit, late = found["read_ms"], found["submit_ms"], found["sent_late_ms"]
    requests = found["reads"] + found["submits"]
    rows = "\n".join(
        f"| {name} | {count} | {of['p50']} | {of['p95']} | {of['p99']} | {of['max']} | {bar} |"
        for name, count, of, bar in (
            ("reads of a status", found["reads"], read, f"100 ms: {_bar(read['p95'] <= 100.0)}"),
            ("submitted plans", found["submits"], submit, f"300 ms: {_bar(submit['p95'] <= 300.0)}"),
            ("sent late by the clients themselves", requests, late, ""),
        )
        if of
    )
    return (
        f"{_partial(found, 'clients', 'seconds')}{found['clients']} clients, each asking about once a second at its "
        f"own random moments whether it was answered or not, for {found['seconds']:g} s; one in a hundred requests "
        f"submits a plan; {found['plans_solving_to_the_end']} of two plans were being made from beginning to end by "
        "two workers. Times count from when a request was due.\n\n"
        f"| | number | p50 ms | p95 ms | p99 ms | longest ms | bar for p95 |\n|---|---|---|---|---|---|---|\n{rows}\n\n"
        f"Errors: {found['error_count']} ({_bar(not found['error_count'])}). The server used "
        f"{found['server_cpu_s']:g} s of the processor, {found['server_cpu_s'] / requests * 1_000:.2f} ms a request "
        f"(submitted plans included), the clients {found['client_cpu_s']:g} s; it held {found['server_mb'][0]} MB "
        f"before and {found['server_mb'][1]} MB after.\n"
    )


def _kills(found: Figures) -> str:
    kills = found["server_kills"] + found["worker_kills"]
    doubled = found["doubled_jobs"] + found["doubled_runs"] + found["doubled_results"]
    sound = not (found["lost"] or doubled or found["unequal"])
    return (
        f"{_partial({'kills': kills}, 'kills')}`kill -9` at {kills} random moments of running jobs: of the server "
        f"{found['server_kills']} times, in the middle of a request to make a plan, of the worker "
        f"{found['worker_kills']} times. The client repeats what was not answered under the same idempotency key.\n\n"
        "| accepted | successful | attempts cut short | lost | doubled | equal requests, unequal plans | bar |\n"
        "|---|---|---|---|---|---|---|\n"
        f"| {found['accepted']} | {found['successful']} | {found['cut']} | {found['lost']} | {doubled} "
        f"| {found['unequal']} | none lost, none doubled: {_bar(sound)} |\n"
    )


def _memory(found: Figures) -> str:
    rows = "\n".join(
        f"| {of['plans']} | {of['server_mb']:.0f} | {of['worker_mb']:.0f} | {of['seconds']:.0f} |"
        for of in found["samples"]
    )
    return (
        f"{_partial(found, 'plans')}Plans of twenty orders, one after the other, each read while it is made and "
        "fetched when it is; resident memory.\n\n"
        f"| plans | server MB | worker MB | seconds |\n|---|---|---|---|\n{rows}\n"
    )


def _first_plan(found: Figures) -> str:
    rows = "\n".join(
        f"| {number} | {day['state']} | {day['first_s']} | {day['whole_s']} | {day['worker_cpu_s']} | {day['served']} "
        f"| {_bar(day['first_s'] <= 10.0)} |"
        for number, day in enumerate(found["days"], 1)
    )
    return (
        f"{found['orders']} orders on the network of Andorra, prepared in {found['network_s']} s, with "
        f"{found['search_s']:g} s of search, submitted one after the other to one worker; the first finds its "
        "matrices not reckoned yet.\n\n"
        "| day | state | s to the first checked plan | s to all files | worker's CPU s | served | bar of 10 s |\n"
        f"|---|---|---|---|---|---|---|\n{rows}\n"
    )


def _replan(found: Figures) -> str:
    rows = "\n".join(_replan_row(row) for row in found["rows"])
    return (
        f"{found['orders']} orders, planned for 30 s, disturbed at 11:00. Every plan was clean by the checker and left "
        f"all that had begun as it was. The full solve begins with an empty plan of the same rest of the day and has "
        f"{found['full_s']:g} s.\n\n"
        "| disturbance | s | of CPU, s | cost | full solve | difference | unassigned | orders moved | stranded "
        "| bars: 5 s, 3 % |\n"
        f"|---|---|---|---|---|---|---|---|---|---|\n{rows}\n"
    )


def _replan_row(row: Figures) -> str:
    difference = row["cost"] / row["full_cost"] - 1.0
    return (
        f"| {row['name']} | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['cost'] / 100:.2f} "
        f"| {row['full_cost'] / 100:.2f} | {difference:+.1%} | {row['unassigned']} | {row['moved']} "
        f"| {row['stranded']} | {_bar(row['wall_s'] <= 5.0)}, {_bar(difference <= 0.03)} |"
    )


def _fuzz(found: Figures) -> str:
    told = "no 5xx, no answer OpenAPI does not know" if found["passed"] else "**failed**"
    walks = f", four in ten of them in walks from answer to answer (seed {found['seed']})" if "seed" in found else ""
    cases = f"{found['cases']} cases over all operations{walks} in {found['seconds']} s"
    return f"{_partial(found, 'cases')}{cases}: {told}.\n"
