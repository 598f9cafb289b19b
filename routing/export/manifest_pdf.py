"""``manifests.pdf``: one page a carrier and one a station (more where the day is long), ready to print.

The same sheets give the same bytes: no creation date, a fixed order, an embedded font made of the characters in use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from reportlab.lib.units import mm

from routing.export.fonts import DocumentFont
from routing.export.palette import CATEGORY_COLOURS
from routing.export.paper import BLUE, INK, SOFT, WIDTH, Cell, Line, Paper
from routing.export.sheets import CarrierSheet, RouteEntry, StationEvent, StationSheet, StopEntry, Task
from routing.export.wording import Wording, clock, number

_STOP_WIDTHS = (8 * mm, 21 * mm, 50 * mm, WIDTH - 79 * mm)
_EVENT_WIDTHS = (30 * mm, 42 * mm, WIDTH - 72 * mm)
_ROOM_BELOW_HEADING = 30 * mm


def manifests_pdf(
    carriers: Sequence[CarrierSheet], stations: Sequence[StationSheet], wording: Wording, *, title: str, date: str
) -> bytes:
    """Return the bytes of the printable manifests.

    Parameters
    ----------
    carriers, stations
        The sheets, in the order of the pages; a document without any says so on one page.
    title, date
        Name and service date of the scenario, printed on every page.
    """
    font = DocumentFont(_texts(carriers, stations, wording, title, date))
    paper = Paper(font, f"{title} {date}", f"{title} · {date}")
    for sheet in carriers:
        _print_carrier(paper, wording, sheet)
    for station in stations:
        _print_station(paper, wording, station)
    if not carriers and not stations:
        paper.start_page()
        paper.lines(Line(wording("nothing_to_do"), 11))
    return paper.to_bytes()


def _texts(
    carriers: Sequence[CarrierSheet], stations: Sequence[StationSheet], wording: Wording, *texts: str
) -> Iterable[str]:
    """Return texts that hold every character the document may print."""
    sheets = [*(asdict(sheet) for sheet in carriers), *(asdict(sheet) for sheet in stations)]
    ascii_text = "".join(map(chr, range(32, 127)))
    return [json.dumps(sheets, ensure_ascii=False), *wording.labels.values(), *texts, ascii_text, "·–→←▲▼□"]


def _print_carrier(paper: Paper, say: Wording, sheet: CarrierSheet) -> None:
    """Print the pages of a carrier: a heading, then every route with its stops."""
    title = f"{say(f'cat_{sheet.category}')} {sheet.title}"
    facts = f"{say('operator')}: {sheet.operator} · {say('id')}: {sheet.carrier}"
    if sheet.kind != "bus":
        facts += f" · {say('base')}: {sheet.base_name}"
    _print_heading(paper, title, facts, CATEGORY_COLOURS[sheet.category])
    head = ("", say("time"), say("place"), say("goods"))
    for k, route in enumerate(sheet.routes):
        if k:
            paper.gap(5 * mm)
        paper.heading(_route_lines(route, say), route.route, room=_ROOM_BELOW_HEADING)
        paper.table(_STOP_WIDTHS, head, [_stop_row(stop, say) for stop in route.stops])


def _print_station(paper: Paper, say: Wording, sheet: StationSheet) -> None:
    """Print the pages of a station: a heading, then every carrier that calls."""
    facts = f"{say(f'level_{sheet.level}')} · {say('id')}: {sheet.place} · {say('calls', count=len(sheet.events))}"
    _print_heading(paper, sheet.name, facts, INK)
    head = (say("time"), say("carrier"), say("goods"))
    paper.table(_EVENT_WIDTHS, head, [_event_row(event, say) for event in sheet.events])


def _print_heading(paper: Paper, title: str, facts: str, colour: str) -> None:
    paper.start_page(title)
    paper.bar(colour)
    paper.lines(Line(title, 18))
    paper.gap(1.5 * mm)
    paper.lines(Line(facts, 9, SOFT))
    paper.gap(5 * mm)


def _route_lines(route: RouteEntry, say: Wording) -> Cell:
    facts = f"{clock(route.start_s)} – {clock(route.end_s)}"
    if route.distance_m:
        facts += f" · {say('kilometres', km=number(route.distance_m / 1000))}"
    return (Line(f"{say('route')} {route.route}", 11), Line(facts, 9, SOFT))


def _stop_row(stop: StopEntry, say: Wording) -> list[Cell]:
    arrival, departure = clock(stop.arrival_s), clock(stop.departure_s)
    times = [Line(arrival, 9.5)] if arrival == departure else [Line(arrival, 9.5), Line(departure, 9.5)]
    place = [Line(stop.place_name, 9.5)]
    if stop.place_name != stop.place:
        place.append(Line(stop.place, 7.5, SOFT))
    if stop.duration_s is not None:
        onward = f"→ {say('m_min', count=round(stop.duration_s / 60))}"
        if stop.distance_m:
            onward += f" · {say('kilometres', km=number(stop.distance_m / 1000))}"
        place.append(Line(onward, 7.5, SOFT))
    goods = _task_lines(stop.tasks, say)
    goods += [Line(f"{say('rest')} {clock(start_s)}–{clock(end_s)}", 8.5) for start_s, end_s in stop.rests]
    if stop.battery_left_wh is not None:
        goods.append(Line(say("battery_on_arrival", wh=round(stop.battery_left_wh)), 7.5, SOFT))
    return [[Line(str(stop.number), 8, SOFT)], times, place, goods]


def _event_row(event: StationEvent, say: Wording) -> list[Cell]:
    arrival, departure = clock(event.arrival_s), clock(event.departure_s)
    times = arrival if arrival == departure else f"{arrival} – {departure}"
    carrier = [Line(f"{say(f'cat_{event.category}')} {event.title}", 9), Line(event.route, 7.5, SOFT)]
    return [[Line(times, 9)], carrier, _task_lines(event.tasks, say)]


def _task_lines(tasks: Sequence[Task], say: Wording) -> list[Line]:
    """Return the goods of a halt: a summary of each action, then a line an order and one for how to keep it."""
    found: list[Line] = []
    for action, sign, arrow in (("unload", "▼", "←"), ("load", "▲", "→")):
        chosen = [task for task in tasks if task.action == action]
        if not chosen:
            continue
        pieces, weight_kg = sum(task.pieces for task in chosen), sum(task.weight_kg for task in chosen)
        total = say("goods_total", orders=len(chosen), pieces=pieces, kg=number(weight_kg))
        found.append(Line(f"{sign} {say(action)}: {total}", 8.5))
        for task in chosen:
            pieces_text, kg_text = say("pieces", count=task.pieces), say("kilograms", kg=number(task.weight_kg))
            text = f"□ {task.order} · {pieces_text} · {kg_text} · {task.product} {arrow} {task.other_end}"
            found.append(Line(text, 8))
            if task.note:
                found.append(Line(task.note, 7.5, BLUE))
    return found
