"""Reading census, points and kinds of a siting study."""

from pathlib import Path

import pytest

from geodata.errors import InputError
from geodata.location import Level, Site
from routing.siting.survey import (
    ELDERLY_SHARE,
    candidates_of_sites,
    choose_kinds,
    load_kinds,
    read_census,
    read_points,
    settlements_of_sites,
)

KINDS = load_kinds()
USUAL = choose_kinds(KINDS, ())


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_a_census_with_defaults(tmp_path: Path) -> None:
    """Tests that people, parcels and elderly are read, and assumed where the table leaves them blank."""
    path = written(
        tmp_path, "census.csv", "name,lon,lat,people,parcels,elderly\n上村,105.1,31.2,100,7,30\n下村,105.2,31.3,200,,\n"
    )
    upper, lower = read_census(path)
    assert (upper.name, upper.people, upper.parcels, upper.elderly) == ("上村", 100.0, 7.0, 30.0)
    assert lower.elderly == pytest.approx(200 * ELDERLY_SHARE)
    assert lower.parcels == pytest.approx(10.0)


def test_names_every_fault_of_a_census_at_once(tmp_path: Path) -> None:
    """Tests that a negative number, a missing name and too many elderly are reported with their rows together."""
    path = written(
        tmp_path, "census.csv", "name,lon,lat,people,elderly\nA,105.1,31.2,-4,\n,105.2,31.3,9,\nC,105.3,31.3,9,x\n"
    )
    with pytest.raises(InputError) as caught:
        read_census(path)
    assert [(fault.row, fault.code) for fault in caught.value.faults] == [
        (2, "NEGATIVE"),
        (3, "MISSING_VALUE"),
        (4, "NOT_A_NUMBER"),
    ]
    path = written(tmp_path, "old.csv", "name,lon,lat,people,elderly\nA,105.1,31.2,4,5\n")
    with pytest.raises(InputError, match="more elderly than residents"):
        read_census(path)


def test_swapped_coordinates_and_repeated_ids_are_named(tmp_path: Path) -> None:
    """Tests that swapped coordinates and repeated ids of points are named as what they are."""
    rows = "id,name,lon,lat\na,A,105.1,31.2\nb,B,105.2,31.2\na,C,105.2,31.3\nd,D,31.2,105.2\n"
    with pytest.raises(InputError) as caught:
        read_points(written(tmp_path, "points.csv", rows), KINDS, USUAL)
    assert {(fault.row, fault.code) for fault in caught.value.faults} == {
        (4, "DUPLICATE_ID"),
        (5, "SWAPPED_COORDINATES"),
    }


def test_reads_points_with_kinds_and_own_figures(tmp_path: Path) -> None:
    """Tests existing points, named kinds, and a row's own cost and capacity."""
    header = "id,name,lon,lat,existing,kinds,opening_cost,capacity"
    rows = f"{header}\na,A,105.1,31.2,true,,,50\nb,B,105.2,31.2,,shelf;locker,,\nc,C,105.2,31.3,,,7,9\n"
    there, two, own = read_points(written(tmp_path, "points.csv", rows), KINDS, USUAL)
    assert there.existing
    assert (there.kinds[0].opening_cost, there.kinds[0].capacity) == (0.0, 50.0)
    assert [kind.id for kind in two.kinds] == ["shelf", "locker"]
    assert [(kind.opening_cost, kind.capacity) for kind in own.kinds] == [(7.0, 9.0)]
    with pytest.raises(InputError, match="did you mean locker"):
        read_points(written(tmp_path, "bad.csv", "id,name,lon,lat,kinds\na,A,105.1,31.2,lockr\n"), KINDS, USUAL)


def test_unknown_kinds_are_refused(tmp_path: Path) -> None:
    """Tests that an unknown kind is refused with the nearest one, and a faulty kinds file with its fault."""
    with pytest.raises(InputError, match="did you mean cold_box"):
        choose_kinds(KINDS, ("coldbox",))
    with pytest.raises(InputError, match="opening_cost"):
        load_kinds(written(tmp_path, "kinds.toml", '[hut]\nname = "Hut"\ncapacity = 4\n'))


def test_sites_give_demand_and_candidates() -> None:
    """Tests that villages are candidates in a plain scenario, and existing points once it names candidates."""
    sites = [
        Site("c", "C", Level.COUNTY, 105.0, 31.0, population=9),
        Site("t", "T", Level.TOWN, 105.1, 31.0, population=9),
        Site("v", "V", Level.VILLAGE, 105.2, 31.0, population=40),
        Site("g", "G", Level.GROUP, 105.3, 31.0),
    ]
    assert [place.id for place in settlements_of_sites(sites)] == ["v"]
    assert [(place.id, place.existing) for place in candidates_of_sites(sites, USUAL)] == [("t", True), ("v", False)]
    planned = [*sites, Site("n", "N", Level.VILLAGE, 105.4, 31.0, kind="candidate", opening_cost=5.0)]
    found = candidates_of_sites(planned, USUAL)
    assert [(place.id, place.existing) for place in found] == [("t", True), ("v", True), ("n", False)]
    assert found[-1].kinds[0].opening_cost == 5.0
