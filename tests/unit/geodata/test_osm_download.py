"""Unit tests of downloading an extract (geodata.osm_download); the network is never touched."""

import io
import urllib.parse
import urllib.request
from pathlib import Path

import geopandas as gpd
import networkx as nx
import osmnx
import pandas as pd
import pytest
import shapely
from street_cases import FlatTerrain

from geodata import osm_download
from geodata.errors import UnavailableError
from geodata.osm import read_street_network
from geodata.osm_download import download_extract
from geodata.osm_features import read_osm_features

ASK = osm_download._ask_relations
RELATIONS = b"""<osm version="0.6">
  <node id="2" lat="42.5" lon="1.501"/><node id="8" lat="42.4" lon="1.4"/><node id="9" lat="42.4" lon="1.6"/>
  <node id="11" lat="42.6" lon="1.6"/><way id="10"><nd ref="1"/></way>
  <way id="30"><nd ref="8"/><nd ref="9"/><nd ref="11"/><nd ref="8"/></way>
  <relation id="1"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
    <member type="way" ref="12" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/>
  </relation>
  <relation id="2"><member type="way" ref="30" role="outer"/><tag k="type" v="boundary"/><tag k="name" v="Town"/>
    <tag k="boundary" v="administrative"/><tag k="admin_level" v="8"/></relation>
</osm>"""


@pytest.fixture(autouse=True)
def _no_relations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service know no relations, unless a test says otherwise."""
    monkeypatch.setattr(osm_download, "_ask_relations", lambda *_: b"<osm/>")


def test_relations_are_asked_for_by_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that the query names the box as south, west, north, east, and asks for ways and nodes of relations."""
    queries: list[str] = []

    def answer(request: urllib.request.Request, timeout: float) -> io.BytesIO:
        assert isinstance(request.data, bytes)
        queries.append(urllib.parse.parse_qs(request.data.decode())["data"][0])
        assert (request.full_url, timeout) == ("https://example.org/interpreter", 60.0)
        return io.BytesIO(b"<osm/>")

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert ASK((1.5, 42.5, 1.502, 42.501), "https://example.org/interpreter", 60.0) == b"<osm/>"
    (query,) = queries
    assert query.count("(42.5000000,1.5000000,42.5010000,1.5020000)") == 3
    assert '["type"="restriction"]' in query
    assert query.endswith("->.r;way(r.r)->.w;(.r;.w;node(r.r);node(w.w););out body;")


def test_relations_come_with_what_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a turn restriction binds the streets downloaded, and that a boundary has its outline."""
    asked: list[tuple[float, float, float, float]] = []

    def streets(*args: object, **values: object) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph(crs="epsg:4326")
        for key, lon, lat in ((1, 1.5, 42.5), (2, 1.501, 42.5), (3, 1.502, 42.5), (4, 1.501, 42.501)):
            graph.add_node(key, x=lon, y=lat)
        for start, end, way in ((1, 2, 10), (2, 3, 11), (2, 4, 12)):
            graph.add_edge(start, end, osmid=way, highway="residential", length=82.0)
        return graph

    def nothing(*args: object, **values: object) -> gpd.GeoDataFrame:
        msg = "no matching features"
        raise osmnx._errors.InsufficientResponseError(msg)

    def answer(bounds: tuple[float, float, float, float], address: str, timeout_s: float) -> bytes:
        asked.append(bounds)
        assert address.endswith("/interpreter")
        return RELATIONS

    monkeypatch.setattr(osmnx, "graph_from_place", streets)
    monkeypatch.setattr(osmnx, "features_from_place", nothing)
    monkeypatch.setattr(osm_download, "_ask_relations", answer)
    download_extract("Yunling", tmp_path / "y.osm")
    assert asked == [(1.5, 42.5, 1.502, 42.501)]
    network = read_street_network(tmp_path / "y.osm", FlatTerrain())
    at = {int(osm_id): k for k, osm_id in enumerate(network.node_id)}
    (ban,) = network.turn_bans
    assert ban.edges == (network.edges_between(at[1], at[2])[0], network.edges_between(at[2], at[4])[0])
    (town,) = read_osm_features(tmp_path / "y.osm").boundaries
    assert town.name == "Town"
    assert town.polygon is not None


def test_without_network_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a failed connection is UnavailableError with a way out, and leaves no file."""

    def fail(*args: object, **values: object) -> nx.MultiDiGraph:
        msg = "name resolution failed"
        raise ConnectionError(msg)

    monkeypatch.setattr(osmnx, "graph_from_place", fail)
    with pytest.raises(UnavailableError, match=r"Yunling.*no connection.*\.osm\.pbf"):
        download_extract("Yunling", tmp_path / "y.osm")
    assert list(tmp_path.iterdir()) == []


def test_downloaded_streets_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that what osmnx hands over is written as an extract with tags, direction and barriers."""

    def answer(*args: object, **values: object) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph(crs="epsg:4326")
        for key, lon in ((1, 1.5), (2, 1.501), (3, 1.502)):
            graph.add_node(key, x=lon, y=42.5)
        graph.nodes[2]["barrier"] = "bollard"
        for start, end in ((1, 2), (2, 3)):
            graph.add_edge(start, end, osmid=10, highway="residential", oneway="yes", width="3", length=82.0)
        return graph

    def nothing(*args: object, **values: object) -> gpd.GeoDataFrame:
        msg = "no matching features"
        raise osmnx._errors.InsufficientResponseError(msg)

    monkeypatch.setattr(osmnx, "graph_from_place", answer)
    monkeypatch.setattr(osmnx, "features_from_place", nothing)
    download_extract("Yunling", tmp_path / "y.osm")
    network = read_street_network(tmp_path / "y.osm", FlatTerrain())
    assert network.n_nodes == 3
    assert network.edge_motor.tolist() == [0, 0, 0, 0]
    assert set(network.edge_max_width_m.tolist()) == {3.0}
    assert [path.name for path in tmp_path.iterdir()] == ["y.osm"]


def test_settlements_and_areas_come_with_the_streets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that places, bus stops (also on a street's node) and areas are written where the reader finds them."""

    def streets(*args: object, **values: object) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph(crs="epsg:4326")
        for key, lon in ((1, 1.5), (2, 1.501), (3, 1.502)):
            graph.add_node(key, x=lon, y=42.5)
        for start, end in ((1, 2), (2, 3)):
            graph.add_edge(start, end, osmid=10, highway="residential", length=82.0)
        return graph

    def features(place: str, tags: dict[str, object]) -> gpd.GeoDataFrame:
        assert place == "Yunling"
        assert "hamlet" in tags["place"]  # type: ignore[operator]
        square = shapely.box(1.51, 42.5, 1.52, 42.51)
        rows = [
            (("node", 7), shapely.Point(1.5005, 42.5), {"place": "village", "name": "Ya", "population": "210"}),
            (("node", 2), shapely.Point(1.501, 42.5), {"highway": "bus_stop", "name": "Halt"}),
            (("way", 10), shapely.LineString([(1.5, 42.5), (1.501, 42.5)]), {"highway": "platform"}),
            (("way", 20), square, {"aeroway": "aerodrome", "name": "Field"}),
            (("relation", 5), shapely.MultiPolygon([square]), {"place": "hamlet", "name": "Areal"}),
        ]
        index = pd.MultiIndex.from_tuples([key for key, _, _ in rows], names=["element", "id"])
        geometry = [shape for _, shape, _ in rows]
        return gpd.GeoDataFrame([values for _, _, values in rows], index=index, geometry=geometry, crs="epsg:4326")

    monkeypatch.setattr(osmnx, "graph_from_place", streets)
    monkeypatch.setattr(osmnx, "features_from_place", features)
    download_extract("Yunling", tmp_path / "y.osm")
    found = read_osm_features(tmp_path / "y.osm")
    assert [(place.name, place.kind, place.population) for place in found.places] == [
        ("Ya", "village", 210),
        ("Areal", "hamlet", None),
    ]
    assert [(stop.name, stop.lon) for stop in found.bus_stops] == [("Halt", 1.501)]
    assert [(area.kind, area.name) for area in found.areas] == [("aerodrome", "Field")]
    assert found.bus_lines == ()
    network = read_street_network(tmp_path / "y.osm", FlatTerrain())
    assert network.node_id.tolist() == [1, 2, 3]
