"""Opens map.html from disk in headless Chromium without a network and uses it as a person would."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from routing.export.map_data import map_data
from routing.export.map_page import map_page
from routing.export.scene import Scene

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LAPTOP: ViewportSize = {"width": 960, "height": 600}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _sample_module() -> ModuleType:
    """Load the hand-made plan, which lies beside the unit tests of the exports."""
    path = Path(__file__).resolve().parents[1] / "unit" / "export" / "sample_plan.py"
    spec = importlib.util.spec_from_file_location("sample_plan_of_the_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A plan with some routes of every kind."""
    found: Scene = _sample_module().sample_scene(routes=10)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or a skip."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium: install Debian's package chromium to run the map's browser tests")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> dict[str, str]:
    """Address of the map page by language, in a folder whose name needs escaping."""
    folder = tmp_path_factory.mktemp("out put 云岭")
    found = {}
    for lang in ("en", "zh"):
        path = folder / f"map {lang}.html"
        path.write_bytes(map_page(map_data(scene), lang))
        found[lang] = path.as_uri()
    return found


class OpenMap:
    """A page with everything it asked for and complained about."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready=true]", timeout=60_000)

    def carriers(self) -> list[dict[str, Any]]:
        """Where the carriers drawn on the map are now, by route id."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """() => window.shanlu.data.routes.flatMap((route) => {
                const spot = window.shanlu.whereabouts(route, window.shanlu.state.time);
                return spot ? [{ route: route.id, at: spot.at, moving: spot.moving }] : [];
            })"""
        )
        return found

    def click_at(self, lon: float, lat: float) -> None:
        """Click a point of the land, after bringing it into the middle."""
        self.page.evaluate(
            "([lon, lat]) => new Promise((done) => { const map = window.shanlu.map;"
            " map.once('idle', () => done(null)); map.jumpTo({ center: [lon, lat], zoom: 14 });})",
            [lon, lat],
        )
        box = self.page.locator("#map canvas").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.fixture(scope="module")
def english(browser: Browser, files: dict[str, str]) -> Iterator[OpenMap]:
    """The English map on a small laptop's screen, offline; opened once, for drawing without a GPU takes its time."""
    context = browser.new_context(viewport=LAPTOP, offline=True)
    yield OpenMap(context, files["en"])
    context.close()


@pytest.fixture
def opened(english: OpenMap) -> OpenMap:
    """The English map as it opens: nothing selected, every kind shown."""
    english.page.evaluate("window.shanlu.reset()")
    return english


def test_the_map_opens_from_disk_with_no_network(opened: OpenMap) -> None:
    """Tests that the page draws offline, asks for no address but itself, and reports no error."""
    outside = [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.errors == []
    drawn = opened.page.evaluate(
        "window.shanlu.map.queryRenderedFeatures({ layers: ['route-solid', 'major', 'place'] })"
        ".map((item) => item.layer.id)"
    )
    assert {"route-solid", "major", "place"} <= set(drawn)


def test_figures_credits_and_synthetic_parts_are_in_sight(opened: OpenMap) -> None:
    """Tests the head and the credits line."""
    head = opened.page.inner_text("#head")
    assert "Yunling 云岭" in head
    assert "14 March 2026" in head
    assert "¥3,021" in head
    assert "Synthetic parts: orders, fleet" in head
    credits_line = opened.page.inner_text("#credits")
    assert "© OpenStreetMap contributors (ODbL 1.0)" in credits_line
    assert opened.page.locator("#credits").is_visible()


def test_a_site_name_with_markup_runs_nothing(opened: OpenMap) -> None:
    """Tests that user text is shown as text, in lists, details and names."""
    opened.page.fill("#search", "img src")
    row = opened.page.locator("#list [data-kind=place]").first
    assert "<img src=x" in row.inner_text()
    row.click()
    assert "<img src=x" in opened.page.inner_text("article h2")
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator("img").count() == 0
    assert opened.errors == []


def test_a_route_of_the_list_shows_its_stops_and_times(opened: OpenMap) -> None:
    """Tests the way from the list to a route, on to an order and to a site, and back."""
    opened.page.fill("#search", "R-truck-1")
    opened.page.click("#list [data-kind=route]")
    detail = opened.page.inner_text("article[data-detail=route]")
    assert "07:00 – 07:04" in detail
    assert "Rest" in detail
    opened.page.click("article [data-kind=order] >> text=o1")
    detail = opened.page.inner_text("article[data-detail=order]")
    assert "truck-1" in detail
    assert "tricycle-1" in detail
    opened.page.click("article [data-kind=place] >> text=石门镇")
    assert "Town station" in opened.page.inner_text("article[data-detail=place]")
    opened.page.click("#back")
    assert opened.page.locator("#list").is_visible()
    assert opened.errors == []


def test_unassigned_orders_are_listed_with_reason_and_remedy(opened: OpenMap) -> None:
    """Tests the list of what is not served, with rejected rows."""
    opened.page.click("[data-tab=missing]")
    text = opened.page.inner_text("#list")
    assert "TOO_HEAVY" in text
    assert "no such site" in text
    opened.page.click("#list [data-kind=order]")
    assert "A van of 400 kg at the hub would take it." in opened.page.inner_text("article")


def test_sites_and_routes_can_be_clicked_on_the_map(opened: OpenMap, scene: Scene) -> None:
    """Tests that a click on a site opens it, one on a lonely stretch of a route that route, one beside closes it."""
    site = scene.places["t1v1"]
    opened.page.evaluate(f"window.shanlu.setTime({3 * 3600})")
    opened.click_at(site.lon, site.lat)
    opened.page.wait_for_selector("article[data-detail=place]")
    assert "t1v1" in opened.page.inner_text("article")
    line = scene.paths["D-1-1", 0]
    lon, lat = (line[4, :2] + line[5, :2]) / 2
    opened.click_at(float(lon), float(lat))
    opened.page.wait_for_selector("article[data-detail=route]")
    opened.click_at(104.95, 27.95)
    opened.page.wait_for_selector("#list")
    assert opened.errors == []


def test_the_slider_moves_the_carriers(opened: OpenMap, scene: Scene) -> None:
    """Tests that carriers are where the plan has them: at a stop, on the way between two, or nowhere."""
    route = next(route for route in scene.document.routes if route.id == "R-tri-1")
    depart_s, arrive_s = route.stops[0].departure_s, route.stops[1].arrival_s
    seen = []
    start_s = route.stops[0].arrival_s
    for time_s in (start_s - 60, start_s + 30, (depart_s + arrive_s) // 2, arrive_s + 30):
        opened.page.locator("#time").fill(str(time_s // 30 * 30))
        seen.append(next((spot for spot in opened.carriers() if spot["route"] == "R-tri-1"), None))
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1]["at"] == pytest.approx([scene.places["t0"].lon, scene.places["t0"].lat], abs=1e-5)
    assert seen[2] is not None
    assert seen[2]["moving"]
    line = scene.paths["R-tri-1", 0]
    assert min(abs(line[:, 0] - seen[2]["at"][0]) + abs(line[:, 1] - seen[2]["at"][1])) < 0.004
    assert seen[3] is not None
    assert not seen[3]["moving"]
    assert opened.page.inner_text("#clock output")[:2] == f"{(arrive_s + 30) // 3600:02d}"


def test_play_lets_time_pass_and_pause_stops_it(opened: OpenMap) -> None:
    """Tests the play button."""
    start_s = opened.page.evaluate("window.shanlu.state.time")
    opened.page.click("#play")
    for _ in range(200):  # the page's policy forbids the evaluation that `wait_for_function` relies on
        opened.page.wait_for_timeout(50)
        if opened.page.evaluate("window.shanlu.state.time") > start_s + 60:
            break
    opened.page.click("#play")
    stopped_s = opened.page.evaluate("window.shanlu.state.time")
    assert stopped_s > start_s + 60
    opened.page.wait_for_timeout(150)
    assert opened.page.evaluate("window.shanlu.state.time") == stopped_s


def test_kinds_can_be_hidden(opened: OpenMap) -> None:
    """Tests that switching a kind off takes it out of list and map, and back."""
    every = opened.page.locator("#list [data-kind=route]").count()
    opened.page.click(".kind[data-category=van]")
    fewer = opened.page.locator("#list [data-kind=route]").count()
    assert 0 < fewer < every
    categories = opened.page.evaluate("window.shanlu.map.getFilter('route-solid')[2][1]")
    assert "van" not in categories
    assert "truck" in categories
    opened.page.click(".more")
    assert opened.page.locator("#list [data-kind=route]").count() == every


def test_the_language_can_be_changed_and_chosen(browser: Browser, opened: OpenMap, files: dict[str, str]) -> None:
    """Tests that --lang zh opens in Chinese and either map can change over."""
    opened.page.click("#language")
    assert "已安排订单" in opened.page.inner_text("#head")
    context = browser.new_context(viewport=LAPTOP, offline=True)
    chinese = OpenMap(context, files["zh"])
    assert "三轮车" in chinese.page.inner_text("#legend")
    assert "2026年3月14日" in chinese.page.inner_text("#head")
    chinese.page.click("#language")
    assert "Cargo tricycle" in chinese.page.inner_text("#legend")
    assert chinese.errors == []
    context.close()


def test_the_map_fits_a_phone(browser: Browser, files: dict[str, str]) -> None:
    """Tests that nothing is wider than a phone and the parts one needs are in reach."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, offline=True)
    phone = OpenMap(context, files["en"])
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.page.locator("#play").is_visible()
    assert phone.page.locator("#credits").is_visible()
    phone.page.locator("#list [data-kind=route]").first.tap()
    heading = phone.page.locator("article h2").bounding_box()
    assert heading is not None
    assert 0 < heading["y"] < 844
    assert phone.errors == []
    context.close()
