"""``manifests.pdf``: one page a carrier and one a station (more where the day is long), ready to print.

The same sheets give the same bytes: no creation date, a fixed order, an embedded font made of the characters in use.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from routing.export.fonts import DocumentFont
from routing.export.palette import CATEGORY_COLOURS
from routing.export.sheets import CarrierSheet, RouteEntry, StationEvent, StationSheet, StopEntry, Task
from routing.export.wording import Wording, clock, number

_MARGIN = 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_INK, _SOFT, _RULE, _BAND = HexColor("#1d2730"), HexColor("#5d6b78"), HexColor("#d5dbe1"), HexColor("#f3f5f7")
_STOP_WIDTHS = (8 * mm, 21 * mm, 50 * mm, _WIDTH - 79 * mm)
_EVENT_WIDTHS = (24 * mm, 42 * mm, _WIDTH - 66 * mm)


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
    printer = _Printer(_characters(carriers, stations, wording, title, date), wording)
    story: list[Flowable] = []
    for sheet in carriers:
        story += _page(f"{wording(f'cat_{sheet.category}')} {sheet.title}", printer.carrier_page(sheet))
    for station in stations:
        story += _page(station.name, printer.station_page(station))
    if not story:
        story = [printer.paragraph(wording("nothing_to_do"), 11)]
    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{title} {date}",
        author="Shanlu",
        invariant=True,
        initialFontName=printer.font.name,
    )
    frame = Frame(_MARGIN, 16 * mm, _WIDTH, A4[1] - _MARGIN - 16 * mm, 0, 0, 0, 0)
    footer = printer.drawable(f"{title} · {date}")

    def draw_footer(canvas: Canvas, _document: BaseDocTemplate) -> None:
        canvas.setFont(printer.font.name, 7.5)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, 9 * mm, footer)
        canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, str(canvas.getPageNumber()))

    document.addPageTemplates([PageTemplate("sheet", [frame], onPage=draw_footer)])
    document.build(story)
    return stream.getvalue()


def _page(bookmark: str, flowables: list[Flowable]) -> list[Flowable]:
    return [_Bookmark(bookmark), *flowables, NextPageTemplate("sheet"), PageBreak()]


def _characters(
    carriers: Sequence[CarrierSheet], stations: Sequence[StationSheet], wording: Wording, *texts: str
) -> Iterable[str]:
    """Return texts that hold every character the document may print."""
    sheets = [*(asdict(sheet) for sheet in carriers), *(asdict(sheet) for sheet in stations)]
    ascii_text = "".join(map(chr, range(32, 127)))
    return [json.dumps(sheets, ensure_ascii=False), *wording.labels.values(), *texts, ascii_text, "·–→←▲▼□"]


class _Bookmark(Flowable):
    """An outline entry at the top of a page; takes no room."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.width = self.height = 0

    def draw(self) -> None:
        key = f"page-{self.canv.getPageNumber()}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(self._text, key)


class _QrCode(Flowable):
    """A QR code (ISO/IEC 18004, error correction M) drawn as squares, with its quiet zone."""

    def __init__(self, content: str, size: float) -> None:
        super().__init__()
        self._code = segno.make(content, error="m", micro=False)
        self.width = self.height = size

    def draw(self) -> None:
        rows = tuple(self._code.matrix_iter(border=2))
        side = self.height / len(rows)
        self.canv.setFillColor(_INK)
        for y, row in enumerate(rows):
            for x, is_dark in enumerate(row):
                if is_dark:
                    self.canv.rect(x * side, self.height - (y + 1) * side, side, side, stroke=0, fill=1)


class _Printer:
    """Turns sheets into ReportLab flowables in one font and one language."""

    def __init__(self, texts: Iterable[str], wording: Wording) -> None:
        self.font = DocumentFont(texts)
        self._say = wording
        self._styles: dict[tuple[float, Color], ParagraphStyle] = {}

    def drawable(self, text: str) -> str:
        """Return the text with only characters the font has."""
        return self.font.drawable(text)

    def paragraph(self, text: str, size: float, colour: Color = _INK) -> Paragraph:
        """Return a paragraph of plain text."""
        return self._marked(escape(self.drawable(text)), size, colour)

    def _marked(self, markup: str, size: float, colour: Color = _INK) -> Paragraph:
        """Return a paragraph of ReportLab markup whose user text is escaped already."""
        style = self._styles.setdefault(
            (size, colour),
            ParagraphStyle(
                f"text-{size}-{len(self._styles)}",
                fontName=self.font.name,
                fontSize=size,
                leading=size * 1.32,
                textColor=colour,
                wordWrap="CJK",
            ),
        )
        return Paragraph(markup, style)

    def carrier_page(self, sheet: CarrierSheet) -> list[Flowable]:
        """Return the page of a carrier: a heading, then every route with its stops."""
        say = self._say
        title = f"{say(f'cat_{sheet.category}')} {sheet.title}"
        facts = f"{say('operator')}: {sheet.operator} · {say('id')}: {sheet.carrier}"
        if sheet.kind != "bus":
            facts += f" · {say('base')}: {sheet.base_name}"
        found = [*self._heading(title, facts, CATEGORY_COLOURS[sheet.category])]
        for k, route in enumerate(sheet.routes):
            gap = [Spacer(0, 4 * mm)] if k else []
            found += [*gap, self._route_heading(route), self._stop_table(route)]
        return found

    def station_page(self, sheet: StationSheet) -> list[Flowable]:
        """Return the page of a station: a heading, then every carrier that calls."""
        say = self._say
        facts = f"{say(f'level_{sheet.level}')} · {say('id')}: {sheet.place} · {say('calls', count=len(sheet.events))}"
        rows: list[list[object]] = [[self.paragraph(say(key), 8, _SOFT) for key in ("time", "carrier", "goods")]]
        rows += [self._event_row(event) for event in sheet.events]
        return [*self._heading(sheet.name, facts, "#1d2730"), _ruled(rows, _EVENT_WIDTHS)]

    def _heading(self, title: str, facts: str, colour: str) -> list[Flowable]:
        bar = Table([[""]], colWidths=[_WIDTH], rowHeights=[1.6 * mm])
        bar.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), HexColor(colour))]))
        return [
            bar,
            Spacer(0, 3 * mm),
            self.paragraph(title, 18),
            Spacer(0, 1.5 * mm),
            self.paragraph(facts, 9, _SOFT),
            Spacer(0, 4 * mm),
        ]

    def _route_heading(self, route: RouteEntry) -> Table:
        say = self._say
        way = say("kilometres", km=number(route.distance_m / 1000))
        line = f"{clock(route.start_s)} – {clock(route.end_s)} · {way}"
        words = [self.paragraph(f"{say('route')} {route.route}", 11), self.paragraph(line, 9, _SOFT)]
        table = Table([[words, _QrCode(route.route, 17 * mm)]], colWidths=[_WIDTH - 19 * mm, 19 * mm])
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("TOPPADDING", (0, 0), (-1, -1), 1),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        table.keepWithNext = True
        return table

    def _stop_table(self, route: RouteEntry) -> Table:
        heads: list[object] = [
            self.paragraph(text, 8, _SOFT) for text in ("", self._say("time"), self._say("place"), self._say("goods"))
        ]
        return _ruled([heads, *(self._stop_row(stop) for stop in route.stops)], _STOP_WIDTHS)

    def _stop_row(self, stop: StopEntry) -> list[object]:
        say = self._say
        arrival, departure = clock(stop.arrival_s), clock(stop.departure_s)
        times = arrival if arrival == departure else f"{arrival}<br/>{departure}"
        place = [self.paragraph(stop.place_name, 9.5)]
        if stop.place_name != stop.place:
            place.append(self.paragraph(stop.place, 7.5, _SOFT))
        if stop.distance_m is not None and stop.duration_s is not None:
            way = say("kilometres", km=number(stop.distance_m / 1000))
            onward = f"→ {way} · {say('m_min', count=round(stop.duration_s / 60))}"
            place.append(self.paragraph(onward, 7.5, _SOFT))
        goods = self._tasks(stop.tasks)
        for start_s, end_s in stop.rests:
            goods.append(self.paragraph(f"{say('rest')} {clock(start_s)}–{clock(end_s)}", 8.5))
        if stop.battery_left_wh is not None:
            goods.append(self.paragraph(say("battery_on_arrival", wh=round(stop.battery_left_wh)), 7.5, _SOFT))
        return [self.paragraph(str(stop.number), 8, _SOFT), self._marked(times, 9.5), place, goods or ""]

    def _event_row(self, event: StationEvent) -> list[object]:
        arrival, departure = clock(event.arrival_s), clock(event.departure_s)
        times = arrival if arrival == departure else f"{arrival} – {departure}"
        carrier = [
            self.paragraph(f"{self._say(f'cat_{event.category}')} {event.title}", 9),
            self.paragraph(event.route, 7.5, _SOFT),
        ]
        return [self._marked(times, 9), carrier, self._tasks(event.tasks)]

    def _tasks(self, tasks: Sequence[Task]) -> list[Flowable]:
        """Return the goods of a halt: a summary of each action, then a line an order."""
        found: list[Flowable] = []
        for action in ("unload", "load"):
            chosen = [task for task in tasks if task.action == action]
            if not chosen:
                continue
            pieces, weight_kg = sum(task.pieces for task in chosen), sum(task.weight_kg for task in chosen)
            sign = "▲" if action == "load" else "▼"
            total = self._say("goods_total", orders=len(chosen), pieces=pieces, kg=number(weight_kg))
            found.append(self.paragraph(f"{sign} {self._say(action)}: {total}", 8.5))
            found += [self._task_line(task) for task in chosen]
        return found

    def _task_line(self, task: Task) -> Paragraph:
        arrow = "→" if task.action == "load" else "←"
        parts = [
            task.order,
            self._say("pieces", count=task.pieces),
            self._say("kilograms", kg=number(task.weight_kg)),
            f"{task.product} {arrow} {task.other_end}",
        ]
        text = " · ".join(parts)
        markup = f"□ {escape(self.drawable(text))}"
        if task.note:
            markup += f' <font color="#0b5cad">{escape(self.drawable(task.note))}</font>'
        return self._marked(markup, 8)


def _ruled(rows: list[list[object]], widths: Sequence[float]) -> Table:
    """Return a table with a shaded head, repeated on each page, and a hairline under each row."""
    table = Table(rows, colWidths=list(widths), repeatRows=1, splitInRow=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), _BAND),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return table
