"""Paper: A4 pages filled from the top with lines, tables and QR codes.

ReportLab's own layout wraps every paragraph several times in Python; a day's manifests took it ten seconds and more.
Sheets need little: text wrapped into columns, rows that may run over a page's end, a head repeated on each page.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby

import segno
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from routing.export.fonts import DocumentFont

INK, SOFT, BLUE = "#1d2730", "#5d6b78", "#0b5cad"
_RULE, _BAND = HexColor("#d5dbe1"), HexColor("#f3f5f7")
_MARGIN, _FOOT = 14 * mm, 17 * mm
WIDTH = A4[0] - 2 * _MARGIN
"""Points between the margins."""
_TOP = A4[1] - _MARGIN
_LEADING = 1.32
_CELL_PADDING = 2.5
_QR_SIDE = 17 * mm
_TALL_ROW = 0.4
"""A row of at most this share of a page moves to the next page whole; a taller one is split between its lines."""
_WIDE_FROM = 0x2E80
"""First code point of the scripts that are written without spaces and may break anywhere."""


@dataclass(frozen=True, slots=True)
class Line:
    """Text of one style; it is wrapped where it is printed."""

    text: str
    size: float
    colour: str = INK


Cell = Sequence[Line]


class Paper:
    """A document being filled; `footer` stands on every page beside its number."""

    def __init__(self, font: DocumentFont, title: str, footer: str) -> None:
        self._font = font
        self._stream = io.BytesIO()
        self._canvas = Canvas(self._stream, pagesize=A4, invariant=1, initialFontName=font.name)  # type: ignore[arg-type]
        self._canvas.setTitle(title)
        self._canvas.setAuthor("Shanlu")
        self._footer = font.drawable(footer)
        self._sheet = ""
        self._y = _TOP
        self._pages = 0

    def start_page(self, bookmark: str | None = None) -> None:
        """Begin a page; a bookmark makes it an entry of the outline and goes into the footers that follow."""
        if self._pages:
            self._canvas.showPage()
        self._pages += 1
        self._y = _TOP
        if bookmark is not None:
            self._sheet = f" · {self._font.drawable(bookmark)}"
        self._print(_MARGIN, 9 * mm, self._footer + self._sheet, 7.5, SOFT)
        number = str(self._pages)
        self._print(A4[0] - _MARGIN - self._font.width(number, 7.5), 9 * mm, number, 7.5, SOFT)
        if bookmark is not None:
            key = f"page-{self._pages}"
            self._canvas.bookmarkPage(key)
            self._canvas.addOutlineEntry(bookmark, key)

    def to_bytes(self) -> bytes:
        """Finish the document and return it."""
        self._canvas.showPage()
        self._canvas.save()
        return self._stream.getvalue()

    def gap(self, height: float) -> None:
        """Leave room."""
        self._y -= height

    def bar(self, colour: str) -> None:
        """Draw a bar across the page."""
        self._canvas.setFillColor(_colour(colour))
        self._canvas.rect(_MARGIN, self._y - 1.6 * mm, WIDTH, 1.6 * mm, stroke=0, fill=1)
        self._y -= 4.6 * mm

    def lines(self, *lines: Line) -> None:
        """Print lines over the full width."""
        for line in self._wrapped(lines, WIDTH):
            self._y -= line.size * _LEADING
            self._print(_MARGIN, self._y, line.text, line.size, line.colour)

    def heading(self, cell: Cell, qr_content: str, *, room: float) -> None:
        """Print lines with a QR code at the right; on a new page where less than `room` would be left below."""
        if self._y - _QR_SIDE - room < _FOOT:
            self.start_page()
        self._qr_code(qr_content, A4[0] - _MARGIN - _QR_SIDE, self._y - _QR_SIDE)
        wrapped = self._wrapped(cell, WIDTH - _QR_SIDE - 4 * mm)
        height = sum(line.size for line in wrapped) * _LEADING
        self._column(wrapped, _MARGIN, self._y - (_QR_SIDE - height) / 2)
        self._y -= _QR_SIDE + 1.5 * mm

    def table(self, widths: Sequence[float], head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Print a table with a shaded head, repeated on each page, and a hairline under each row."""
        lefts = [_MARGIN, *accumulate(widths[:-1], initial=_MARGIN)][1:]
        self._head(lefts, head)
        for row in rows:
            columns = [self._wrapped(cell, width - 2 * _CELL_PADDING) for cell, width in zip(row, widths, strict=True)]
            is_tall = _height(columns) > _TALL_ROW * _TOP
            if not is_tall and not self._fits(columns):
                self.start_page()
                self._head(lefts, head)
            if self._fits(columns):
                self._row(lefts, columns)
            else:
                self._split_row(lefts, columns, head)

    def _fits(self, columns: Sequence[Sequence[Line]]) -> bool:
        return _height(columns) <= self._y - _FOOT

    def _split_row(self, lefts: Sequence[float], columns: list[list[Line]], head: Sequence[str]) -> None:
        while any(columns):
            room = self._y - _FOOT - 2 * _CELL_PADDING
            counts = [_count_fitting(column, room) for column in columns]
            if any(counts):
                self._row(lefts, [column[:count] for column, count in zip(columns, counts, strict=True)])
                columns = [column[count:] for column, count in zip(columns, counts, strict=True)]
            if any(columns):
                self.start_page()
                self._head(lefts, head)

    def _head(self, lefts: Sequence[float], head: Sequence[str]) -> None:
        height = 8 * _LEADING + 2 * _CELL_PADDING
        self._canvas.setFillColor(_BAND)
        self._canvas.rect(_MARGIN, self._y - height, WIDTH, height, stroke=0, fill=1)
        self._row(lefts, [[Line(text, 8, SOFT)] for text in head])

    def _row(self, lefts: Sequence[float], columns: Sequence[Sequence[Line]]) -> None:
        for left, column in zip(lefts, columns, strict=True):
            self._column(column, left + _CELL_PADDING, self._y - _CELL_PADDING)
        self._y -= _height(columns)
        self._canvas.setStrokeColor(_RULE)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(_MARGIN, self._y, _MARGIN + WIDTH, self._y)

    def _column(self, lines: Sequence[Line], x: float, top: float) -> None:
        y = top
        for line in lines:
            y -= line.size * _LEADING
            self._print(x, y + line.size * 0.28, line.text, line.size, line.colour)

    def _print(self, x: float, y: float, text: str, size: float, colour: str) -> None:
        self._canvas.setFont(self._font.name, size)
        self._canvas.setFillColor(_colour(colour))
        self._canvas.drawString(x, y, text)

    def _wrapped(self, lines: Cell, width: float) -> list[Line]:
        """Return the lines cut to a width and with characters the font lacks replaced."""
        return [
            Line(part, line.size, line.colour)
            for line in lines
            for part in wrap(self._font, self._font.drawable(line.text), line.size, width)
        ]

    def _qr_code(self, content: str, x: float, y: float) -> None:
        """Draw a QR code (ISO/IEC 18004, error correction M) with a quiet zone of two modules."""
        matrix = tuple(segno.make(content, error="m", micro=False).matrix_iter(border=2))
        side = _QR_SIDE / len(matrix)
        path = self._canvas.beginPath()
        for row, modules in enumerate(matrix):
            column = 0
            for is_dark, run in groupby(modules, key=bool):
                length = sum(1 for _ in run)
                if is_dark:
                    path.rect(x + column * side, y + _QR_SIDE - (row + 1) * side, length * side, side)
                column += length
        self._canvas.setFillColor(_colour(INK))
        self._canvas.drawPath(path, stroke=0, fill=1)


@cache
def _colour(text: str) -> Color:
    return HexColor(text)


def _height(columns: Sequence[Sequence[Line]]) -> float:
    return max(sum(line.size for line in column) for column in columns) * _LEADING + 2 * _CELL_PADDING


def _count_fitting(lines: Sequence[Line], room: float) -> int:
    heights = accumulate(line.size * _LEADING for line in lines)
    return sum(height <= room for height in heights)


def wrap(font: DocumentFont, text: str, size: float, width: float) -> list[str]:
    """Return the text in lines of at most `width` points, broken at spaces or between Chinese characters.

    A word wider than a line is cut. A text that fits, or an empty one, is one line.
    """
    if font.width(text, size) <= width:
        return [text]
    found: list[str] = []
    line, line_width = "", 0.0
    for word in _words(text):
        if line and line_width + font.width(word.rstrip(), size) > width:
            found.append(line.rstrip())
            line, line_width = "", 0.0
        rest = word
        while font.width(rest, size) > width and len(rest) > 1:
            reaches = accumulate(font.width(char, size) for char in rest)
            cut = max(1, sum(reach <= width for reach in reaches))
            found.append(rest[:cut])
            rest = rest[cut:]
        line += rest
        line_width += font.width(rest, size)
    return [*found, line.rstrip()] if line.strip() else found


def _words(text: str) -> list[str]:
    """Return the pieces between which a line may break, each with the spaces after it."""
    found: list[str] = []
    for char in text:
        starts_new = not found or found[-1][-1] == " " or ord(char) >= _WIDE_FROM or ord(found[-1][-1]) >= _WIDE_FROM
        if starts_new and char != " ":
            found.append(char)
        elif found:
            found[-1] += char
    return found
