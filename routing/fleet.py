"""The fleet of a scenario: vehicle, courier and drone types with their presets, and how many stand where."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

from geodata.drones import DroneType
from geodata.errors import Fault, FaultCollector
from routing.fault_codes import FaultCode
from routing.model.carrier import Compartment, DroneService, VehicleType
from routing.records import MAX_TIME_S, Field, RecordType, Where, did_you_mean, read_record, unknown_keys
from routing.sites import SiteBook, nearest_site
from routing.text_files import parse_toml, read_toml

COMPARTMENT_RECORD: Final = RecordType(
    "compartment",
    "a part of a vehicle that holds goods: an entry of `compartments`",
    (
        Field("id", "text", "id, unique in the vehicle", True),
        Field("kg", "number", "payload", True, low=0, above_low=True, unit="kg"),
        Field("litres", "number", "room", True, low=0, above_low=True, unit="litres"),
        Field("set_point_c", "number", "temperature it is kept at; absent: the outside's", low=-60, high=60, unit="°C"),
    ),
)
_SERVICE_FIELDS: Final = (
    Field("fixed_cost", "number", "cost of a day of use", True, low=0, unit="minor units"),
    Field("cost_per_h", "number", "cost of an hour of route time", True, low=0, unit="minor units"),
    Field("shift", "span", "working hours", True, low=0, high=MAX_TIME_S),
)
VEHICLE_RECORD: Final = RecordType(
    "vehicle",
    "a type of road vehicle or courier: `[[vehicle]]`",
    (
        Field("id", "text", "unique id", True),
        Field("preset", "text", "id of a shipped preset that gives every field not stated here"),
        Field("kind", "choice", "who moves", True, choices=("vehicle", "courier")),
        Field("profile", "text", "id of the travel profile", True),
        Field("compartments", "table", "list of its compartments", True),
        *_SERVICE_FIELDS,
        Field("cost_per_km", "number", "cost of a kilometre without energy", True, low=0, unit="minor units"),
        Field(
            "max_drive_s", "integer", "longest travel time of a day", default=28_800, low=1, high=86_400, unit="seconds"
        ),
        Field(
            "max_continuous_drive_s",
            "integer",
            "travel after which a rest of 20 min is due",
            default=14_400,
            low=600,
            high=86_400,
            unit="seconds",
        ),
        Field("max_rounds", "integer", "most rounds of one vehicle a day; absent: any number", low=1, high=1_000),
        Field("stop_s", "integer", "fixed time of a stop", default=120, low=0, high=7_200, unit="seconds"),
        Field("range_wh", "number", "energy of one round; absent: not bounded", low=0, above_low=True, unit="Wh"),
        Field(
            "energy_source", "choice", "what it burns; absent: as its profile", choices=("diesel", "electric", "none")
        ),
        Field("width_m", "number", "width; absent: as its profile", low=0, above_low=True, high=10, unit="m"),
        Field("height_m", "number", "height; absent: as its profile", low=0, above_low=True, high=10, unit="m"),
        Field(
            "gross_kg", "number", "gross mass; absent: as its profile", low=0, above_low=True, high=100_000, unit="kg"
        ),
    ),
)
_PHYSICS_FIELDS: Final = (
    Field("mass_kg", "number", "take-off mass without payload", True, low=0, above_low=True, unit="kg"),
    Field("payload_kg", "number", "payload limit at sea level", True, low=0, above_low=True, unit="kg"),
    Field("payload_loss_kg_per_km", "number", "payload lost per 1,000 m of altitude", True, low=0, unit="kg/km"),
    Field("volume_l", "number", "room for goods", True, low=0, above_low=True, unit="litres"),
    Field("battery_wh", "number", "energy of a full battery", True, low=0, above_low=True, unit="Wh"),
    Field("reserve", "number", "share of the battery left on landing", True, low=0, high=0.9),
    Field("disc_area_m2", "number", "rotor disc area, coaxial pairs once", True, low=0, above_low=True, unit="m²"),
    Field("hover_factor", "number", "κ/η of the hover power", True, low=0, above_low=True),
    Field("cruise_factor", "number", "cruise power by hover power", True, low=0, above_low=True),
    Field("descent_factor", "number", "descent power by hover power", True, low=0),
    Field("climb_efficiency", "number", "η of the climb term", True, low=0, above_low=True, high=1),
    Field("cruise_m_s", "number", "air speed in cruise", True, low=0, above_low=True, unit="m/s"),
    Field("climb_m_s", "number", "rate of climb", True, low=0, above_low=True, unit="m/s"),
    Field("descent_m_s", "number", "rate of descent", True, low=0, above_low=True, unit="m/s"),
    Field("wind_limit_m_s", "number", "wind up to which it flies", True, low=0, above_low=True, unit="m/s"),
    Field("winch_s", "integer", "time at the far end", True, low=0, high=7_200, unit="seconds"),
    Field("turnaround_s", "integer", "time on the pad between sorties", True, low=0, high=86_400, unit="seconds"),
    Field("clearance_m", "number", "least height over ground", default=30.0, low=0, high=120, unit="m"),
    Field("min_visibility_m", "number", "visibility below which it does not fly", default=0.0, low=0, unit="m"),
    Field("max_rain_mm_h", "number", "rain above which it does not fly", default=500.0, low=0, unit="mm/h"),
    Field("approval", "choice", "what a flight needs", default="none", choices=("none", "declared", "required")),
)
DRONE_RECORD: Final = RecordType(
    "drone",
    "a type of drone: `[[drone]]`",
    (
        Field("id", "text", "unique id", True),
        Field("preset", "text", "id of a shipped type (S, M, L, XL) that gives every field not stated here"),
        *_SERVICE_FIELDS,
        Field(
            "cost_per_sortie", "number", "cost of one sortie without energy and crew", True, low=0, unit="minor units"
        ),
        *_PHYSICS_FIELDS,
    ),
)
STAND_RECORD: Final = RecordType(
    "stand",
    "how many carriers of a type stand where: `[[stand]]`",
    (
        Field("type", "text", "id of a vehicle, courier or drone type", True),
        Field("site", "text", "id of the site that is their base", True),
        Field("count", "integer", "how many", default=1, low=1, high=1_000),
        Field("operator", "text", "who runs them and is paid", default=""),
    ),
)
FLEET_RECORD: Final = RecordType(
    "fleet",
    "fleet.toml",
    (
        Field("vehicle", "table", "road vehicle and courier types"),
        Field("drone", "table", "drone types"),
        Field("stand", "table", "how many stand where"),
    ),
)


@dataclass(frozen=True, slots=True)
class Stand:
    """`count` carriers of one type, based at one site and run by one operator."""

    type: str
    site: str
    count: int
    operator: str


@dataclass(frozen=True)
class Fleet:
    """Types by id, and where they stand."""

    vehicle_types: Mapping[str, VehicleType] = dataclasses.field(default_factory=dict)
    drone_services: Mapping[str, DroneService] = dataclasses.field(default_factory=dict)
    stands: tuple[Stand, ...] = ()


@dataclass(frozen=True)
class Presets:
    """Raw records a fleet file may build on, by preset id."""

    vehicles: Mapping[str, Mapping[str, Any]]
    drones: Mapping[str, Mapping[str, Any]]


def load_presets(drone_types: Mapping[str, DroneType]) -> Presets:
    """Return the shipped presets: vehicles and drone services of this package, physics of the given drone types."""
    collector = FaultCollector()
    where = Where("vehicles.toml (shipped)")
    text = files("routing").joinpath("data", "vehicles.toml").read_text(encoding="utf-8")
    document = parse_toml(text, where, collector) or {}
    collector.raise_if_any()
    services = document.get("drone", {})
    drones = {
        drone_id: {**dataclasses.asdict(physics), **services.get(drone_id, {}), "id": None}
        for drone_id, physics in drone_types.items()
    }
    return Presets(document.get("vehicle", {}), drones)


def read_fleet(
    path: Path,
    file: str,
    presets: Presets,
    energy_sources: Mapping[str, str],
    sites: SiteBook,
    collector: FaultCollector,
) -> Fleet:
    """Return the fleet; every fault goes to the collector.

    Parameters
    ----------
    energy_sources
        Energy source of each travel profile that may be named.
    sites
        Sites they may stand at; without ids when the sites could not be read, then stands are not judged by site.
    """
    document = read_toml(path, file, collector)
    if document is None:
        return Fleet()
    for fault in unknown_keys(FLEET_RECORD, document, Where(file)):
        collector.add(fault)
    reading = _Reading(file, collector)
    vehicles = reading.types(
        document, "vehicle", lambda values, where: _vehicle(values, presets, energy_sources, where)
    )
    drones = reading.types(document, "drone", lambda values, where: _drone(values, presets, where), taken=vehicles)
    stands = reading.stands(document, vehicles, drones, sites)
    return Fleet(_built(vehicles), _built(drones), stands)


Type = TypeVar("Type", VehicleType, DroneService)
_Made = tuple[Type | None, list[Fault]]


def _built(types: Mapping[str, Type | None]) -> dict[str, Type]:
    return {type_id: found for type_id, found in types.items() if found is not None}


@dataclass(frozen=True)
class _Reading:
    """The reading of one fleet file: collects faults as it goes."""

    file: str
    collector: FaultCollector

    def types(
        self,
        document: Mapping[str, Any],
        key: str,
        make: Callable[[Mapping[str, Any], Where], _Made[Type]],
        taken: Mapping[str, object] | None = None,
    ) -> dict[str, Type | None]:
        """Return the types under a key by id; None for a type that is named but faulty."""
        found: dict[str, Type | None] = {}
        for number, values in self.records(document, key):
            where = Where(self.file, number, f"{key}.")
            made, faults = make(values, where)
            type_id = made.id if made is not None else str(values.get("id", "")).strip()
            if type_id:
                if type_id in found or type_id in (taken or {}):
                    remedy = "Give every type an id of its own."
                    faults.append(
                        where.fault(FaultCode.DUPLICATE_ID, "id", type_id, "the type id is already used", remedy)
                    )
                found.setdefault(type_id, made)
            self.report(faults)
        return found

    def stands(
        self,
        document: Mapping[str, Any],
        vehicles: Mapping[str, VehicleType | None],
        drones: Mapping[str, DroneService | None],
        sites: SiteBook,
    ) -> tuple[Stand, ...]:
        """Return where carriers stand."""
        found = []
        for number, values in self.records(document, "stand"):
            where = Where(self.file, number, "stand.")
            read, faults = read_record(STAND_RECORD, values, where)
            faults += _check_stand(read, [*vehicles, *drones], drones, sites, where)
            self.report(faults)
            if not faults:
                found.append(Stand(**read))
        return tuple(found)

    def records(self, document: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Return the numbered records of an array of tables."""
        records = document.get(key, [])
        if isinstance(records, list) and all(isinstance(values, dict) for values in records):
            return list(enumerate(records, start=1))
        reason = f"'{key}' is not a list of tables"
        self.report([Where(self.file).fault(FaultCode.WRONG_TYPE, key, None, reason, f"Write each as [[{key}]].")])
        return []

    def report(self, faults: Sequence[Fault]) -> None:
        """Hand faults to the collector."""
        for fault in faults:
            self.collector.add(fault)


def _with_preset(
    values: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]], where: Where
) -> tuple[Mapping[str, Any], list[Fault]]:
    preset = values.get("preset")
    if preset is None:
        return values, []
    base = presets.get(preset) if isinstance(preset, str) else None
    if base is None:
        remedy = did_you_mean(str(preset), presets, "shipped presets")
        return values, [where.fault(FaultCode.UNKNOWN_PRESET, "preset", preset, "there is no such preset", remedy)]
    return {**base, **values}, []


def _vehicle(
    given: Mapping[str, Any], presets: Presets, energy_sources: Mapping[str, str], where: Where
) -> _Made[VehicleType]:
    values, faults = _with_preset(given, presets.vehicles, where)
    if faults:
        return None, faults
    found, faults = read_record(VEHICLE_RECORD, values, where)
    compartments, more = _compartments(values.get("compartments"), where)
    faults += more
    faults += _check_profile(found.get("profile"), found.get("energy_source"), energy_sources, where)
    if faults:
        return None, faults
    found.pop("preset")
    shift_start_s, shift_end_s = found.pop("shift")
    found["energy_source"] = found["energy_source"] or energy_sources[found["profile"]]
    return (
        VehicleType(compartments=compartments, shift_start_s=shift_start_s, shift_end_s=shift_end_s, **found),
        [],
    )


def _check_profile(
    profile: str | None, source: str | None, energy_sources: Mapping[str, str], where: Where
) -> list[Fault]:
    if profile is None:
        return []
    if profile not in energy_sources:
        remedy = did_you_mean(profile, energy_sources, "travel profiles")
        return [where.fault(FaultCode.UNKNOWN_PROFILE, "profile", profile, "there is no such travel profile", remedy)]
    needed = energy_sources[profile]
    if source is None or source == needed:
        return []
    reason = f"the travel profile {profile} runs on '{needed}'"
    remedy = f"Give '{needed}', or leave it out, or choose another profile."
    return [where.fault(FaultCode.ENERGY_SOURCE, "energy_source", source, reason, remedy)]


def _compartments(records: object, where: Where) -> tuple[tuple[Compartment, ...], list[Fault]]:
    if not isinstance(records, list) or not records or not all(isinstance(values, dict) for values in records):
        reason = "the vehicle has no compartments" if not records else "the compartments are not a list of tables"
        remedy = 'Give compartments = [{ id = "hold", kg = 800, litres = 4500 }].'
        return (), [where.fault(FaultCode.NO_COMPARTMENT, "compartments", None, reason, remedy)]
    found: dict[str, Compartment] = {}
    faults: list[Fault] = []
    for number, values in enumerate(records, start=1):
        at = Where(where.file, where.row, f"{where.prefix}compartments[{number}].")
        read, more = read_record(COMPARTMENT_RECORD, values, at)
        if read.get("id") in found:
            remedy = "Give every compartment of the vehicle an id of its own."
            more.append(
                at.fault(FaultCode.DUPLICATE_ID, "id", read["id"], "the compartment id is already used", remedy)
            )
        faults += more
        if not more:
            found[read["id"]] = Compartment(**read)
    return tuple(found.values()), faults


def _drone(given: Mapping[str, Any], presets: Presets, where: Where) -> _Made[DroneService]:
    values, faults = _with_preset(given, presets.drones, where)
    if faults:
        return None, faults
    found, faults = read_record(DRONE_RECORD, values, where)
    if faults:
        return None, faults
    shift_start_s, shift_end_s = found["shift"]
    physics = DroneType(**{field.name: found[field.name] for field in dataclasses.fields(DroneType)})
    service = DroneService(
        physics=physics,
        fixed_cost=found["fixed_cost"],
        cost_per_sortie=found["cost_per_sortie"],
        cost_per_h=found["cost_per_h"],
        shift_start_s=shift_start_s,
        shift_end_s=shift_end_s,
    )
    return service, []


def _check_stand(
    stand: Mapping[str, Any],
    type_ids: Sequence[str],
    drones: Mapping[str, object],
    sites: SiteBook,
    where: Where,
) -> list[Fault]:
    faults = []
    type_id, site_id = stand.get("type"), stand.get("site")
    if type_id is not None and type_id not in type_ids:
        remedy = did_you_mean(type_id, type_ids, "types of this file")
        faults.append(
            where.fault(FaultCode.UNKNOWN_TYPE, "type", type_id, "there is no such vehicle or drone type", remedy)
        )
    if site_id is None or not sites.ids:
        return faults
    if site_id not in sites.ids:
        remedy = nearest_site(site_id, sites.ids)
        faults.append(where.fault(FaultCode.UNKNOWN_SITE, "site", site_id, "there is no such site", remedy))
    elif type_id in drones and any(site.id == site_id and site.drone_pads == 0 for site in sites.sites):
        remedy = "Give the site drone_pads of 1 or more, or let the drones stand elsewhere."
        reason = f"drones of type {type_id} stand at a site without a drone pad"
        faults.append(where.fault(FaultCode.NO_PAD, "site", site_id, reason, remedy))
    return faults
