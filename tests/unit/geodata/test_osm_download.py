"""Unit tests of downloading an extract (geodata.osm_download); the network is never touched."""

from pathlib import Path

import networkx as nx
import osmnx
import pytest
from street_cases import FlatTerrain

from geodata.errors import UnavailableError
from geodata.osm import read_street_network
from geodata.osm_download import download_extract


def test_without_network_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a failed connection is UnavailableError with a way out, and leaves no file."""

    def fail(*args: object, **values: object) -> nx.MultiDiGraph:
        msg = "name resolution failed"
        raise ConnectionError(msg)

    monkeypatch.setattr(osmnx, "graph_from_place", fail)
    with pytest.raises(UnavailableError, match=r"Yunling.*name resolution failed.*\.osm\.pbf"):
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

    monkeypatch.setattr(osmnx, "graph_from_place", answer)
    download_extract("Yunling", tmp_path / "y.osm")
    network = read_street_network(tmp_path / "y.osm", FlatTerrain())
    assert network.n_nodes == 3
    assert network.edge_motor.tolist() == [0, 0, 0, 0]
    assert set(network.edge_max_width_m.tolist()) == {3.0}
    assert [path.name for path in tmp_path.iterdir()] == ["y.osm"]
