import io
from dataclasses import replace
from functools import cache

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.export.fonts import DocumentFont
from routing.export.manifest_pdf import manifests_pdf
from routing.export.outputs import PRINTED_KINDS
from routing.export.paper import Line, Paper, wrap
from routing.export.scene import Scene
from routing.export.sheets import carrier_sheets, station_sheets
from routing.export.wording import wording_of

Printed = tuple[str, bytes, pypdf.PdfReader]
"""Language, bytes and pages of the printed manifests."""


def _pdf(scene: Scene, lang: str) -> bytes:
    wording = wording_of(lang)
    carriers = carrier_sheets(scene, wording, PRINTED_KINDS)
    return manifests_pdf(carriers, station_sheets(scene, wording), wording, title="Yunling 云岭", date="2026-03-14")


@pytest.fixture(scope="module", params=["en", "zh"])
def printed(request: pytest.FixtureRequest, scene: Scene) -> Printed:
    """Language, bytes and pages of the printed manifests."""
    data = _pdf(scene, request.param)
    return request.param, data, pypdf.PdfReader(io.BytesIO(data))


def test_each_carrier_and_station_begins_a_page(printed: Printed, scene: Scene) -> None:
    """Tests that the outline names every carrier and every station where goods change hands."""
    lang, _, reader = printed
    wording = wording_of(lang)
    titles = [entry["/Title"] for entry in reader.outline]
    carriers = {route.carrier for route in scene.document.routes}
    assert len(titles) == len(carriers) + len(station_sheets(scene, wording))
    assert len(titles) <= len(reader.pages)
    assert {"en": "Truck truck-1", "zh": "货车 truck-1"}[lang] in titles
    assert "云岭县" in titles


def test_pages_hold_times_places_and_goods(printed: Printed) -> None:
    """Tests that Chinese and English text can be read out of the printed page again."""
    lang, _, reader = printed
    text = next(page.extract_text() for page in reader.pages if "R-truck-1" in page.extract_text())
    assert "07:00" in text
    assert "云岭县" in text
    assert {"en": "Rest", "zh": "休息"}[lang] in text
    assert "o4" in text


def test_every_font_is_embedded(printed: Printed) -> None:
    """Tests that the document does not lean on the viewer's fonts, and embeds a part of one only."""
    _, data, reader = printed
    fonts = {}
    for page in reader.pages:
        fonts |= dict(page["/Resources"]["/Font"].items())
    assert fonts
    for font in fonts.values():
        descriptor = font.get_object()["/FontDescriptor"]
        assert "/FontFile2" in descriptor
    assert len(data) < 400_000


def test_equal_plans_give_equal_bytes(printed: Printed, scene: Scene) -> None:
    """Tests that no date or random id gets into the file."""
    lang, data, _ = printed
    assert _pdf(scene, lang) == data


def test_a_day_without_work_is_one_page(scene: Scene) -> None:
    """Tests that an empty plan prints a page that says so."""
    idle = replace(scene, document=replace(scene.document, routes=(), orders=()))
    (page,) = pypdf.PdfReader(io.BytesIO(_pdf(idle, "en"))).pages
    assert "No carrier has anything to do." in page.extract_text()


def test_a_stop_longer_than_a_page_runs_on_under_its_head() -> None:
    """Tests that no line of a row taller than a page is lost and the head is repeated."""
    font = DocumentFont(["0123456789 line head sheet"])
    paper = Paper(font, "t", "f")
    paper.start_page("sheet")
    paper.table((100, 200), ("head", ""), [[[Line("0", 8)], [Line(f"line {k}", 8) for k in range(150)]]])
    pages = pypdf.PdfReader(io.BytesIO(paper.to_bytes())).pages
    texts = [page.extract_text() for page in pages]
    assert len(pages) == 3
    assert all("head" in text and "sheet" in text for text in texts)
    assert [line for text in texts for line in text.split("\n") if line.startswith("line ")] == [
        f"line {k}" for k in range(150)
    ]


def test_characters_the_font_lacks_are_replaced() -> None:
    """Tests that a ligature falls back to its letters and an unknown sign to an empty box."""
    font = DocumentFont(["ŀ fi 垭 🚚"])
    assert font.drawable("ŀa 垭🚚") == "l·a 垭□"


ALPHABET = "ab 云岭，-"
font_of_alphabet = cache(lambda: DocumentFont([ALPHABET]))


@settings(max_examples=60)
@given(st.text(alphabet=ALPHABET, max_size=60), st.floats(20, 200))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: float) -> None:
    """Tests that each line is within the width and the characters come back in order."""
    font = font_of_alphabet()
    lines = wrap(font, text, 9.0, width)
    assert all(font.width(line, 9.0) <= width or len(line) == 1 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
