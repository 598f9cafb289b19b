from pathlib import Path

import osmium
import pytest

from geodata.synthetic_osm import OsmData, OsmNode, OsmRelation, OsmWay, write_pbf

DATA = OsmData(
    nodes=[OsmNode(2, 104.91, 27.21, {"place": "town", "name": "松坪镇"}), OsmNode(1, 104.9, 27.2)],
    ways=[OsmWay(7, (1, 2), {"highway": "track"})],
    relations=[OsmRelation(3, (("n", 2, "platform"), ("w", 7, "")), {"type": "route"})],
    bounds=(104.8, 27.1, 105.0, 27.3),
)


def test_an_extract_reads_back(tmp_path: Path) -> None:
    """Tests that nodes come sorted, and positions, tags, members and bounds survive."""
    write_pbf(tmp_path / "a.osm.pbf", DATA)
    objects = []
    for entity in osmium.FileProcessor(str(tmp_path / "a.osm.pbf")):
        tags = {tag.k: tag.v for tag in entity.tags}
        if entity.is_node():
            objects.append(("n", entity.id, round(entity.lon, 7), round(entity.lat, 7), tags))
        elif entity.is_way():
            objects.append(("w", entity.id, [node.ref for node in entity.nodes], tags))
        else:
            objects.append(("r", entity.id, [(m.type, m.ref, m.role) for m in entity.members], tags))
    assert objects == [
        ("n", 1, 104.9, 27.2, {}),
        ("n", 2, 104.91, 27.21, {"place": "town", "name": "松坪镇"}),
        ("w", 7, [1, 2], {"highway": "track"}),
        ("r", 3, [("n", 2, "platform"), ("w", 7, "")], {"type": "route"}),
    ]
    box = osmium.io.Reader(str(tmp_path / "a.osm.pbf")).header().box()
    assert (round(box.bottom_left.lon, 6), round(box.top_right.lat, 6)) == (104.8, 27.3)


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    """Tests that writing twice gives the same bytes."""
    for name in ("a.osm.pbf", "b.osm.pbf"):
        write_pbf(tmp_path / name, DATA)
    assert (tmp_path / "a.osm.pbf").read_bytes() == (tmp_path / "b.osm.pbf").read_bytes()


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """Tests that an existing file is refused and left as it is."""
    (tmp_path / "a.osm.pbf").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_pbf(tmp_path / "a.osm.pbf", DATA)
    assert (tmp_path / "a.osm.pbf").read_bytes() == b"mine"
