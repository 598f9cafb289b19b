from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geodata.area import Area, load_area
from geodata.paths import path_geometry
from routing.checker import Report
from routing.export import write_outputs
from routing.export.scene import Scene
from routing.export.staging import scene_of
from routing.generation.county import make_synthetic_scenario
from routing.model.plan import (
    CostBreakdown,
    Movement,
    Objective,
    PlanDocument,
    Route,
    ScenarioRef,
    Stop,
)
from routing.scenario import Scenario, read_scenario

County = tuple[Scenario, Area]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """A small synthetic county, read as a scenario."""
    folder = tmp_path_factory.mktemp("county")
    make_synthetic_scenario("small", 1, folder)
    scenario = read_scenario(folder)
    return scenario, load_area(scenario.files, scenario.service_date)


@pytest.fixture(scope="module")
def document(county: County) -> PlanDocument:
    """A plan with an empty drive along three real nodes, a bus ride of a real trip and a flight."""
    scenario, area = county
    hub, other = scenario.sites[0].id, scenario.sites[1].id
    return PlanDocument(
        scenario=ScenarioRef(scenario.name, scenario.service_date.isoformat(), scenario.digest),
        seed=1,
        versions={},
        objective=Objective(scenario.currency, CostBreakdown(), 0),
        routes=(
            _route("R1", f"van_x@{hub}#2", "vehicle", "van_x", _drive(area), (hub, other)),
            _bus_route(area, (hub, other)),
            _route("R3", "d@p#1", "drone", "d", _flight(scenario), (hub, other)),
        ),
        unassigned=(),
        rejected=(),
        orders=(),
    )


def _drive(area: Area) -> Movement:
    streets = area.streets
    edge = next(k for k in range(streets.n_edges) if streets.edge_to[k] != streets.edge_from[k])
    nodes = (int(streets.node_id[streets.edge_from[edge]]), int(streets.node_id[streets.edge_to[edge]]))
    return Movement("street", 100, 60, 10.0, nodes=nodes)


def _flight(scenario: Scenario) -> Movement:
    first, last = scenario.sites[0], scenario.sites[1]
    return Movement("flight", 100, 60, 10.0, line=((first.lon, first.lat, 900.0), (last.lon, last.lat, 950.0)))


def _bus_route(area: Area, places: tuple[str, str]) -> Route:
    assert area.timetable is not None
    trip = area.timetable.trips[0]
    route = _route("R2", trip.id, "bus", trip.line_id, Movement("bus", 0, 60, 0.0), places)
    calls = (trip.calls[0].sequence, trip.calls[2].sequence)
    stops = tuple(replace(stop, call=call) for stop, call in zip(route.stops, calls, strict=True))
    return replace(route, stops=stops)


def _route(route_id: str, carrier: str, kind: str, type_id: str, movement: Movement, places: tuple[str, str]) -> Route:
    first = Stop(places[0], 28_800, 28_800, 28_800, 28_800, movement=movement)
    last = Stop(places[1], 28_860, 28_860, 28_860, 28_860)
    return Route(route_id, carrier, "firm", kind, type_id, "", places[0], (first, last))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def staged(county: County, document: PlanDocument) -> Scene:
    """The scene of that plan."""
    return scene_of(document, *county)


def test_street_lines_run_from_door_to_door_over_the_nodes(staged: Scene, county: County) -> None:
    """Tests that a street movement starts at its place, follows its nodes with their heights and ends at its place."""
    scenario, area = county
    line = staged.paths["R1", 0]
    assert np.allclose(line[0, :2], [scenario.sites[0].lon, scenario.sites[0].lat])
    movement = staged.document.routes[0].stops[0].movement
    assert movement is not None
    assert np.allclose(line[1:-1], path_geometry(area.streets, movement.nodes))


def test_bus_lines_follow_the_trip_over_the_ground(staged: Scene, county: County) -> None:
    """Tests that a bus ride is drawn along the timetable's course with the terrain's heights."""
    _, area = county
    assert area.timetable is not None
    trip = area.timetable.trips[0]
    line = staged.paths["R2", 0]
    course = np.array(area.timetable.course(trip, 0, 2))
    assert np.allclose(line[:, :2], course)
    assert np.allclose(line[:, 2], area.terrain.elevation_m(course[:, 0], course[:, 1]))


def test_flights_keep_their_own_line(staged: Scene) -> None:
    """Tests that a flight's heights are those of the plan."""
    assert staged.paths["R3", 0][:, 2].tolist() == [900.0, 950.0]


def test_carriers_get_short_names(staged: Scene) -> None:
    """Tests that a numbered carrier goes by type and number, a bus by line and departure, others by their id."""
    titles = [staged.title_of(route.carrier) for route in staged.document.routes]
    assert titles[0] == "van_x 2"
    assert titles[1].split()[-1].count(":") == 1
    assert titles[2] == "d@p#1"


def test_the_background_covers_the_plan(staged: Scene) -> None:
    """Tests that roads, relief and airspace come along, the relief round all places."""
    assert {road.highway for road in staged.roads} & {"primary", "secondary", "tertiary", "trunk"}
    assert staged.relief is not None
    for place in staged.places.values():
        assert staged.relief.west < place.lon < staged.relief.east
        assert staged.relief.south < place.lat < staged.relief.north
    assert all(zone.geometry["type"] in {"Polygon", "MultiPolygon"} for zone in staged.zones)
    assert staged.zones


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def test_write_outputs_fills_the_folder_the_same_each_time(
    county: County, document: PlanDocument, tmp_path: Path
) -> None:
    """Tests that every file of the plan folder is written, with equal bytes for equal plans."""
    scenario, area = county
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_outputs(tmp_path / name, document, scenario, area, Report(()), {}, "en")
        contents.append(dict(_files(tmp_path / name)))
    assert contents[0] == contents[1]
    assert len(contents[0]) == 10
    assert {"map.html", "report.json", "plan.geojson"} <= set(contents[0])
