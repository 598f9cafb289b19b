"""The few figures that matter, for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from routing.model.plan import CarrierKind, Route
from routing.pipeline import Outcome

KINDS: tuple[CarrierKind, ...] = ("vehicle", "bus", "drone", "courier")
WIDTH = 80
_RULER = Console(width=WIDTH)
"""Measures text; prints nothing."""
_LABEL = 22
_LONG = 0.1
"""Share of the run that a stage must take to be named."""
_REASONS = 3
"""Reasons of unserved orders that are named, the most frequent ones."""


def summary_lines(outcome: Outcome) -> list[str]:
    """Return title, figures and notes as lines of at most `WIDTH` characters."""
    ref = outcome.document.scenario
    lines = [f"{ref.name}, {ref.service_date}"]
    for label, value in (*_orders(outcome), *_money(outcome), *_carriers(outcome), *_run(outcome)):
        lines += _wrapped(f"  {label:<{_LABEL}}", value)
    for note in outcome.notes:
        lines += _wrapped("note: ", note.text)
    return lines


def _wrapped(lead: str, text: str) -> list[str]:
    """Return text after a lead in lines of at most `WIDTH` columns; Chinese characters take two each."""
    lines = [line.plain.rstrip() for line in Text(text).wrap(_RULER, WIDTH - len(lead))]
    return [(" " * len(lead) if number else lead) + line for number, line in enumerate(lines)]


def _orders(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield who is served, with and without a road vehicle's reach, and why the others are not."""
    document = outcome.document
    served = {entry.order for entry in document.orders}
    beyond = set(outcome.beyond_vehicles)
    total = len(served) + len(document.unassigned)
    yield "orders served", f"{len(served)} of {total}"
    if beyond:
        yield "  in reach of vans", f"{len(served - beyond)} of {total - len(beyond)}"
        yield "  no van reaches", f"{len(served & beyond)} of {len(beyond)} (there is no road from door to door)"
    if document.unassigned:
        reasons = Counter(entry.reason for entry in document.unassigned).most_common()
        named = [f"{reason} {count}" for reason, count in reasons[:_REASONS]]
        if len(reasons) > _REASONS:
            named.append(f"others {sum(count for _, count in reasons[_REASONS:])}")
        yield "orders not served", f"{len(document.unassigned)}: {', '.join(named)}"
    if document.rejected:
        yield "order rows rejected", f"{len(document.rejected)} (listed in report.json)"


def _money(outcome: Outcome) -> Iterator[tuple[str, str]]:
    objective = outcome.document.objective
    carriage = objective.total - objective.lines.unassigned
    yield "cost of carriage", f"{money(carriage)} {objective.currency}"
    if outcome.document.orders:
        yield "  per order served", f"{money(round(carriage / len(outcome.document.orders)))} {objective.currency}"
    if objective.lines.unassigned:
        yield "price of not serving", f"{money(objective.lines.unassigned)} {objective.currency}"


def _carriers(outcome: Outcome) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        routes = [route for route in outcome.document.routes if route.kind == kind]
        if routes:
            yield f"{kind} routes", _use(routes)


def _use(routes: list[Route]) -> str:
    orders = len({hand.order for route in routes for stop in route.stops for hand in stop.load})
    metres = sum(stop.movement.distance_m for route in routes for stop in route.stops if stop.movement)
    driven = f", {metres / 1000.0:,.0f} km" if metres else ""
    return f"{len(routes)} with {orders} order{'' if orders == 1 else 's'}{driven}"


def _run(outcome: Outcome) -> Iterator[tuple[str, str]]:
    yield "checker", "clean" if outcome.report.is_clean else f"{len(outcome.report.violations)} violations"
    total_s = sum(outcome.timings_s.values())
    long = {stage: seconds for stage, seconds in outcome.timings_s.items() if seconds >= _LONG * total_s}
    yield "time", f"{total_s:.1f} s ({', '.join(f'{stage} {seconds:.1f}' for stage, seconds in long.items())})"


def money(minor: int) -> str:
    """Return minor units as a decimal amount with thousands separators."""
    return f"{minor / 100:,.2f}"
