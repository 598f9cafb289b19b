"""Travel profiles from TOML: the shipped ones and a scenario's own."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from geodata.errors import Fault, FaultCollector, InputError, nearest_name
from geodata.osm_tags import ACCESS_KINDS, HIGHWAYS, SURFACES
from geodata.profile_type import WEATHER_STATES, EnergyModel, Profile

_DIMENSIONS = ("width_m", "height_m", "gross_kg", "max_snap_m", "access_m_s")
_NUMBERS = (*_DIMENSIONS, "max_grade", "lateral_m_s2", "min_grade_factor", "axle_share", "walk_factor")
_POSITIVE = ("max_snap_m", "access_m_s", "lateral_m_s2", "min_grade_factor", "walk_factor")
_TABLES: dict[str, tuple[str, ...]] = {
    "speed_kmh": HIGHWAYS,
    "surface": SURFACES,
    "energy": tuple(item.name for item in dataclasses.fields(EnergyModel)),
    "weather": WEATHER_STATES,
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("motor", "heavy", "foot"),
    "energy_source": ("diesel", "electric", "none"),
}
_KEYS = ("like", "name", "access", "max_tracktype", "grade", *_NUMBERS, *_TABLES, *_CHOICES)
_REQUIRED = ("mode", "energy_source", *_DIMENSIONS, "access", "speed_kmh", "surface")


def load_profiles(extra: Path | None = None) -> dict[str, Profile]:
    """Return the shipped profiles and those of a scenario's own file, by id (the file's win).

    Raises
    ------
    InputError
        If the extra file is missing, is not TOML, or has faulty profiles; all faults at once.
    """
    raw: dict[str, object] = dict(tomllib.loads(files("geodata").joinpath("data/profiles.toml").read_text("utf-8")))
    own: dict[str, object] = {}
    if extra is not None:
        own = _read_toml(extra)
    collector = FaultCollector()
    file = extra.name if extra is not None else "profiles.toml"
    merged = {**raw, **own}
    profiles = {}
    for profile_id in merged:
        table = _inherited(profile_id, merged, file, collector)
        if table is None:
            continue
        reader = _ProfileReader(profile_id, table, file, collector)
        profile = reader.read()
        if profile is not None:
            profiles[profile_id] = profile
    collector.raise_if_any()
    return profiles


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        fault = Fault("MISSING_FILE", path.name, "There is no such file", "Name a TOML file of travel profiles.")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        code = "WRONG_ENCODING" if isinstance(error, UnicodeDecodeError) else "BROKEN_FILE"
        fault = Fault(code, path.name, f"The file is not TOML: {error}", "Mend the line named.")
    raise InputError([fault])


def _inherited(
    profile_id: str, tables: Mapping[str, object], file: str, collector: FaultCollector
) -> dict[str, object] | None:
    """Return a profile's table with everything it takes over by `like`; None and a fault where that fails."""
    chain: list[Mapping[str, object]] = []
    seen: list[str] = []
    current: str | None = profile_id
    while current is not None:
        table = tables.get(current)
        if not isinstance(table, dict) or current in seen:
            near = nearest_name(current, [name for name in tables if name not in seen])
            reason = "A profile is like itself" if current in seen else "There is no such profile"
            remedy = f"Did you mean {near!r}?" if near else "Name a profile table."
            collector.add(Fault("UNKNOWN_PROFILE", file, reason, remedy, field=f"{profile_id}.like", value=current))
            return None
        seen.append(current)
        chain.append(table)
        like = table.get("like")
        current = None if like is None else str(like)
    merged: dict[str, object] = {}
    for table in reversed(chain):
        for key, value in table.items():
            before = merged.get(key)
            merged[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


@dataclass
class _ProfileReader:
    """Turns one merged TOML table into a Profile, collecting what is wrong with it."""

    profile_id: str
    table: Mapping[str, object]
    file: str
    collector: FaultCollector

    def read(self) -> Profile | None:
        """Return the profile, or None where it has faults."""
        before = len(self.collector.faults)
        for key in self.table:
            self._known(key, _KEYS, key)
        for key in _REQUIRED:
            if key not in self.table:
                self._fault("MISSING_VALUE", key, None, "The key is missing", "Give it, or take it over by `like`.")
        numbers: dict[str, Any] = {key: self._number(key, self.table[key]) for key in _NUMBERS if key in self.table}
        tables = {key: self._numbers_of(key, names) for key, names in _TABLES.items()}
        choices = {key: self._choice(key, names) for key, names in _CHOICES.items()}
        access, grade, tracktype = (
            self._access(),
            self._grade(),
            self._number("max_tracktype", self.table.get("max_tracktype", 5)),
        )
        if len(self.collector.faults) > before:
            return None
        return Profile(
            id=self.profile_id,
            name=str(self.table.get("name", self.profile_id)),
            mode=choices["mode"],  # type: ignore[arg-type]  # checked against the choices just above
            energy_source=choices["energy_source"],  # type: ignore[arg-type]  # as above
            access=access,
            speed_kmh=tables["speed_kmh"],
            surface=tables["surface"],
            weather=tables["weather"],
            max_tracktype=int(tracktype),
            grade=grade,
            energy=EnergyModel(**tables["energy"]),
            **numbers,
        )

    def _fault(self, code: str, key: str, value: object, reason: str, remedy: str) -> None:
        text = None if value is None else str(value)
        self.collector.add(Fault(code, self.file, reason, remedy, field=f"{self.profile_id}.{key}", value=text))

    def _known(self, name: str, known: tuple[str, ...], key: str) -> None:
        if name not in known:
            near = nearest_name(name, known)
            remedy = f"Did you mean {near!r}?" if near else f"Known are {', '.join(known)}."
            self._fault("UNKNOWN_KEY", key, name, "There is no such key", remedy)

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            self._fault("BAD_VALUE", key, value, "The value is not a number ≥ 0", "Give a number ≥ 0.")
            return 0.0
        if key in _POSITIVE and value == 0:
            self._fault("BAD_VALUE", key, value, "The value may not be 0", "Give a number > 0.")
        return float(value)

    def _numbers_of(self, key: str, names: tuple[str, ...]) -> dict[str, float]:
        table = self.table.get(key, {})
        if not isinstance(table, dict):
            self._fault("WRONG_TYPE", key, table, "The value is not a table of numbers", "Give name = number pairs.")
            return {}
        for name in table:
            self._known(name, names, f"{key}.{name}")
        found = {name: self._number(f"{key}.{name}", value) for name, value in table.items() if name in names}
        for name, value in found.items():
            if key == "weather" and not 0 < value <= 1:
                remedy = "Give a share of speed above 0, at most 1."
                self._fault("BAD_VALUE", f"weather.{name}", value, "The value is no share of speed", remedy)
        if key == "energy" and found.get("efficiency", 1.0) == 0:
            self._fault("BAD_VALUE", "energy.efficiency", 0, "The value may not be 0", "Give a share between 0 and 1.")
        return found

    def _choice(self, key: str, names: tuple[str, ...]) -> str:
        value = self.table.get(key)
        if value is not None and value not in names:
            self._fault("UNKNOWN_CHOICE", key, value, "There is no such choice", f"Choose one of {', '.join(names)}.")
        return str(value)

    def _access(self) -> tuple[str, ...]:
        value = self.table.get("access", [])
        if not isinstance(value, list) or any(kind not in ACCESS_KINDS[1:] for kind in value):
            self._fault(
                "UNKNOWN_CHOICE",
                "access",
                value,
                "Not a list of access kinds",
                f"List some of {', '.join(ACCESS_KINDS[1:])}.",
            )
            return ()
        return tuple(str(kind) for kind in value)

    def _grade(self) -> tuple[tuple[float, float], ...]:
        value = self.table.get("grade", [[0.0, 1.0]])
        remedy = "List [grade, share] pairs, grades ascending, shares 0 to 1 that fall away from level ground."
        try:
            points = tuple((float(grade), float(share)) for grade, share in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            points = ()
        rising = all(a[0] < b[0] for a, b in pairwise(points))
        fading = all(
            (a[1] <= b[1]) if b[0] <= 0 else (a[1] >= b[1]) if a[0] >= 0 else True for a, b in pairwise(points)
        )
        if not points or not rising or not fading or not all(0 < share <= 1 for _, share in points):
            self._fault("BAD_GRADE", "grade", value, "The grade points are not usable", remedy)
        return points
