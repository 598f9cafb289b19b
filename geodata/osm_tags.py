"""What the tags of one OSM way say about its use: access, direction, surface, limits; no geometry.

Tag meanings follow the OpenStreetMap wiki (Key:access, Key:oneway, Key:surface, Key:tracktype, Key:maxspeed,
Map features/Units). Values nobody defined are treated as if the tag were absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from geodata.access_kinds import ACCESS_KINDS, ACCESS_VALUE
from geodata.conditional_access import AccessRule, read_access_rules

__all__ = ["ACCESS_KINDS", "HIGHWAYS", "SURFACES", "TRACKTYPES"]

HIGHWAYS: tuple[str, ...] = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "road",
    "track",
    "pedestrian",
    "cycleway",
    "bridleway",
    "path",
    "footway",
    "steps",
    "corridor",
    "ferry",
)
"""Classes of way read, the greatest road first; index = `edge_highway` code. No others (construction, raceway …).

``ferry`` stands for ``route=ferry``, used only by profiles that give it a speed.
"""

MOTOR_CLASSES = frozenset(HIGHWAYS[: HIGHWAYS.index("pedestrian")])
"""Classes open to motor vehicles unless a tag says otherwise; the others are closed to them unless a tag opens them."""

SURFACES: tuple[str, ...] = ("paved", "cobbled", "compacted", "gravel", "ground", "mud")
"""Surface classes; index = `edge_surface` code."""

TRACKTYPES: tuple[str, ...] = ("none", "grade1", "grade2", "grade3", "grade4", "grade5")
"""Track grades; index = `edge_tracktype` code. ``none``: neither a track nor tagged as one."""

_SURFACE_VALUES = {
    "paved": "paved asphalt chipseal concrete concrete:plates concrete:lanes paving_stones metal wood rubber bricks",
    "cobbled": "sett cobblestone unhewn_cobblestone cobblestone:flattened stone rock grass_paver",
    "compacted": "compacted fine_gravel",
    "gravel": "gravel unpaved pebblestone stepping_stones",
    "ground": "ground dirt earth grass terra woodchips clay snow ice",
    "mud": "mud sand",
}
_SURFACE_CLASS = {value: kind for kind, values in _SURFACE_VALUES.items() for value in values.split()}
_TRACKTYPE_SURFACE = {"grade1": "paved", "grade2": "gravel", "grade3": "gravel", "grade4": "ground", "grade5": "ground"}
_SURFACE_TRACKTYPE = {"paved": "grade1", "compacted": "grade2", "gravel": "grade2"}
_MOTOR_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
_HEAVY_KEYS = ("hgv", "goods", "motor_vehicle", "vehicle", "access")
_FOOT_KEYS = ("foot", "access")
_OPEN_BARRIER_KINDS = """gate lift_gate swing_gate sliding_gate toll_booth border_control cattle_grid entrance
sally_port height_restrictor kerb no arch rumble_strip speed_bump checkpoint"""
_OPEN_BARRIERS = frozenset(_OPEN_BARRIER_KINDS.split())
_WALLS = frozenset(("fence", "wall", "hedge", "retaining_wall", "city_wall", "guard_rail"))
NO_LIMIT = math.inf


@dataclass(frozen=True, slots=True)
class DirectedUse:
    """Right to use a way in one direction; each field indexes `ACCESS_KINDS`. `heavy` is for goods vehicles > 3.5 t."""

    motor: int
    heavy: int
    foot: int

    @property
    def usable(self) -> bool:
        """True if anybody may use the direction."""
        return bool(self.motor or self.heavy or self.foot)


@dataclass(frozen=True, slots=True)
class WayUse:
    """One way's tags in the form the street network keeps; codes index the tuples of this module.

    `maxspeed_kmh` is (forward, backward), nan where none is posted; limits are `math.inf` where none is posted.
    """

    highway: int
    surface: int
    tracktype: int
    forward: DirectedUse
    backward: DirectedUse
    maxspeed_kmh: tuple[float, float]
    max_width_m: float
    max_height_m: float
    max_weight_kg: float
    bridge: bool
    tunnel: bool
    name: str
    max_axle_kg: float = NO_LIMIT
    access_rules: tuple[AccessRule, ...] = ()
    rules_left_out: int = 0


@dataclass(frozen=True, slots=True)
class BarrierUse:
    """Which modes a barrier node lets pass, and the height it leaves."""

    motor: bool
    foot: bool
    max_height_m: float = NO_LIMIT


def read_way_tags(tags: Mapping[str, str]) -> WayUse | None:
    """Return what the tags of a way mean, or None when nobody this software plans for may use it."""
    highway = "ferry" if tags.get("route") == "ferry" else tags.get("highway", "")
    if highway not in HIGHWAYS:
        return None
    forward, backward = _directed_use(highway, tags)
    if not (forward.usable or backward.usable):
        return None
    surface, tracktype = _surface_and_tracktype(highway, tags)
    access_rules, rules_left_out = read_access_rules(tags)
    return WayUse(
        highway=HIGHWAYS.index(highway),
        surface=SURFACES.index(surface),
        tracktype=TRACKTYPES.index(tracktype),
        forward=forward,
        backward=backward,
        maxspeed_kmh=(
            parse_speed_kmh(tags.get("maxspeed:forward", tags.get("maxspeed", ""))),
            parse_speed_kmh(tags.get("maxspeed:backward", tags.get("maxspeed", ""))),
        ),
        max_width_m=min(parse_length_m(tags.get(key, "")) for key in ("maxwidth", "maxwidth:physical", "width")),
        max_height_m=min(parse_length_m(tags.get(key, "")) for key in ("maxheight", "maxheight:physical")),
        max_weight_kg=parse_mass_kg(tags.get("maxweight", "")),
        bridge=tags.get("bridge", "no") not in ("no", ""),
        tunnel=tags.get("tunnel", "no") in ("yes", "avalanche_protector", "covered"),
        name=tags.get("name") or tags.get("ref", ""),
        max_axle_kg=parse_mass_kg(tags.get("maxaxleload", "")),
        access_rules=access_rules,
        rules_left_out=rules_left_out,
    )


def read_barrier_tags(tags: Mapping[str, str]) -> BarrierUse:
    """Return whom a node with ``barrier=*`` lets pass: tagged access first, else what such a barrier usually stops.

    Gates and lift gates without an access tag are taken to open for a delivery; bollards, blocks and chains not.
    """
    kind = tags.get("barrier", "")
    motor = _tagged_access(tags, _MOTOR_KEYS)
    foot = _tagged_access(tags, _FOOT_KEYS)
    return BarrierUse(
        motor=motor in ("yes", "destination") if motor is not None else kind in _OPEN_BARRIERS,
        foot=foot in ("yes", "destination") if foot is not None else kind not in _WALLS,
        max_height_m=min(parse_length_m(tags.get(key, "")) for key in ("maxheight", "maxheight:physical")),
    )


def parse_speed_kmh(text: str) -> float:
    """Return km/h of a ``maxspeed`` value ("50", "30 mph", "walk"), nan where it names no number."""
    text = re.split(r"[;|]", text)[0].strip().lower()
    if text == "walk":
        return 6.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", text)
    if match is None or float(match[1]) <= 0.0:
        return math.nan
    return float(match[1]) * {"mph": 1.609344, "knots": 1.852}.get(match[2] or "", 1.0)


def parse_length_m(text: str) -> float:
    """Return metres of a width or height ("2.5", "2,5 m", "8'6 in", "12 ft"), `NO_LIMIT` where it names none."""
    text = text.partition(";")[0].strip().lower().replace(",", ".")
    feet = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:'|ft|feet)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|''|in))?", text)
    if feet is not None:
        return float(feet[1]) * 0.3048 + float(feet[2] or 0.0) * 0.0254
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(m|metres?|meters?|cm)?", text)
    if match is None or float(match[1]) <= 0.0:
        return NO_LIMIT
    return float(match[1]) * (0.01 if match[2] == "cm" else 1.0)


def parse_mass_kg(text: str) -> float:
    """Return kilograms of a ``maxweight`` ("3.5" tonnes, "3500 kg", "8 st" short tons), `NO_LIMIT` for none."""
    text = text.partition(";")[0].strip().lower().replace(",", ".")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(t|tons?|tonnes?|kg|st|lt|lbs?|cwt)?", text)
    if match is None or float(match[1]) <= 0.0:
        return NO_LIMIT
    unit = match[2] or "t"
    factors = {"kg": 1.0, "st": 907.185, "lt": 1016.047, "lb": 0.453592, "lbs": 0.453592, "cwt": 50.802}
    return float(match[1]) * factors.get(unit, 1000.0)


def _tagged_access(tags: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    """Return the access kind by the most specific tag of `keys` that says anything, or None."""
    for key in keys:
        for value in tags.get(key, "").split(";"):
            kind = ACCESS_VALUE.get(value.strip().lower())
            if kind is not None:
                return kind
    return None


def _access(highway: str, tags: Mapping[str, str], keys: tuple[str, ...]) -> int:
    """Return the access code of a motor mode on a way of a class."""
    if tags.get("area") == "yes":
        return ACCESS_KINDS.index("no")
    if highway not in MOTOR_CLASSES:
        # Footpaths stay closed to motors unless a motor tag itself opens them: access=yes alone speaks of walkers.
        return ACCESS_KINDS.index(_tagged_access(tags, keys[:-1]) or "no")
    return ACCESS_KINDS.index(_tagged_access(tags, keys) or "yes")


def _foot_access(highway: str, tags: Mapping[str, str]) -> int:
    """Return the access code of walkers: everywhere but on motorways and where a tag says no."""
    tagged = _tagged_access(tags, _FOOT_KEYS)
    if highway.startswith("motorway") or tags.get("motorroad") == "yes":
        tagged = _tagged_access(tags, _FOOT_KEYS[:1]) or "no"
    return ACCESS_KINDS.index(tagged or "yes")


def _directed_use(highway: str, tags: Mapping[str, str]) -> tuple[DirectedUse, DirectedUse]:
    """Return the rights in the way's own direction and against it."""
    motor, heavy = _access(highway, tags, _MOTOR_KEYS), _access(highway, tags, _HEAVY_KEYS)
    foot = _foot_access(highway, tags)
    onward, back = _open_directions(highway, tags)
    return (
        DirectedUse(motor if onward else 0, heavy if onward else 0, foot),
        DirectedUse(motor if back else 0, heavy if back else 0, foot),
    )


def _open_directions(highway: str, tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Return whether vehicles may go (forward, backward); roundabouts and motorways are one-way by themselves."""
    oneway = (tags.get("oneway:motor_vehicle") or tags.get("oneway", "")).lower()
    if oneway in ("-1", "reverse"):
        return False, True
    if oneway in ("yes", "true", "1"):
        return True, False
    if oneway == "reversible":
        return False, False
    implied = highway == "motorway" or tags.get("junction") in ("roundabout", "circular")
    if implied and oneway not in ("no", "false", "0"):
        return True, False
    return True, True


def _surface_and_tracktype(highway: str, tags: Mapping[str, str]) -> tuple[str, str]:
    """Return surface class and track grade, each filled in from the other where only one is tagged.

    A track without either is taken as grade 3; a road without a surface tag as paved, a path as ground.
    """
    surface = _SURFACE_CLASS.get(tags.get("surface", "").split(";")[0].strip().lower())
    tracktype = tags.get("tracktype", "")
    if tracktype not in TRACKTYPES[1:]:
        tracktype = "none"
        if highway == "track":
            tracktype = _SURFACE_TRACKTYPE.get(surface or "", "grade3")
    if surface is None:
        surface = _TRACKTYPE_SURFACE.get(tracktype)
    if surface is None:
        surface = "ground" if highway in ("path", "bridleway") else "paved"
    return surface, tracktype
