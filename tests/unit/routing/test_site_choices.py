"""How hub, parents, population and pads are chosen."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely

from geodata.errors import InputError
from geodata.location import Level, Site
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.osm_features import OsmBoundary, OsmPlace
from routing.generation.pads import choose_pads
from routing.generation.parents import choose_parents
from routing.generation.population import Population, PopulationRow, plain_name, populations, read_population
from routing.generation.sites import choose_hub


def place(osm_id: str, kind: str, lon: float, lat: float = 27.0, **more: object) -> OsmPlace:
    """Return a place named like its id unless told otherwise."""
    given = {"name": osm_id, "names": {}} | more
    return OsmPlace(osm_id=osm_id, kind=kind, lon=lon, lat=lat, **given)  # type: ignore[arg-type]


def roads(ids: list[str], seconds: dict[tuple[str, str], int]) -> TravelMatrix:
    """Return road times for the pairs given, no road for the others."""
    duration = np.full((len(ids), len(ids)), UNREACHABLE_S, dtype=np.int64)
    np.fill_diagonal(duration, 0)
    for (start, end), value in seconds.items():
        duration[ids.index(start), ids.index(end)] = value
    return TravelMatrix("van", tuple(ids), duration, duration * 0, duration * 0.0)


def hub_of(*places: OsmPlace) -> str:
    """Return the id of the hub chosen."""
    return choose_hub(places, populations(places, ())[0])[0].osm_id


def test_the_hub_is_the_most_populous_place() -> None:
    """Tests that a known population beats the assumed ones of greater kinds, and equals go to the capital."""
    town = place("t", "town", 100.0, population=4_000)
    assert hub_of(town, place("v", "village", 100.1, population=9_000)) == "v"
    assert hub_of(town, place("w", "town", 100.1)) == "w"  # 5,000 are assumed of a town
    assert hub_of(town, place("w", "town", 100.1, population=4_000, capital="8")) == "w"


def test_the_hub_where_no_town_has_a_population() -> None:
    """Tests the fallback: the capital, else the greatest kind, else the place with most others around."""
    far, near = place("a", "town", 101.0), place("b", "town", 100.0)
    village = place("v", "village", 100.01, population=40)
    assert hub_of(far, near, village) == "b"
    assert hub_of(far, near, village, place("c", "town", 103.0, capital="yes")) == "c"
    assert hub_of(village, place("h", "hamlet", 100.0)) == "v"


def test_a_village_belongs_to_its_areas_seat_else_to_the_nearest_town_by_road() -> None:
    """Tests that the area's seat beats a nearer town, and that the road, not the line, decides elsewhere."""
    places = [
        place("a", "town", 100.0),
        place("b", "town", 100.2),
        place("in", "village", 100.19),
        place("out", "village", 100.05, 27.5),
        place("cut", "village", 100.21, 27.5),
    ]
    levels = {p.osm_id: Level.TOWN if p.kind == "town" else Level.VILLAGE for p in places}
    area = OsmBoundary("r1", "", 8, shapely.box(99.9, 26.9, 100.195, 27.1), seat="a")
    county = OsmBoundary("r2", "", 6, shapely.box(99, 26, 101, 28), seat="a")
    road = roads([p.osm_id for p in places], {("a", "in"): 900, ("b", "in"): 60, ("a", "out"): 900, ("b", "out"): 600})
    assert choose_parents(places, levels, [county, area], road) == {"in": "a", "out": "b", "cut": "b"}


def test_an_area_without_seat_goes_by_its_name_or_its_only_town() -> None:
    """Tests that the label, the namesake, or the only town in it counts as seat, and that broken areas do not."""
    places = [
        place("a", "town", 100.0, name="Aldea"),
        place("b", "town", 100.2, name="Berg"),
        place("v", "village", 100.1),
    ]
    levels = {"a": Level.TOWN, "b": Level.TOWN, "v": Level.VILLAGE}
    road = roads(["a", "b", "v"], {("a", "v"): 900, ("b", "v"): 60})

    def parent(**area: object) -> str:
        given = {"name": "", "polygon": shapely.box(99.9, 26.9, 100.15, 27.1)} | area
        return choose_parents(places, levels, [OsmBoundary("r", admin_level=8, **given)], road)["v"]  # type: ignore[arg-type]

    assert parent(label="a") == "a"
    assert parent(name="ALDEA") == "a"
    assert parent() == "a"
    assert parent(polygon=None, seat="a") == "b"
    assert parent(polygon=shapely.box(99.9, 26.9, 100.3, 27.1), seat="a") == "b"  # it holds all towns


def test_a_group_belongs_to_the_nearest_village_of_its_town() -> None:
    """Tests that a group stays within its town's area although a village beyond it is nearer."""
    places = [
        place("a", "town", 100.0),
        place("b", "town", 100.2),
        place("va", "village", 100.02),
        place("vb", "village", 100.16),
        place("g", "hamlet", 100.14),
    ]
    road_ids = [p.osm_id for p in places]
    levels = dict(zip(road_ids, [Level.TOWN] * 2 + [Level.VILLAGE] * 2 + [Level.GROUP], strict=True))
    areas = [OsmBoundary("r", "", 8, shapely.box(99.9, 26.9, 100.15, 27.1), seat="a")]
    seconds = {("a", "g"): 700, ("va", "g"): 600, ("vb", "g"): 60, ("b", "vb"): 60, ("a", "va"): 60}
    road = roads(road_ids, seconds)
    assert choose_parents(places, levels, areas, road)["g"] == "va"
    assert choose_parents(places, levels, [], road)["g"] == "vb"


def test_rows_match_places_by_name_and_distance() -> None:
    """Tests that articles and accents do not matter, of two namesakes the nearer is meant, and each is used once."""
    places = [
        place("n1", "village", 100.0, name="l’Aldosa de Canillo"),
        place("n2", "village", 100.1, name="L'Aldosa"),
        place("n3", "village", 100.12, name="Aldosà"),
        place("n4", "village", 100.5, name="Sant Julià de Lòria", names={"en": "Saint Julian"}),
    ]
    rows = [
        PopulationRow("Aldosa", 100.118, 27.0, 70),
        PopulationRow("Aldosa", 100.001, 27.0, 30),
        PopulationRow("Sant Julia de Loria", 100.51, 27.0, 8_000),
        PopulationRow("Saint Julian", 100.52, 27.0, 1),
        PopulationRow("Aldosa", 101.0, 27.0, 2),
    ]
    people, unmatched = populations(places, rows)
    assert {key: (figure.people, figure.source) for key, figure in people.items()} == {
        "n1": (30, "file"),
        "n2": (300, "assumed"),
        "n3": (70, "file"),
        "n4": (8_000, "file"),
    }
    assert unmatched == ["Saint Julian", "Aldosa"]


def test_plain_names() -> None:
    """Tests that case, accents, articles and punctuation fall away, and Chinese stays."""
    assert plain_name("L’Església-Vella") == "esglesia vella"
    assert plain_name("les Escaldes") == "escaldes"
    assert plain_name("云岭镇") == "云岭镇"


@pytest.mark.parametrize(
    ("text", "code"),
    [(None, "MISSING_FILE"), ("", "MISSING_COLUMN"), ("name,lat,lon\nA,1,2\n", "MISSING_COLUMN")],
)
def test_population_files_that_cannot_be_read(tmp_path: Path, text: str | None, code: str) -> None:
    """Tests that an absent file and absent columns are named."""
    if text is not None:
        (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InputError, match=code):
        read_population(tmp_path / "p.csv")


def site(name: str, level: Level, east_km: float) -> Site:
    """Return a site so far east of the hub."""
    degree_km = 111.195 * math.cos(math.radians(27.0))
    return Site(name, name, level, 100.0 + east_km / degree_km, 27.0)


def test_pads_cover_together_what_they_can() -> None:
    """Tests that the second pad is where it adds most, that roadless places weigh more, and barred sites get none."""
    sites = [
        site("hub", Level.COUNTY, 0),
        site("hub town", Level.TOWN, 0),
        site("near", Level.TOWN, 3),
        site("far", Level.TOWN, 20),
        site("last", Level.TOWN, 40),
        *(site(f"v{k}", Level.VILLAGE, 2.5 + k / 10) for k in range(4)),
        site("g1", Level.GROUP, 21),
        site("g2", Level.GROUP, 41),
    ]
    assert choose_pads(sites, frozenset(), None) == ("hub", "far")
    assert choose_pads(sites, frozenset({"g2"}), None) == ("hub", "last")
    assert choose_pads(sites, frozenset({"far"}), None) == ("hub", "last")
    assert choose_pads(sites, frozenset(), shapely.box(99.99, 26.9, 100.01, 27.1)) == ("near", "far")
    assert choose_pads(sites[:5], frozenset(), None) == ()


def test_figures_carry_their_source() -> None:
    """Tests that the file beats the map's tag and the tag beats the default."""
    places = [place("n1", "hamlet", 100.0, population=7), place("n2", "hamlet", 100.1)]
    people, _ = populations(places, [PopulationRow("n1", 100.0, 27.0, 9)])
    assert people == {"n1": Population(9, "file"), "n2": Population(40, "assumed")}
    assert populations(places, ())[0]["n1"] == Population(7, "map")
