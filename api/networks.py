"""Prepared networks: the parts of a scenario that stay from day to day, read once, with a digest as their version.

A network folder is a scenario folder whose orders and fleet may be missing; a day's plan is made in a folder of its
own that holds the network's files, the day's orders and the day's fleet, so that it outlives the network.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w

from geodata.cache import Cache
from routing.day import read_day
from routing.order_import import ORDER_RECORD
from routing.scenario import CONFIG_FILE

ORDERS_FILE, FLEET_FILE = "orders.json", "fleet.toml"
INLINE_FILES = {ORDERS_FILE: "/orders"}
"""Files of a scenario that came within the JSON body, and their JSON pointers there."""
NO_ORDERS_FILE = "no-orders.csv"
NO_FLEET_FILE = "no-fleet.toml"


@dataclass(frozen=True)
class DayRequest:
    """The parts of a day's plan that a network lacks; None keeps what the network folder names.

    `orders` are the bytes of an orders file and `orders_name` its name, whose ending gives the format.
    """

    service_date: date | None = None
    name: str | None = None
    orders: bytes | None = None
    orders_name: str = ORDERS_FILE
    fleet: bytes | None = None


def complete_network(folder: Path) -> None:
    """Give a network folder without orders or fleet empty ones, so that it can be read as a scenario."""
    path = folder / CONFIG_FILE
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # whoever reads the folder reports it with its place
    files = config.get("files")
    if not isinstance(files, dict) or {"orders", "fleet"} <= files.keys():
        return
    if "orders" not in files:
        files["orders"] = NO_ORDERS_FILE
        (folder / NO_ORDERS_FILE).write_text(",".join(ORDER_RECORD.required) + "\n", encoding="utf-8")
    if "fleet" not in files:
        files["fleet"] = NO_FLEET_FILE
        (folder / NO_FLEET_FILE).write_text("", encoding="utf-8")
    path.write_text(tomli_w.dumps(config), encoding="utf-8")


def prepare_network(folder: Path, cache: Cache) -> dict[str, Any]:
    """Read a network folder, warm the cache, and return its facts for the network's description.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    day = read_day(folder, cache=cache)
    scenario, area, streets = day.scenario, day.area, day.area.streets
    return {
        "name": scenario.name,
        "digest": scenario.digest,
        "service_date": scenario.service_date.isoformat(),
        "timezone": scenario.timezone,
        "sites": len(scenario.sites),
        "street_nodes": len(streets.node_id),
        "street_edges": len(streets.edge_from),
        "bus_trips": 0 if area.timetable is None else len(area.timetable.trips),
        "bounds": [
            round(float(value), 6)
            for value in (
                streets.node_lon.min(),
                streets.node_lat.min(),
                streets.node_lon.max(),
                streets.node_lat.max(),
            )
        ],
        "profiles": sorted(area.profiles),
    }


def compose_day(network: Path, target: Path, day: DayRequest) -> None:
    """Make a scenario folder of a network and a day's orders and fleet.

    Files of the network are linked where the file system can, else copied.
    """
    with locked(network):
        link_tree(network, target)
    config = tomllib.loads((target / CONFIG_FILE).read_text(encoding="utf-8"))
    if day.name is not None:
        config["name"] = day.name
    if day.service_date is not None:
        config["service_date"] = day.service_date
    for key, name, content in (("orders", day.orders_name, day.orders), ("fleet", FLEET_FILE, day.fleet)):
        if content is not None:
            config["files"][key] = name
            write_fresh(target / name, content)
    write_fresh(target / CONFIG_FILE, tomli_w.dumps(config).encode())


def orders_bytes(orders: Sequence[Mapping[str, Any]]) -> bytes:
    """Return an orders file of records that came in a request."""
    return json.dumps(list(orders), ensure_ascii=False).encode()


def fleet_bytes(fleet: Mapping[str, Any]) -> bytes:
    """Return a fleet file of a fleet that came in a request; keys without a value are left out, as TOML has no null."""
    return tomli_w.dumps(_without_null(fleet)).encode()


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_null(inner) for inner in value if inner is not None]
    return value


@contextmanager
def locked(network: Path) -> Iterator[None]:
    """Hold the lock of a network folder: who reads all of it or changes it holds it, on whatever machine."""
    with (network.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def link_tree(source: Path, target: Path) -> None:
    """Make `target` a folder with the files of `source`, linked where the file system can, else copied."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        there = target / path.relative_to(source)
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            _link(path, there)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def write_fresh(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, without writing through a link to the network's own."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
