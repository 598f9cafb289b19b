"""The few figures that matter, for the terminal."""

from __future__ import annotations

from rich.table import Table

from routing.model.plan import CarrierKind
from routing.pipeline import Outcome

KINDS: tuple[CarrierKind, ...] = ("vehicle", "bus", "drone", "courier")


def summary_table(outcome: Outcome) -> Table:
    """Return a table of served orders, cost and use by carrier kind."""
    document = outcome.document
    table = Table(title=f"{document.scenario.name}, {document.scenario.service_date}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    served, unassigned = len(document.orders), len(document.unassigned)
    table.add_row("orders served", f"{served} of {served + unassigned}")
    if document.rejected:
        table.add_row("order rows rejected", str(len(document.rejected)))
    if outcome.unreachable_by_vehicle:
        table.add_row("  of them no van can reach door to door", str(outcome.unreachable_by_vehicle))
    table.add_row("cost of the day", f"{money(document.objective.total)} {document.objective.currency}")
    carriage = document.objective.total - document.objective.lines.unassigned
    if served:
        table.add_row("  carriage per served order", f"{money(round(carriage / served))}")
    for kind in KINDS:
        routes = [route for route in document.routes if route.kind == kind]
        if not routes:
            continue
        km = sum(stop.movement.distance_m for route in routes for stop in route.stops if stop.movement) / 1000.0
        carried = len({hand.order for route in routes for stop in route.stops for hand in stop.load})
        table.add_row(f"{kind} routes", f"{len(routes)} ({km:,.0f} km, {carried} orders)")
    table.add_row("checker", "clean" if outcome.report.is_clean else f"{len(outcome.report.violations)} violations")
    table.add_row("time", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in outcome.timings_s.items()))
    return table


def money(minor: int) -> str:
    """Return minor units as a decimal amount with thousands separators."""
    return f"{minor / 100:,.2f}"
