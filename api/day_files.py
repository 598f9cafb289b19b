"""What changes during the day on a prepared network: closed roads, weather, airspace, bus delays.

Each is one file of the network's scenario folder. A new version is read together with everything else of the network
before it takes the place of the old one; it lies in a folder named by its digest, so that a version is known by its
name and a plan already made keeps the one it was made with.
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli_w

from api.networks import link_tree, locked, write_fresh
from api.problem_json import MAX_VALUE_CHARS, ProblemFault, pointer
from geodata.errors import Fault
from routing.scenario import CONFIG_FILE

DAY_FOLDER = "today"
_GEOJSON = ("application/geo+json", "application/json")
_PROTOBUF = ("application/x-protobuf", "application/octet-stream")


class DayFile(StrEnum):
    """The files of a network that may be replaced during the day."""

    CLOSURES = "closures"
    WEATHER = "weather"
    AIRSPACE = "airspace"
    TIMETABLE_UPDATES = "timetable-updates"

    @property
    def key(self) -> str:
        """Key of the file in ``[files]`` of ``scenario.toml``."""
        return self.value.replace("-", "_")

    @property
    def file_name(self) -> str:
        """Name under which faults tell of it."""
        return _FORMS[self][0]

    @property
    def media_types(self) -> tuple[str, ...]:
        """Media types it may be sent as; it is answered as the first."""
        return _FORMS[self][1]


_FORMS = {
    DayFile.CLOSURES: ("closures.geojson", _GEOJSON),
    DayFile.WEATHER: ("weather.csv", ("text/csv",)),
    DayFile.AIRSPACE: ("airspace.geojson", _GEOJSON),
    DayFile.TIMETABLE_UPDATES: ("timetable-updates.pb", _PROTOBUF),
}


@dataclass(frozen=True)
class Version:
    """One version of a day file: its digest (SHA-256, hexadecimal) and its path."""

    digest: str
    path: Path


def current_version(network: Path, which: DayFile) -> Version | None:
    """Return the version of a file that plans made now use; None where the network has no such file."""
    name = _files(network).get(which.key)
    if not isinstance(name, str):
        return None
    path = network / name
    try:
        return Version(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    except FileNotFoundError:  # replaced between the two reads
        return current_version(network, which)


def stage_version(network: Path, target: Path, which: DayFile, content: bytes) -> str:
    """Make a copy of a network folder with a new version of a file, and return the file's name in it."""
    name = f"{DAY_FOLDER}/{hashlib.sha256(content).hexdigest()}/{which.file_name}"
    with locked(network):
        link_tree(network, target)
        _install(target, which, name, content)
    return name


def install_version(network: Path, staged: Path, which: DayFile, name: str) -> None:
    """Let a network use a version that was found sound; the caller holds the network's lock."""
    old = _files(network).get(which.key)
    _install(network, which, name, (staged / name).read_bytes())
    if isinstance(old, str) and old != name and old.startswith(f"{DAY_FOLDER}/"):
        shutil.rmtree((network / old).parent, ignore_errors=True)


def _install(folder: Path, which: DayFile, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_fresh(path, content)
    config = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    config["files"][which.key] = name
    write_fresh(folder / CONFIG_FILE, tomli_w.dumps(config).encode())


def _files(folder: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["files"]
    return found


def day_faults(faults: tuple[Fault, ...], which: DayFile) -> Iterator[ProblemFault]:
    """Yield faults of a network with a new version; those of the GeoJSON sent have their JSON pointer."""
    for fault in faults:
        values = {key: value for key, value in fault.to_dict().items() if key != "value"}
        value = None if fault.value is None else fault.value[:MAX_VALUE_CHARS]
        at = _pointer(fault) if fault.file == which.file_name and which.media_types is _GEOJSON else None
        yield ProblemFault.model_validate({**values, "value": value, "pointer": at})


def _pointer(fault: Fault) -> str:
    """Return the JSON pointer of a fault in a GeoJSON document, whose rows are features counted from 1."""
    if fault.row is None:
        return "" if fault.field is None else pointer([fault.field])
    feature: list[str | int] = ["features", fault.row - 1]
    if fault.field is None:
        return pointer(feature)
    return pointer([*feature, fault.field] if fault.field == "geometry" else [*feature, "properties", fault.field])
