"""How the checker reads a scenario into facts, against the rules' page and against what the builder makes of it."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from checker_world import DAY, PRODUCTS, RATES, VAN_TYPE, make_network, make_terrain

from geodata.airspace import Airspace
from geodata.errors import Fault
from geodata.flight import load_drone_types
from geodata.location import Level, Site
from geodata.profiles import load_profiles
from geodata.timetable import BusStop, Call, CargoStop, CargoTrip, Line, Timetable, Trip
from geodata.weather import CALM_WEATHER
from routing.builder import _bus_trips, _drones, _places, _vehicles
from routing.checker import reading
from routing.checker.codes import Code
from routing.checker.facts import Facts
from routing.model.carrier import BusTrip, Drone, DroneService, Vehicle
from routing.model.order import Order, RejectedRow
from routing.model.plan import CostBreakdown, Objective, PlanDocument, Rejected, ScenarioRef

SITES = (
    Site("hub", "Hub", Level.COUNTY, 105.0, 30.0, store_ambient_kg=100.0, store_chilled_kg=5.0, handling_s=400),
    Site("town", "Town", Level.TOWN, 105.02, 30.0, parent="hub", drone_pads=2, opens_s=100, closes_s=200),
)
FAULT = Fault("BAD_VALUE", "orders.csv", "weight below zero", "Give kilograms.", row=7)


def _stand(kind: str, site: str, count: int, operator: str) -> SimpleNamespace:
    return SimpleNamespace(type=kind, site=site, count=count, operator=operator)


def _timetable() -> Timetable:
    calls = (Call("A", 1, 100, 110), Call("B", 4, 200, 210, can_board=False), Call("C", 6, 300, 310))
    return Timetable(
        service_date=DAY,
        timezone="Asia/Shanghai",
        lines={"L": Line("L", "1", "", "ag", "Bus Company")},
        stops={name: BusStop(name, name, 105.0, 30.0) for name in "ABC"},
        trips=(Trip("t1", "L", "s", calls), Trip("t2", "L", "s", calls)),
        cargo_trips={"t1": CargoTrip("t1", 100.0, 500.0, 20.0, fee_per_kg=3.0, product_classes=("ambient",))},
        cargo_stops=(CargoStop("A", "hub", 60, 300), CargoStop("B", "town", 90, 400), CargoStop("C", "gone", 0, 0)),
    )


@pytest.fixture
def scenario() -> SimpleNamespace:
    """Return a scenario as far as facts are read from it."""
    service = DroneService(load_drone_types()["L"], 1.0, 2.0, 3.0, 0, 86_400)
    return SimpleNamespace(
        name="n",
        service_date=DAY,
        timezone="Asia/Shanghai",
        currency="CNY",
        digest="abc",
        sites=SITES,
        drops={"drop:o1": (105.01, 30.0)},
        orders=(Order("o1", "hub", "drop:o1", 1.0, 2.0),),
        rejected=(RejectedRow(7, "o2", (FAULT,)),),
        vehicle_types={"van": VAN_TYPE},
        drone_services={"L": service},
        stands=(_stand("van", "hub", 2, "a"), _stand("L", "town", 1, "a"), _stand("van", "hub", 1, "b")),
        products=PRODUCTS,
        rates=RATES,
        files=None,
    )


@pytest.fixture
def area() -> SimpleNamespace:
    """Return an area as far as facts are read from it."""
    return SimpleNamespace(
        streets=make_network(),
        terrain=make_terrain(),
        airspace=Airspace(()),
        weather=CALM_WEATHER,
        closures=(),
        timetable=_timetable(),
        profiles=load_profiles(),
    )


@pytest.fixture
def facts(scenario: SimpleNamespace, area: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Facts:
    """Return what is read, the files' own readers left out."""
    day = SimpleNamespace(scenario=scenario, area=area)
    monkeypatch.setattr(reading, "read_day", lambda folder, *, reject_bad_rows, cache: day)
    return reading.load_facts(Path())


def test_carriers_are_numbered_by_type_and_site(facts: Facts) -> None:
    """Tests that numbering goes on where a type stands twice at a site, each with its own operator."""
    vehicles = {key: carrier for key, carrier in facts.carriers.items() if isinstance(carrier, Vehicle)}
    assert {key: carrier.operator for key, carrier in vehicles.items()} == {
        "van@hub#1": "a",
        "van@hub#2": "a",
        "van@hub#3": "b",
    }
    assert {carrier.travel for carrier in vehicles.values()} == {"van_diesel@1.8m,2m,2200kg"}
    assert isinstance(facts.carriers["L@town#1"], Drone)


def test_buses_are_trips_with_cargo_at_stops_of_known_places(facts: Facts) -> None:
    """Tests that only trips with a cargo row are carriers, with the calls that handle cargo for a place of ours."""
    trips = [carrier for carrier in facts.carriers.values() if isinstance(carrier, BusTrip)]
    assert [trip.id for trip in trips] == ["t1"]
    calls = [(call.place_id, call.sequence, call.can_load, call.cutoff_s, call.board_s) for call in trips[0].calls]
    assert calls == [("hub", 1, True, 300, 60), ("town", 4, False, 400, 90)]
    assert (trips[0].operator, trips[0].line, trips[0].product_classes) == ("Bus Company", "L", ("ambient",))


def test_places_and_rejected_rows(facts: Facts) -> None:
    """Tests that drops are open, unstaffed places on the ground, and that rejected rows are read with their faults."""
    drop = facts.places["drop:o1"]
    assert (drop.level, drop.handling_s, drop.opens_s, dict(drop.store_kg)) == (Level.GROUP, 0, 0, {})
    assert drop.closes_s >= 2 * 86_400
    assert drop.elevation_m == pytest.approx(500.0, abs=30.0)
    assert facts.places["hub"].store_kg == {"ambient": 100.0, "chilled": 5.0, "frozen": 0.0}
    assert facts.rejected == (Rejected(7, "o2", (str(FAULT),)),)


def test_facts_agree_with_what_the_builder_makes(
    facts: Facts, scenario: SimpleNamespace, area: SimpleNamespace
) -> None:
    """Tests that builder and checker, reading on their own, come to the same carriers and places."""
    built = (*_vehicles(scenario, area)[0], *_drones(scenario), *_bus_trips(area.timetable, set(facts.places)))
    assert {carrier.id: carrier for carrier in built if not isinstance(carrier, BusTrip)} == {
        key: carrier for key, carrier in facts.carriers.items() if not isinstance(carrier, BusTrip)
    }
    assert {trip.id: trip.calls for trip in built if isinstance(trip, BusTrip)} == {
        key: carrier.calls for key, carrier in facts.carriers.items() if isinstance(carrier, BusTrip)
    }
    for place in _places(scenario, area):
        mine = facts.places[place.id]
        assert (place.lon, place.lat, place.level, place.handling_s, place.opens_s) == (
            mine.lon, mine.lat, mine.level, mine.handling_s, mine.opens_s,
        )  # fmt: skip
        assert place.elevation_m == pytest.approx(mine.elevation_m)


def test_folder_and_plan_are_judged_together(facts: Facts) -> None:
    """Tests that `check_plan` reads the folder itself: an empty plan misses its order and its rejected row."""
    from routing.checker.check import check_plan

    empty = PlanDocument(
        ScenarioRef("n", date.isoformat(DAY), "abc"), 1, {}, Objective("CNY", CostBreakdown(), 0), (), (), (), ()
    )
    assert check_plan(Path(), empty).codes == {Code.CUSTODY_MISSING_ORDER, Code.CONSISTENCY_REJECTED}
