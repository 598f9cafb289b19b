"""A scenario folder with its map, terrain, timetable, airspace and weather: all of the day, every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geodata.area import Area, read_area
from geodata.cache import Cache
from geodata.errors import Fault, FaultCollector, InputError
from geodata.location import Site
from geodata.terrain import Terrain
from geodata.timetable import Timetable
from routing.fault_codes import FaultCode
from routing.model.order import RejectedRow
from routing.records import Where, did_you_mean
from routing.scenario import CONFIG_FILE, Scenario, ScenarioReading, look_through
from routing.sites import nearest_site


@dataclass(frozen=True)
class Day:
    """One day's inputs, free of faults."""

    scenario: Scenario
    area: Area


def read_day(folder: Path, *, reject_bad_rows: bool = False, cache: Cache | None = None) -> Day:
    """Read a scenario folder and every file it names.

    Parameters
    ----------
    folder
        Folder with ``scenario.toml``.
    reject_bad_rows
        Set faulty order rows aside in `Scenario.rejected` instead of refusing the scenario.
    cache
        Where street network and timetable are kept.

    Raises
    ------
    InputError
        With every fault of every file, and of files that do not fit each other.
    """
    collector = FaultCollector()
    reading = look_through(folder, collector, reject_bad_rows=reject_bad_rows)
    area = read_area(reading.files, reading.service_date, collector, cache)
    outside: tuple[RejectedRow, ...] = ()
    if area is not None:
        outside = _drops_off_terrain(reading, area.terrain)
        for fault in (*_sites_off_terrain(reading, area.terrain), *_timetable_faults(reading, area.timetable)):
            collector.add(fault)
        if not reject_bad_rows:
            for fault in (fault for row in outside for fault in row.faults):
                collector.add(fault)
    for fault in (*_drones_without_terrain(reading), *_updates_without_timetable(reading)):
        collector.add(fault)
    if collector.faults:
        raise InputError(dict.fromkeys(collector.faults))  # a file read by both sides tells its faults twice
    assert reading.scenario is not None  # what makes these None is a fault
    assert area is not None
    return Day(_without(reading.scenario, outside), area)


def _sites_off_terrain(reading: ScenarioReading, terrain: Terrain) -> list[Fault]:
    sites = reading.sites.sites
    points = [(site.lon, site.lat) for site in sites]
    return [
        _off_terrain(Where(reading.sites_file, reading.sites.rows[sites[k].id]), "lon", points[k], "site")
        for k in _uncovered(terrain, points)
    ]


def _drops_off_terrain(reading: ScenarioReading, terrain: Terrain) -> tuple[RejectedRow, ...]:
    drops = list(reading.orders.drops.items())
    found = []
    for k in _uncovered(terrain, [point for _, point in drops]):
        place_id, point = drops[k]
        order_id = place_id.removeprefix("drop:")
        row = reading.orders.rows[order_id]
        fault = _off_terrain(Where(reading.orders_file, row), "to_lon", point, "drop")
        found.append(RejectedRow(row, order_id, (fault,)))
    return tuple(found)


def _uncovered(terrain: Terrain, points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of points, (lon, lat) in degrees, where the terrain has no height."""
    lon, lat = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return [int(k) for k in np.flatnonzero(~np.isfinite(terrain.elevation_m(lon, lat)))]


def _off_terrain(where: Where, field: str, point: tuple[float, float], noun: str) -> Fault:
    reason = f"the {noun} lies outside the elevation tiles"
    remedy = "Mend the coordinates, or add the elevation tile of that place."
    value = f"{point[0]:.10g}, {point[1]:.10g}"
    return where.fault(FaultCode.TERRAIN_NOT_COVERING, field, value, reason, remedy)


def _without(scenario: Scenario, rows: Sequence[RejectedRow]) -> Scenario:
    """Return the scenario with further order rows rejected."""
    gone = {row.order_id for row in rows}
    return replace(
        scenario,
        orders=tuple(order for order in scenario.orders if order.id not in gone),
        drops={place: point for place, point in scenario.drops.items() if place.removeprefix("drop:") not in gone},
        rejected=tuple(sorted((*scenario.rejected, *rows), key=lambda row: row.row)),
    )


def _drones_without_terrain(reading: ScenarioReading) -> list[Fault]:
    """Refuse drones over ground of unknown height; road vehicles may do with level ground."""
    scenario = reading.scenario
    if scenario is None or scenario.files.terrain:
        return []
    if not any(stand.type in scenario.drone_services for stand in scenario.stands):
        return []
    reason = "drones stand in the fleet, but there is no elevation tile to keep them clear of the ground"
    remedy = 'Name the tiles, for example terrain = ["N42E001.hgt.zip"], or take the drones out of the fleet.'
    return [Where(CONFIG_FILE).fault(FaultCode.TERRAIN_MISSING, "files.terrain", None, reason, remedy)]


def _updates_without_timetable(reading: ScenarioReading) -> list[Fault]:
    """Refuse real-time updates that have no timetable to change."""
    updates = reading.files.timetable_updates
    if updates is None or reading.files.timetable is not None:
        return []
    reason, remedy = "there is no timetable that the updates could change", "Name the feed, or leave them out."
    where = Where(CONFIG_FILE, prefix="files.")
    return [where.fault(FaultCode.MISSING_FILE, "timetable", None, reason, remedy)]


def _timetable_faults(reading: ScenarioReading, timetable: Timetable | None) -> Iterator[Fault]:
    """Yield references between timetable and tables that lead nowhere."""
    path = reading.files.timetable
    if timetable is None or path is None:
        return
    yield from _unknown_stops(reading, timetable)
    known = reading.sites.ids
    for stop in timetable.cargo_stops if known else ():
        if stop.site_id not in known:
            where = Where(f"{path.name}/cargo_stops.txt")
            reason = f"stop {stop.stop_id} hands goods over at a site that is not in {reading.sites_file}"
            remedy = nearest_site(stop.site_id, known)
            yield where.fault(FaultCode.UNKNOWN_SITE, "site_id", stop.site_id, reason, remedy)
    if reading.scenario is not None:
        yield from _unknown_classes(f"{path.name}/cargo_trips.txt", timetable, reading.scenario.products.classes)


def _unknown_stops(reading: ScenarioReading, timetable: Timetable) -> Iterator[Fault]:
    for site, stop_id in _linked_stops(reading.sites.sites):
        if stop_id not in timetable.stops:
            where = Where(reading.sites_file, reading.sites.rows[site.id])
            remedy = did_you_mean(stop_id, timetable.stops, "stop ids of the timetable")
            reason = "the timetable has no such stop"
            yield where.fault(FaultCode.UNKNOWN_STOP, "bus_stop_ids", stop_id, reason, remedy)


def _linked_stops(sites: Sequence[Site]) -> Iterator[tuple[Site, str]]:
    for site in sites:
        for stop_id in site.bus_stop_ids:
            yield site, stop_id


def _unknown_classes(file: str, timetable: Timetable, known: Mapping[str, object]) -> Iterator[Fault]:
    told: set[tuple[str, str]] = set()
    for trip in timetable.cargo_trips.values():
        template = trip.trip_id.split("@", 1)[0]  # trips by headway repeat their row
        for class_id in trip.product_classes:
            if class_id not in known and (template, class_id) not in told:
                told.add((template, class_id))
                reason, remedy = f"trip {template} carries an unknown product class", did_you_mean(class_id, known)
                yield Where(file).fault(FaultCode.UNKNOWN_CLASS, "product_classes", class_id, reason, remedy)
