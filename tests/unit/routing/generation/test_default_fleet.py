from collections import Counter

from geodata.location import Level, Site
from routing.generation.fleet import DRONE_OPERATOR, FIRM, default_fleet


def sites(towns: int, villages: int) -> list[Site]:
    found = [Site("hub", "Seat", Level.COUNTY, 104.9, 27.2)]
    found += [Site(f"t{k:02d}", "T", Level.TOWN, 104.9, 27.2, "hub") for k in range(towns)]
    found += [Site(f"v{k:03d}", "V", Level.VILLAGE, 104.9, 27.2, "t00", population=k) for k in range(villages)]
    return found


def test_fleet_of_the_demo_size() -> None:
    """Tests that 400 orders over 8 towns get two van types, a truck, a tricycle a town and two drone types on pads."""
    fleet = default_fleet(sites(8, 4), "hub", ["t00", "t01"], orders=400)
    count = Counter({(stand.type, stand.site): stand.count for stand in fleet.stands})
    assert count["van_electric", "hub"] == 5
    assert count["van_diesel", "hub"] == 4
    assert count["truck_4t2", "hub"] == 1
    assert sum(n for (kind, _), n in count.items() if kind == "tricycle") == 8
    assert count["L", "t00"] == count["L", "t01"] == 1
    assert count["M", "t00"] == count["M", "t01"] == 2
    assert {drone["id"] for drone in fleet.drones} == {"L", "M"}
    assert {stand.operator for stand in fleet.stands} == {FIRM, DRONE_OPERATOR}


def test_couriers_stand_at_every_village() -> None:
    """Tests that the half of the villages with more people has e-motos and the others walkers."""
    fleet = default_fleet(sites(1, 5), "hub", [], orders=10)
    courier = {stand.site: stand.type for stand in fleet.stands if stand.site.startswith("v")}
    assert courier == {"v000": "walker", "v001": "walker", "v002": "emoto", "v003": "emoto", "v004": "emoto"}


def test_no_pads_no_drones() -> None:
    """Tests that a county without pads has no drone type, and that every stand names a type that is there."""
    fleet = default_fleet(sites(1, 1), "hub", [], orders=1)
    assert fleet.drones == ()
    assert {stand.type for stand in fleet.stands} == {vehicle["id"] for vehicle in fleet.vehicles}
