"""The files a network is made of: a scenario's folder or zip, or its parts, sent one by one or named below a folder."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import tomli_w
from starlette.datastructures import UploadFile

from api.coordinates import wgs84_record
from api.error_codes import ErrorCode
from api.intake import named_folder, named_path
from api.networks import write_fresh
from api.problem_json import ApiError, ProblemFault, invalid_scenario
from api.schemas import AreaFiles, NetworkRequest
from api.settings import Settings
from api.uploads import judge_file, unpack_scenario
from geodata.errors import FaultCollector, InputError
from routing.scenario import CONFIG_FILE, Scenario, read_scenario
from routing.sites import SITE_RECORD
from routing.tables import read_table

PARTS = ("streets", "terrain", "timetable", "sites")
"""Parts of an area as fields of a form, and as keys of `files`."""
TILES = "terrain"
"""The part that may come as several files."""
MAX_TILES = 50
ENDINGS = {
    "streets": (".osm.pbf", ".osm"),
    "terrain": (".hgt", ".hgt.zip", ".tif", ".tiff"),
    "timetable": (".zip",),
    "sites": (".csv", ".xlsx", ".json", ".geojson"),
}
MAP_CREDIT = "Map data © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright)"
_NEEDED = ("streets", "sites")
_SITES_FILE = "sites-wgs84.json"
_SCENARIO = "scenario"


def fill_area(settings: Settings, wanted: NetworkRequest, uploads: Mapping[str, UploadFile], folder: Path) -> None:
    """Put all files of a network into its empty folder.

    Raises
    ------
    ApiError
        INVALID_REQUEST, SCENARIO_NOT_FOUND, UPLOAD_REFUSED.
    """
    if _one_source(wanted, uploads) == _SCENARIO:
        _refuse_head(wanted)
        if wanted.scenario is not None:
            shutil.copytree(named_folder(settings, wanted.scenario), folder, dirs_exist_ok=True)
        else:
            unpack_scenario(uploads[_SCENARIO].file, folder, settings)
        return
    names = _take_uploads(uploads, folder) if wanted.files is None else _take_named(settings, wanted.files, folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            judge_file(path, settings)
    _write_config(wanted, names, folder)


def _one_source(wanted: NetworkRequest, uploads: Mapping[str, UploadFile]) -> str:
    """Return whether a scenario or parts of one were given; both, and neither, are refused."""
    parts_sent = any(name != _SCENARIO for name in uploads)
    given = [wanted.scenario is not None, _SCENARIO in uploads, wanted.files is not None, parts_sent]
    if sum(given) != 1:
        reason = "exactly one of 'scenario', 'files', an uploaded scenario and uploaded parts is needed"
        raise ApiError(ErrorCode.INVALID_REQUEST, reason, [ProblemFault(code="ONE_SOURCE", pointer="", reason=reason)])
    return _SCENARIO if any(given[:2]) else "parts"


def _refuse_head(wanted: NetworkRequest) -> None:
    """Refuse what a scenario says itself, rather than pass over it."""
    faults = [
        ProblemFault(code="NEEDS_PARTS", pointer=f"/{name}", reason=f"a scenario has its own '{name}'")
        for name in ("name", "service_date", "timezone", "currency")
        if getattr(wanted, name) is not None
    ]
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, "A scenario says itself what it is called and when it is.", faults)


def _take_uploads(uploads: Mapping[str, UploadFile], folder: Path) -> dict[str, list[str]]:
    """Write the parts that were uploaded and return their names by part."""
    faults = [fault for field, upload in uploads.items() for fault in _upload_faults(field, upload)]
    parts = {field.partition(".")[0] for field in uploads}
    faults += [
        ProblemFault(code="MISSING", field=name, reason=f"the file '{name}' is needed", remedy=_told(name))
        for name in _NEEDED
        if name not in parts
    ]
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"{len(faults)} faults in the files.", faults)
    names: dict[str, list[str]] = {}
    for field, upload in uploads.items():
        part = field.partition(".")[0]
        ending = _ending(part, upload.filename)
        name = f"{TILES}/{_base(upload)}" if part == TILES else f"{part}{ending}"
        _copy(upload, folder / name)
        names.setdefault(part, []).append(name)
    return names


def _upload_faults(field: str, upload: UploadFile) -> Iterator[ProblemFault]:
    part = field.partition(".")[0]
    if not _ending(part, upload.filename):
        reason = f"the file is none of {', '.join(ENDINGS[part])}"
        yield ProblemFault(code="UNSUPPORTED_FORMAT", field=part, reason=reason, remedy=_told(part))
    elif part == TILES and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", _base(upload)):
        reason = "the name of the tile has other than letters, digits, '.', '_' and '-'"
        yield ProblemFault(code="BAD_NAME", field=part, reason=reason, remedy="Name it as it was published.")


def _told(part: str) -> str:
    return f"Send '{part}' as a file of {', '.join(ENDINGS[part])}."


def _ending(part: str, name: str | None) -> str:
    """Return the ending of a file's name that a part may have, the longest; empty where there is none."""
    fitting = [ending for ending in ENDINGS[part] if (name or "").lower().endswith(ending)]
    return max(fitting, key=len, default="")


def _base(upload: UploadFile) -> str:
    return PurePosixPath(upload.filename or "").name


def _copy(upload: UploadFile, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        shutil.copyfileobj(upload.file, target)


def _take_named(settings: Settings, files: AreaFiles, folder: Path) -> dict[str, list[str]]:
    """Copy the files named below the configured folder and return their names by part."""
    named: dict[str, list[str | None]] = {
        "streets": [files.streets],
        "sites": [files.sites],
        TILES: [*files.terrain],
        "timetable": [files.timetable],
    }
    given = [(part, number, name) for part, names in named.items() for number, name in enumerate(names) if name]
    faults = [
        ProblemFault(
            code="UNSUPPORTED_FORMAT", pointer=pointer, reason=f"the file is none of {', '.join(ENDINGS[part])}"
        )
        for part, number, name in given
        for pointer in [f"/files/{part}/{number}" if part == TILES else f"/files/{part}"]
        if not _ending(part, name)
    ]
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"{len(faults)} faults in the files.", faults)
    found: dict[str, list[str]] = {}
    for part, _, name in given:
        source = named_path(settings, name)
        target = f"{TILES}/{source.name}" if part == TILES else f"{part}{_ending(part, name)}"
        (folder / target).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, folder / target)
        found.setdefault(part, []).append(target)
    return found


def _write_config(wanted: NetworkRequest, names: Mapping[str, list[str]], folder: Path) -> None:
    config = {
        "name": wanted.name or "area",
        "service_date": wanted.service_date or datetime.now(UTC).date(),
        "timezone": wanted.timezone or "Asia/Shanghai",
        "currency": wanted.currency or "CNY",
        "credits": [MAP_CREDIT],
        "files": {part: found if part == TILES else found[0] for part, found in names.items()},
    }
    write_fresh(folder / CONFIG_FILE, tomli_w.dumps(config).encode())


def read_area(folder: Path, crs: str) -> Scenario:
    """Read the tables of a network's folder; sites in GCJ-02 are converted, in a file of their own.

    Raises
    ------
    ApiError
        INVALID_SCENARIO with every fault.
    """
    try:
        scenario = read_scenario(folder)
        if crs == "wgs84":
            return scenario
        _convert_sites(scenario, folder)
        return read_scenario(folder)
    except InputError as error:
        raise invalid_scenario(error) from None


def _convert_sites(scenario: Scenario, folder: Path) -> None:
    path = scenario.files.sites
    table = read_table(path, path.name, SITE_RECORD, FaultCollector())
    assert table is not None  # it was read without a fault
    rows = [{key: value for key, value in row.values.items() if value not in ("", None)} for row in table.rows]
    converted = [wgs84_record({**row, "lon": float(str(row["lon"])), "lat": float(str(row["lat"]))}) for row in rows]
    write_fresh(folder / _SITES_FILE, json.dumps(converted, ensure_ascii=False).encode())
    config = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    config["files"]["sites"] = _SITES_FILE
    write_fresh(folder / CONFIG_FILE, tomli_w.dumps(config).encode())
