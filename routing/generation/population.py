"""How many people live at each place: a population file, else the map's tag, else a default by kind of place."""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geodata.errors import Fault, FaultCollector
from geodata.location import great_circle_m
from geodata.osm_features import OsmPlace

DEFAULT_POPULATION: Mapping[str, int] = {
    "city": 50_000,
    "town": 5_000,
    "village": 300,
    "hamlet": 40,
    "isolated_dwelling": 5,
    "farm": 5,
}
"""People assumed where neither the file nor the map tells, by kind of place. Assumed; after the lower ends of what the
OpenStreetMap wiki (Key:place) names for each kind, for mountain settlements are small."""

SAME_NAME_M = 5_000.0
"""Rows of the file count for a place of the same name within this distance: gazetteers place towns loosely."""
SIMILAR_NAME_M = 1_500.0
"""… and of a similar name within this one."""
_SIMILAR = 0.8
_ARTICLES = re.compile(r"^(?:l'|d'|el |la |els |les |los |las |le |the )")
_COLUMNS = {
    "name": ("name",),
    "lat": ("latitude", "lat"),
    "lon": ("longitude", "lon", "lng"),
    "people": ("population",),
}


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """One row of a population file."""

    name: str
    lon: float
    lat: float
    people: int


@dataclass(frozen=True, slots=True)
class Population:
    """People of one place and where the figure is from: ``file``, ``map`` or ``assumed``."""

    people: int
    source: str


def read_population(path: Path) -> tuple[PopulationRow, ...]:
    """Read a table of places with their population, such as an excerpt of GeoNames.

    Parameters
    ----------
    path
        CSV in UTF-8 with the columns name, latitude (or lat), longitude (or lon, lng) and population; others are
        ignored.

    Raises
    ------
    InputError
        With every fault: no such file, not UTF-8, missing column, bad coordinate or number.
    """
    faults = FaultCollector()
    rows: list[PopulationRow] = []
    try:
        records = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except FileNotFoundError:
        faults.add(Fault("MISSING_FILE", path.name, "There is no such file", "Give a CSV file with populations."))
        records = []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        code = "WRONG_ENCODING" if isinstance(error, UnicodeDecodeError) else "BROKEN_FILE"
        faults.add(Fault(code, path.name, f"Cannot be read: {error}", "Give a CSV file in UTF-8."))
        records = []
    faults.raise_if_any()
    header = [cell.strip().lower() for cell in records[0]] if records else []
    at = {key: next((header.index(n) for n in names if n in header), -1) for key, names in _COLUMNS.items()}
    for key, names in _COLUMNS.items():
        if at[key] < 0:
            remedy = f"Add a column {' or '.join(names)}."
            faults.add(Fault("MISSING_COLUMN", path.name, "A required column is missing", remedy, 1, names[0]))
    faults.raise_if_any()
    for number, cells in enumerate(records[1:], start=2):
        if any(cell.strip() for cell in cells):
            row = _population_row(cells, at, number, path.name, faults)
            if row is not None:
                rows.append(row)
    faults.raise_if_any()
    return tuple(rows)


def _population_row(
    cells: Sequence[str], at: Mapping[str, int], number: int, file: str, faults: FaultCollector
) -> PopulationRow | None:
    text = {key: cells[k].strip() if k < len(cells) else "" for key, k in at.items()}
    values: dict[str, float] = {}
    for key, low, high in (("lon", -180.0, 180.0), ("lat", -90.0, 90.0), ("people", 0.0, 1e9)):
        try:
            values[key] = float(text[key])
        except ValueError:
            values[key] = math.nan
        if not low <= values[key] <= high:
            remedy = f"Give a number from {low:g} to {high:g}."
            faults.add(Fault("BAD_VALUE", file, "Not a possible number", remedy, number, _COLUMNS[key][0], text[key]))
            return None
    return PopulationRow(text["name"], values["lon"], values["lat"], int(values["people"]))


def populations(places: Sequence[OsmPlace], rows: Sequence[PopulationRow]) -> tuple[dict[str, Population], list[str]]:
    """Give every place its people.

    A row of the file belongs to the nearest place of the same name (accents, case and articles aside, in any of the
    place's languages) within `SAME_NAME_M`, or of a similar name within `SIMILAR_NAME_M`; each row and each place is
    used once, equal names before similar ones, near pairs before far ones.

    Returns
    -------
    tuple[dict[str, Population], list[str]]
        Population by OSM id, and the names of the rows that fit no place.
    """
    matched = _matches(places, rows)
    found: dict[str, Population] = {}
    for place in places:
        if place.osm_id in matched:
            found[place.osm_id] = Population(rows[matched[place.osm_id]].people, "file")
        elif place.population is not None:
            found[place.osm_id] = Population(place.population, "map")
        else:
            found[place.osm_id] = Population(DEFAULT_POPULATION[place.kind], "assumed")
    used = set(matched.values())
    return found, [row.name for k, row in enumerate(rows) if k not in used]


def _matches(places: Sequence[OsmPlace], rows: Sequence[PopulationRow]) -> dict[str, int]:
    """Return the row index by OSM id."""
    if not places or not rows:
        return {}
    lon, lat = np.array([p.lon for p in places]), np.array([p.lat for p in places])
    names = [{plain_name(name) for name in (place.name, *place.names.values()) if name} for place in places]
    pairs = []
    for k, row in enumerate(rows):
        wanted = plain_name(row.name)
        distance_m = great_circle_m(np.array(row.lon), np.array(row.lat), lon, lat)
        for p in np.flatnonzero(distance_m <= SAME_NAME_M).tolist():
            if wanted in names[p]:
                pairs.append((0, float(distance_m[p]), k, p))
            elif distance_m[p] <= SIMILAR_NAME_M and any(_similar(wanted, name) for name in names[p]):
                pairs.append((1, float(distance_m[p]), k, p))
    matched: dict[str, int] = {}
    used: set[int] = set()
    for _, _, k, p in sorted(pairs):
        if k not in used and places[p].osm_id not in matched:
            used.add(k)
            matched[places[p].osm_id] = k
    return matched


def _similar(one: str, other: str) -> bool:
    """Return whether names are close, or one is the other with an addition (``Aldosa``, ``Aldosa de la Massana``)."""
    short, long = sorted((one, other), key=len)
    if short and long.startswith(short + " "):
        return True
    return difflib.SequenceMatcher(None, one, other).ratio() >= _SIMILAR


def plain_name(name: str) -> str:
    """Return a name without case, accents, articles and punctuation, for comparing."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("’", "'"))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", " ", _ARTICLES.sub("", plain.strip())).strip()
