"""Notes: what is no fault of the input, but what a reader of the plan should know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from geodata.area import Area
from geodata.errors import Fault
from geodata.location import Level
from geodata.site_access import ProfileAccess, SiteAccess, site_access
from routing.builder import BuiltProblem, Travel, working_hours
from routing.scenario import Scenario

_KEPT_OFF: Final = {
    "barred": "there is a road, but not for this profile",
    "cut_off": "its roads are a part of their own",
}
"""Ways of not reaching a site that something may be done about; having no road near is a normal case."""
_NAMED: Final = 5
"""Places a note names in its text; all of them are in `Note.places`."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know about the day.

    Parameters
    ----------
    code
        ``NO_TERRAIN``, ``NO_CARRIERS``, ``FAR_FROM_ROAD``, ``CUT_OFF``, ``NOT_FOR_PROFILE``, ``TIMEZONES_DIFFER``, or
        the fault code of a warning.
    text
        A sentence or two for people.
    places
        Ids of the places concerned, in the order of the scenario.
    """

    code: str
    text: str
    places: tuple[str, ...] = ()


def notes_of(scenario: Scenario, area: Area, built: BuiltProblem) -> tuple[Note, ...]:
    """Return the notes of a day: level ground, places that no road vehicle reaches, what is odd in the timetable."""
    roads = tuple(_about_roads(scenario, built))
    told = {place for note in roads if note.code == "CUT_OFF" for place in note.places}
    return (
        *_about_terrain(area),
        *_about_fleet(built),
        *roads,
        *_about_access(scenario, area, built, told),
        *_about_timetable(scenario, area),
    )


def _about_fleet(built: BuiltProblem) -> Iterator[Note]:
    if not built.problem.carrier_by_id:
        yield Note("NO_CARRIERS", "The fleet has no carrier and no bus takes goods: nothing can be served.")


def _about_terrain(area: Area) -> Iterator[Note]:
    if area.is_flat:
        yield Note("NO_TERRAIN", "There are no elevation tiles: roads are taken as level, at sea level.")


def _about_roads(scenario: Scenario, built: BuiltProblem) -> Iterator[Note]:
    """Yield notes on places without a road, and on those whose roads do not lead to a hub."""
    vehicles = [vehicle for vehicle in built.problem.vehicles if vehicle.kind == "vehicle"]
    travels = {key: built.travels[key] for key in sorted({vehicle.travel for vehicle in vehicles})}
    if not travels:
        return
    far = _far_places(built, travels)
    if far:
        furthest_m = max(travel.profile.max_snap_m for travel in travels.values())
        reason = f"farther than {furthest_m:,.0f} m from any road that a road vehicle of the fleet may use"
        yield _note("FAR_FROM_ROAD", scenario, far, reason)
    hubs = [place.id for place in built.problem.places if place.level is Level.COUNTY]
    matrices = [built.problem.matrices[key] for key in travels]
    cut_off = [
        place.id
        for place in built.problem.places
        if place.id not in far and not any(matrix.reaches(hub, place.id) for matrix in matrices for hub in hubs)
    ]
    if cut_off:
        reason = "cut off: by road there is no way from a hub and back, perhaps for a closure or a gap in the map"
        yield _note("CUT_OFF", scenario, cut_off, reason)


def _about_access(scenario: Scenario, area: Area, built: BuiltProblem, told: Collection[str]) -> Iterator[Note]:
    """Yield a note for each reason that keeps a profile of the fleet off sites with a road, but for those told of."""
    profiles = {vehicle.travel: built.travels[vehicle.travel].profile for vehicle in built.problem.vehicles}
    chosen = [profiles[key] for key in sorted(profiles)]
    hours_s = working_hours(scenario)
    closed = {profile.key: area.closed_today(profile, *hours_s) for profile in chosen}
    kept_off: dict[tuple[str, str, tuple[str, ...]], list[tuple[SiteAccess, ProfileAccess]]] = {}
    sites = [site for site in scenario.sites if site.id not in told]
    for site in site_access(area.streets, sites, chosen, closed):
        for entry in site.profiles:
            if entry.status in _KEPT_OFF:
                kept_off.setdefault((entry.profile_id, entry.status, entry.barred_by), []).append((site, entry))
    for (profile_id, status, _), found in sorted(kept_off.items()):
        site, entry = found[0]
        more = f" ({len(found) - 1} more like this)" if len(found) > 1 else ""
        text = f"{profile_id} cannot get to {site.name} ({site.site_id}){more}: {_KEPT_OFF[status]}. {entry.remedy}."
        yield Note("NOT_FOR_PROFILE", text, tuple(site.site_id for site, _ in found))


def _far_places(built: BuiltProblem, travels: Mapping[str, Travel]) -> list[str]:
    nodes = [travel.snap.node for travel in travels.values()]
    return [place.id for k, place in enumerate(built.problem.places) if all(node[k] < 0 for node in nodes)]


def _note(code: str, scenario: Scenario, places: Sequence[str], reason: str) -> Note:
    names = {site.id: site.name for site in scenario.sites}
    named = [f"{names[place]} ({place})" if place in names else place for place in places[:_NAMED]]
    listed = ", ".join(named) + (f" and {len(places) - _NAMED} more" if len(places) > _NAMED else "")
    one = len(places) == 1
    text = (
        f"{len(places)} place{' is' if one else 's are'} {reason}: {listed}. "
        f"Only drones, buses or couriers can serve {'it' if one else 'them'}."
    )
    return Note(code, text, tuple(places))


def _about_timetable(scenario: Scenario, area: Area) -> Iterator[Note]:
    timetable = area.timetable
    if timetable is None:
        return
    if timetable.timezone and timetable.timezone != scenario.timezone:
        yield Note(
            "TIMEZONES_DIFFER",
            f"The timetable's times are of {timetable.timezone}, the scenario's of {scenario.timezone}; "
            "they are taken as they stand.",
        )
    yield from _summed(timetable.warnings)


def _summed(warnings: Collection[Fault]) -> Iterator[Note]:
    """Yield one note for all warnings of a kind, with the first of them as the example."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for warning in warnings:
        alike.setdefault((warning.code, warning.file), []).append(warning)
    for (code, _), found in alike.items():
        more = f" ({len(found) - 1} more like this)" if len(found) > 1 else ""
        yield Note(code, f"{found[0]}{more}")
