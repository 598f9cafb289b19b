"""A TrueType font with just the glyphs a document needs, for embedding.

ReportLab's own Chinese fonts are names only and leave the glyphs to the viewer, and it refuses the PostScript outlines
of Noto Sans SC (Open Font License, from the package ``pylopdf-fonts-zh-cn``). So the outlines of the characters in use
are converted to TrueType here, in memory.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from collections.abc import Iterable
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont as FontFile
from pylopdf_fonts_zh_cn import sans_path
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

MAX_OUTLINE_ERROR = 1.0
"""Largest deviation of a converted outline, in units of 1/1000 em: 0.004 mm at 12 pt."""
REPLACEMENT = "\u25a1"
"""Shown for a character the font lacks: an empty box."""


class DocumentFont:
    """A registered ReportLab font that holds the characters of one document."""

    def __init__(self, texts: Iterable[str]) -> None:
        asked = {char for text in texts for char in text if char.isprintable()} | {" ", REPLACEMENT}
        with FontFile(sans_path(), lazy=True) as source:
            cmap: dict[int, str] = source.getBestCmap()
            self._substitutes = {char: _substitute(char, cmap) for char in sorted(asked) if ord(char) not in cmap}
            shown = (asked - set(self._substitutes)) | {char for text in self._substitutes.values() for char in text}
            characters = "".join(sorted(shown))
            self.name = f"NotoSansSC-{hashlib.sha256(characters.encode()).hexdigest()[:12]}"
            if self.name not in pdfmetrics.getRegisteredFontNames():
                data = _truetype(source, cmap, characters, self.name)
                pdfmetrics.registerFont(TTFont(self.name, io.BytesIO(data)))

        face: Any = vars(pdfmetrics.getFont(self.name))["face"]
        self._widths: dict[int, float] = face.charWidths
        self._default_width: float = face.defaultWidth

    def width(self, text: str, size: float) -> float:
        """Return the width of a drawable text in points."""
        widths, default = self._widths, self._default_width
        return sum(widths.get(ord(char), default) for char in text) * size / 1000.0

    def drawable(self, text: str) -> str:
        """Return the text with characters the font lacks replaced by the nearest it has."""
        return "".join(self._substitutes.get(char, char) for char in text if char.isprintable())


def _substitute(char: str, cmap: dict[int, str]) -> str:
    """Return the compatibility form of a character, or its base letter, or the empty box."""
    normal = unicodedata.normalize("NFKC", char)
    base = unicodedata.normalize("NFKD", char)[:1]
    return next((text for text in (normal, base) if all(ord(part) in cmap for part in text)), REPLACEMENT)


def _truetype(source: Any, cmap: dict[int, str], characters: str, name: str) -> bytes:
    glyphs = source.getGlyphSet()
    names = [".notdef", *dict.fromkeys(cmap[ord(char)] for char in characters)]
    outlines, metrics = {}, {}
    for glyph_name in names:
        pen = TTGlyphPen(None)
        glyphs[glyph_name].draw(Cu2QuPen(pen, MAX_OUTLINE_ERROR, reverse_direction=True))
        outlines[glyph_name] = pen.glyph()
        metrics[glyph_name] = (glyphs[glyph_name].width, 0)
    builder = FontBuilder(source["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(char): cmap[ord(char)] for char in characters})
    builder.setupGlyf(outlines)
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics({key: (width, table[key].xMin) for key, (width, _) in metrics.items()})
    ascent, descent = source["hhea"].ascent, source["hhea"].descent
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    builder.setupNameTable({"familyName": "Noto Sans SC", "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=ascent, sTypoDescender=descent, usWinAscent=ascent, usWinDescent=-descent)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()
