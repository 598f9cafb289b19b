"""Unit tests of geodata.osm_tags."""

import math

import pytest

from geodata.osm_tags import (
    ACCESS_KINDS,
    SURFACES,
    TRACKTYPES,
    WayUse,
    parse_length_m,
    parse_mass_kg,
    parse_speed_kmh,
    read_barrier_tags,
    read_way_tags,
)


def use_of(**tags: str) -> WayUse:
    use = read_way_tags({"highway": "residential", **{key.replace("__", ":"): value for key, value in tags.items()}})
    assert use is not None
    return use


def motor(use: WayUse) -> tuple[str, str]:
    return ACCESS_KINDS[use.forward.motor], ACCESS_KINDS[use.backward.motor]


def foot(use: WayUse) -> tuple[str, str]:
    return ACCESS_KINDS[use.forward.foot], ACCESS_KINDS[use.backward.foot]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ("yes", "yes")),
        ({"oneway": "yes"}, ("yes", "no")),
        ({"oneway": "-1"}, ("no", "yes")),
        ({"oneway": "reversible"}, ("no", "no")),
        ({"junction": "roundabout"}, ("yes", "no")),
        ({"junction": "roundabout", "oneway": "-1"}, ("no", "yes")),
        ({"highway": "motorway"}, ("yes", "no")),
        ({"highway": "motorway", "oneway": "no"}, ("yes", "yes")),
        ({"access": "private"}, ("private", "private")),
        ({"motor_vehicle": "no"}, ("no", "no")),
        ({"access": "no", "motor_vehicle": "destination"}, ("destination", "destination")),
        ({"vehicle": "agricultural"}, ("agricultural", "agricultural")),
        ({"motor_vehicle": "agricultural;forestry"}, ("agricultural", "agricultural")),
        ({"access": "customers"}, ("destination", "destination")),
        ({"motor_vehicle": "nobody knows"}, ("yes", "yes")),
        ({"highway": "footway"}, ("no", "no")),
        ({"highway": "pedestrian", "access": "yes"}, ("no", "no")),
        ({"highway": "pedestrian", "motor_vehicle": "delivery"}, ("destination", "destination")),
        ({"highway": "service", "area": "yes"}, ("no", "no")),
    ],
)
def test_motor_access_and_direction(tags: dict[str, str], expected: tuple[str, str]) -> None:
    """Tests who may drive along and against a way by its tags."""
    assert motor(use_of(**tags)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"oneway": "yes"}, "yes"),
        ({"foot": "no"}, "no"),
        ({"access": "no", "foot": "yes"}, "yes"),
        ({"access": "private"}, "private"),
        ({"highway": "motorway"}, "no"),
        ({"highway": "trunk", "motorroad": "yes"}, "no"),
        ({"motor_vehicle": "no"}, "yes"),
    ],
)
def test_foot_access_goes_both_ways(tags: dict[str, str], expected: str) -> None:
    """Tests that walkers mind foot and access tags and no one-way street."""
    assert foot(use_of(**tags)) == (expected, expected)


def test_heavy_vehicles_mind_hgv() -> None:
    """Tests that hgv=no binds trucks and not vans."""
    use = use_of(hgv="no")
    assert ACCESS_KINDS[use.forward.heavy] == "no"
    assert ACCESS_KINDS[use.forward.motor] == "yes"


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "construction"},
        {"highway": "raceway"},
        {"highway": "service", "access": "no"},
    ],
)
def test_unusable_ways_are_left_out(tags: dict[str, str]) -> None:
    """Tests that building sites and ways closed to all are not read."""
    assert read_way_tags(tags) is None


@pytest.mark.parametrize(
    ("tags", "surface", "tracktype"),
    [
        ({}, "paved", "none"),
        ({"surface": "gravel"}, "gravel", "none"),
        ({"surface": "asphalt;gravel"}, "paved", "none"),
        ({"surface": "unheard of"}, "paved", "none"),
        ({"highway": "track"}, "gravel", "grade3"),
        ({"highway": "track", "tracktype": "grade5"}, "ground", "grade5"),
        ({"highway": "track", "surface": "asphalt"}, "paved", "grade1"),
        ({"highway": "track", "surface": "mud", "tracktype": "grade2"}, "mud", "grade2"),
        ({"highway": "service", "tracktype": "grade4"}, "ground", "grade4"),
        ({"highway": "path"}, "ground", "none"),
    ],
)
def test_surface_and_tracktype_fill_each_other_in(tags: dict[str, str], surface: str, tracktype: str) -> None:
    """Tests the surface class and track grade of a way where both, one or none is tagged."""
    use = use_of(**tags)
    assert (SURFACES[use.surface], TRACKTYPES[use.tracktype]) == (surface, tracktype)


@pytest.mark.parametrize(
    ("text", "kmh"),
    [("50", 50), ("30 mph", 48.28), ("20 km/h", 20), ("walk", 6), ("50;30", 50), ("60|80", 60), (" 40 ", 40)],
)
def test_speeds_with_units(text: str, kmh: float) -> None:
    """Tests posted speeds in km/h."""
    assert parse_speed_kmh(text) == pytest.approx(kmh, abs=0.01)


@pytest.mark.parametrize("text", ["", "none", "CN:rural", "signals", "0", "-5", "fast"])
def test_no_speed(text: str) -> None:
    """Tests that values without a number mean no posted limit."""
    assert math.isnan(parse_speed_kmh(text))


@pytest.mark.parametrize(
    ("text", "metres"),
    [("2.5", 2.5), ("2,5 m", 2.5), ("250 cm", 2.5), ("1m", 1.0), ("8'6\"", 2.5908), ("12 ft", 3.6576), ("12'", 3.6576)],
)
def test_lengths_with_units(text: str, metres: float) -> None:
    """Tests widths and heights in metres."""
    assert parse_length_m(text) == pytest.approx(metres)


@pytest.mark.parametrize(
    ("text", "kg"),
    [("3.5", 3500), ("3.5 t", 3500), ("7500 kg", 7500), ("8 st", 7257.48), ("2,1", 2100), ("4400 lbs", 1995.8)],
)
def test_masses_with_units(text: str, kg: float) -> None:
    """Tests posted masses in kilograms; without unit they are tonnes."""
    assert parse_mass_kg(text) == pytest.approx(kg, rel=1e-4)


@pytest.mark.parametrize("text", ["", "default", "none", "below_default", "0"])
def test_no_limit(text: str) -> None:
    """Tests that values without a number limit nothing."""
    assert parse_length_m(text) == math.inf
    assert parse_mass_kg(text) == math.inf


def test_limits_of_a_way() -> None:
    """Tests that the narrower of posted and actual width binds, and speeds differ by direction."""
    use = use_of(width="3", maxwidth="2.2", maxheight="3.1", maxweight="3.5", maxspeed="50", maxspeed__backward="30")
    assert (use.max_width_m, use.max_height_m, use.max_weight_kg) == (2.2, 3.1, 3500.0)
    assert use.maxspeed_kmh == (50.0, 30.0)


def test_structures_and_names() -> None:
    """Tests that bridges and tunnels are seen, passages under houses are no tunnels, and the reference is a name."""
    assert use_of(bridge="viaduct").bridge
    assert not use_of(bridge="no").bridge
    assert use_of(tunnel="yes").tunnel
    assert not use_of(tunnel="building_passage").tunnel
    assert use_of(ref="CG-2").name == "CG-2"
    assert use_of(ref="CG-2", name="Avinguda").name == "Avinguda"


@pytest.mark.parametrize(
    ("tags", "drives", "walks"),
    [
        ({"barrier": "gate"}, True, True),
        ({"barrier": "gate", "access": "private"}, False, False),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, False, True),
        ({"barrier": "bollard"}, False, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, True, True),
        ({"barrier": "chain"}, False, True),
        ({"barrier": "fence"}, False, False),
        ({"barrier": "toll_booth"}, True, True),
    ],
)
def test_barriers(tags: dict[str, str], drives: bool, walks: bool) -> None:
    """Tests whom a barrier lets pass."""
    use = read_barrier_tags(tags)
    assert (use.motor, use.foot) == (drives, walks)


def test_height_restrictor_leaves_a_height() -> None:
    """Tests that a height restrictor passes what is low enough."""
    use = read_barrier_tags({"barrier": "height_restrictor", "maxheight": "2"})
    assert use.motor
    assert use.max_height_m == 2.0
