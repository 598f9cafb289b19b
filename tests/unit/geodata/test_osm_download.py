"""Unit tests of downloading an extract (geodata.osm_download); the network is never touched."""

from pathlib import Path

import geopandas as gpd
import networkx as nx
import osmnx
import pandas as pd
import pytest
import shapely
from street_cases import FlatTerrain

from geodata.errors import UnavailableError
from geodata.osm import read_street_network
from geodata.osm_download import download_extract
from geodata.osm_features import read_osm_features


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
