import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sample_plan import NASTY

from geodata.location import FloatArray
from routing.export.map_data import map_data
from routing.export.map_page import map_page, script_json
from routing.export.map_roads import encoded_roads, road_lines
from routing.export.palette import CATEGORY_COLOURS, carrier_colours
from routing.export.polyline import encode_line, simplified
from routing.export.relief import mercator_grid, shaded_relief
from routing.export.scene import CATEGORIES, RoadLine, Scene, category_of


def decode(text: str) -> FloatArray:
    """Reference decoder of encoded polylines, written from the published algorithm."""
    numbers, value, shift = [], 0, 0
    for char in text:
        byte = ord(char) - 63
        value |= (byte & 0x1F) << shift
        shift += 5
        if byte < 0x20:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lats, lons = np.cumsum(numbers[::2]), np.cumsum(numbers[1::2])
    return np.column_stack([lons, lats]) / 1e5


def test_the_published_example_is_encoded_as_published() -> None:
    """Tests the encoding against the example of the format's documentation."""
    line = np.array([[-120.2, 38.5], [-120.95, 40.7], [-126.453, 43.252]])
    assert encode_line(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-85, 85)), min_size=1, max_size=30))
def test_encoded_lines_decode_to_the_same_points(points: list[tuple[float, float]]) -> None:
    """Tests that a line comes back within half a unit of the fifth decimal."""
    line = np.array(points)
    assert np.abs(decode(encode_line(line)) - line).max() <= 0.5e-5 + 1e-9


def test_simplified_lines_stay_near_and_keep_their_ends() -> None:
    """Tests that points on a straight stretch go and corners stay."""
    line = np.column_stack([np.linspace(0, 0.01, 101), np.zeros(101), np.ones(101)])
    line[50, 1] = 0.001
    kept = simplified(line, 4.0)
    assert len(kept) == 5
    assert kept[[0, -1]].tolist() == line[[0, -1], :2].tolist()
    assert 0.001 in kept[:, 1]


def test_two_way_roads_are_drawn_once_as_long_lines() -> None:
    """Tests that edges of both directions join into one line and footways are left out."""
    lon, lat = np.array([0.0, 0.1, 0.2, 0.3]), np.zeros(4)
    start, end = np.array([0, 1, 1, 2, 2]), np.array([1, 0, 2, 1, 3])
    lines = road_lines(["primary"] * 4 + ["footway"], start, end, lon, lat)
    assert [(line.highway, len(line.points)) for line in lines] == [("primary", 3)]


def test_roads_too_many_for_the_page_lose_the_least_first() -> None:
    """Tests that the budget is kept by leaving out tracks before main roads."""
    rng = np.random.default_rng(1)
    roads = [RoadLine(kind, rng.uniform(0, 5, (200, 2))) for kind in ("primary", "track", "track")]
    full = encoded_roads(roads)
    assert len(full["track"]) == 2
    small = encoded_roads(roads, max_encoded=len(full["major"][0]) + 100)
    assert (len(small["major"]), len(small["track"])) == (1, 0)


def test_relief_is_lit_from_the_north_west() -> None:
    """Tests that a slope falling to the north-west is brighter than one falling to the south-east."""
    lon, lat = mercator_grid(0.0, 0.0, 0.2, 0.2, 120)
    cone = 3_000 - 15_000 * np.hypot(lon - 0.1, lat - 0.1)
    relief = shaded_relief(cone, 0.0, 0.0, 0.2, 0.2)
    grey = np.asarray(_picture(relief.png).convert("L"), dtype=float)
    assert grey[40, 40] > grey[80, 80] + 20
    assert grey.shape == cone.shape


def _picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_relief_of_ground_without_heights_is_flat() -> None:
    """Tests that unknown heights do not spoil the picture."""
    heights = np.full((20, 30), 500.0)
    heights[5:8, 5:8] = np.nan
    relief = shaded_relief(heights, 0.0, 0.0, 0.3, 0.2)
    assert len(set(np.asarray(_picture(relief.png).convert("L"))[8:12, 10:20].ravel())) == 1


def test_mercator_grid_has_square_cells_and_covers_the_box() -> None:
    """Tests that rows are even in Mercator, not in degrees, and centres lie inside the edges."""
    lon, lat = mercator_grid(10.0, 60.0, 12.0, 62.0, 100)
    y = np.log(np.tan(np.pi / 4 + np.radians(lat[:, 0]) / 2))
    assert np.allclose(np.diff(y), np.diff(y)[0])
    assert abs(-np.diff(y)[0] - np.radians(2.0) / 100) < 0.02 * np.radians(2.0) / 100
    assert 60 < lat.min() < lat.max() < 62
    assert 10 < lon.min() < lon.max() < 12


def test_carriers_of_a_kind_differ_in_colour() -> None:
    """Tests that six carriers of each kind get six colours and a carrier keeps its own."""
    pairs = [(category, f"{category}-{k}") for category in CATEGORIES for k in range(6)]
    colours = carrier_colours([*pairs, pairs[0]])
    assert len(set(colours.values())) == len(pairs)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())
    assert set(CATEGORY_COLOURS) == set(CATEGORIES)


def test_routes_are_told_apart_by_kind(scene: Scene) -> None:
    """Tests that vehicles go by their profile and others by their kind."""
    categories = {route.id: category_of(route) for route in scene.document.routes}
    assert categories["R-truck-1"] == "truck"
    assert categories["R-tri-1"] == "tricycle"
    assert categories["B-L1-07"] == "bus"
    route = scene.document.routes[0]
    assert category_of(replace(route, profile="reefer", type="reefer_4t")) == "reefer"
    assert category_of(replace(route, profile="tractor", type="tractor")) == "vehicle"


def test_map_data_refers_to_what_it_holds(scene: Scene) -> None:
    """Tests that indices of places, orders and routes fit and lines decode to the movements' ends."""
    data = json.loads(json.dumps(map_data(scene), allow_nan=False))
    assert [place["id"] for place in data["places"]] == list(scene.places)
    for order in data["orders"]:
        for leg in order["legs"]:
            carried = [data["orders"][k]["id"] for k in data["routes"][leg["route"]]["orders"]]
            assert order["id"] in carried
    for route in data["routes"]:
        for here, there in zip(route["stops"], route["stops"][1:], strict=False):
            line = decode(here["way"]["line"])
            assert np.allclose(line[0], data["places"][here["place"]]["at"], atol=2e-5)
            assert np.allclose(line[-1], data["places"][there["place"]]["at"], atol=2e-5)
    assert data["counts"] == {"orders": 23, "served": 22, "unassigned": 1, "rejected": 1}
    assert sum(kind["routes"] for kind in data["kinds"]) == len(data["routes"])


@pytest.fixture(scope="module")
def page(scene: Scene) -> str:
    """The map page as text."""
    return map_page(map_data(scene), "en").decode()


def test_the_page_asks_nothing_of_the_network(page: str) -> None:
    """Tests that no element loads from elsewhere and the policy forbids it."""
    assert not re.search(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=", page.split('id="data"', maxsplit=1)[0])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src &#x27;none&#x27;" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    assert "script-src &#x27;unsafe-inline" not in policy


def test_a_nasty_site_name_stays_data(page: str) -> None:
    """Tests that a name with markup can neither end the script element nor appear as markup."""
    assert page.count("<script") == 3 + page.rsplit("</style>", maxsplit=1)[-1].count("<script>x")
    assert NASTY not in page
    content = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in content
    assert NASTY in [place["name"] for place in json.loads(content)["places"]]


def test_script_json_is_json() -> None:
    """Tests that the escapes are JSON's own and that numbers JSON lacks are refused."""
    text = "</script><!--\u2028 & 云"
    assert json.loads(script_json({"a": text})) == {"a": text}
    with pytest.raises(ValueError, match="JSON"):
        script_json({"a": float("nan")})


def test_the_title_is_escaped(scene: Scene) -> None:
    """Tests that a scenario's name cannot break out of the title element."""
    document = replace(scene.document, scenario=replace(scene.document.scenario, name="<b>&"))
    page = map_page(map_data(replace(scene, document=document)), "zh").decode()
    assert "<title>&lt;b&gt;&amp; · 2026-03-14 · 方案</title>" in page
    assert '<html lang="zh-CN">' in page


def test_a_plan_without_routes_still_makes_a_map(scene: Scene) -> None:
    """Tests that an empty plan has a map."""
    empty = replace(scene, document=replace(scene.document, routes=(), orders=()), paths={}, roads=(), relief=None)
    data = map_data(empty)
    assert data["routes"] == []
    assert map_page(data, "en")
