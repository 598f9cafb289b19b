"""Unit tests of travel profiles and edge costs (geodata.profiles)."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from street_cases import Edge, make_network, random_network

from geodata.errors import InputError
from geodata.osm_tags import ACCESS_KINDS
from geodata.profiles import EdgeCosts, edge_costs, edge_energy_wh, edge_factors, grade_factor, load_profiles

PROFILES = load_profiles()
VAN, TRUCK, WALKER = PROFILES["van_diesel"], PROFILES["truck"], PROFILES["walker"]


def costs(profile: str, **edge: object) -> EdgeCosts:
    return edge_costs(make_network(2, [Edge(0, 1, **edge)]), PROFILES[profile])  # type: ignore[arg-type]


def allowed(profile: str, **edge: object) -> bool:
    return bool(np.isfinite(costs(profile, **edge).duration_s[0]))


def kmh(profile: str, **edge: object) -> float:
    return float(edge_factors(make_network(2, [Edge(0, 1, **edge)]), PROFILES[profile]).speed_kmh[0])  # type: ignore[arg-type]


def test_shipped_profiles() -> None:
    """Tests that the promised profiles are there, with their energy sources and the one walker."""
    assert list(PROFILES) == ["van_diesel", "van_electric", "truck", "reefer", "tricycle", "emoto", "walker", "ugv"]
    assert [profile.id for profile in PROFILES.values() if profile.is_walker] == ["walker"]
    assert PROFILES["reefer"].energy_source == "diesel"
    assert PROFILES["ugv"].energy_source == "electric"
    assert WALKER.energy_source == "none"


@pytest.mark.parametrize(
    ("grade", "litres_per_100_km", "kwh_per_km"),
    [
        (-0.08, 2.0, -0.24),
        (-0.04, 2.0, -0.08),
        (0.0, 4.9, 0.12),
        (0.04, 12.5, 0.40),
        (0.06, 16.3, 0.54),
        (0.08, 20.1, 0.68),
    ],
)
def test_light_van_energy_table(grade: float, litres_per_100_km: float, kwh_per_km: float) -> None:
    """Tests van energy at 30 km/h by grade against the table of domain notes 2d (0.1 L and 0.006 kWh)."""
    length, speed = np.array([100_000.0]), np.array([30.0 / 3.6])
    diesel = edge_energy_wh(length, np.array([grade]), speed, VAN)[0]
    electric = edge_energy_wh(length, np.array([grade]), speed, PROFILES["van_electric"])[0]
    assert diesel / 10_000 == pytest.approx(litres_per_100_km, abs=0.1)
    assert electric / 1000 / 100 == pytest.approx(kwh_per_km, abs=0.006)


def test_truck_burns_twelve_litres_on_the_flat() -> None:
    """Tests the truck's 12 L/100 km at 40 km/h (domain notes 4)."""
    wh = edge_energy_wh(np.array([100_000.0]), np.array([0.0]), np.array([40 / 3.6]), TRUCK)[0]
    assert wh / 10_000 == pytest.approx(12.0, abs=0.5)


def test_reefer_burns_fifteen_percent_more() -> None:
    """Tests the cooling unit's share."""
    ratio = costs("reefer").energy_wh[0] / costs("van_diesel").energy_wh[0]
    assert ratio == pytest.approx(1.15)


def test_walkers_need_no_energy_and_follow_tobler() -> None:
    """Tests Tobler's speeds: 5.04 km/h on the level, 6 at −5 %, 3.55 at +10 %."""
    for grade, speed in ((0.0, 5.04), (-0.05, 6.0), (0.1, 3.55)):
        assert kmh("walker", highway="residential", grade=grade) == pytest.approx(speed, abs=0.01)
    assert costs("walker").energy_wh[0] == 0.0


def test_walk_factor_slows_down() -> None:
    """Tests that the elderly factor multiplies the walker's speed."""
    elderly = dataclasses.replace(WALKER, walk_factor=0.7)
    network = make_network(2, [Edge(0, 1)])
    assert edge_factors(network, elderly).speed_kmh[0] == pytest.approx(
        0.7 * edge_factors(network, WALKER).speed_kmh[0]
    )


@pytest.mark.parametrize(
    ("profile", "grade", "factor"),
    [
        ("van_diesel", 0.06, 0.85),
        ("van_diesel", 0.09, 0.70),
        ("van_diesel", -0.06, 0.85),
        ("van_diesel", -0.09, 0.65),
        ("van_diesel", 0.12, 0.55),
        ("van_diesel", 0.5, 0.25),
        ("van_diesel", -0.5, 0.25),
        ("truck", 0.06, 0.75),
        ("truck", 0.09, 0.60),
        ("truck", -0.06, 0.75),
        ("truck", -0.09, 0.55),
        ("truck", 0.0, 1.0),
    ],
)
def test_grade_factors(profile: str, grade: float, factor: float) -> None:
    """Tests shares of speed on grades against domain notes 2d, the truck 0.1 less, straight on beyond 9 %."""
    assert grade_factor(np.array([grade]), PROFILES[profile])[0] == pytest.approx(factor)


def test_speed_is_the_least_of_its_factors_times_surface() -> None:
    """Tests class speed, posted limit, curve and grade each binding in turn, and the surface share."""
    assert kmh("van_diesel", highway="primary") == 60.0
    assert kmh("van_diesel", highway="primary", maxspeed_kmh=40.0) == 40.0
    assert kmh("van_diesel", highway="primary", radius_m=50.0) == pytest.approx(36.0)
    assert kmh("van_diesel", highway="primary", grade=0.06) == pytest.approx(51.0)
    assert kmh("van_diesel", highway="primary", grade=0.06, maxspeed_kmh=50.0) == 50.0
    assert kmh("van_diesel", highway="primary", maxspeed_kmh=40.0, surface="gravel") == pytest.approx(28.0)


def test_factors_are_visible() -> None:
    """Tests that every factor of an edge can be read."""
    edge = Edge(
        0, 1, highway="track", tracktype="grade2", surface="gravel", grade=0.06, radius_m=8.0, maxspeed_kmh=30.0
    )
    factors = edge_factors(make_network(2, [edge]), VAN)
    seen = [
        getattr(factors, name)[0] for name in ("class_kmh", "posted_kmh", "curve_kmh", "grade_factor", "surface_factor")
    ]
    assert seen == pytest.approx([18.0, 30.0, 14.4, 0.85, 0.7])
    assert factors.speed_kmh[0] == pytest.approx(14.4 * 0.7)


@pytest.mark.parametrize(
    ("profile", "edge", "expected"),
    [
        ("van_diesel", {"max_width_m": 1.6}, False),
        ("van_diesel", {"max_width_m": 1.7}, True),
        ("van_diesel", {"max_height_m": 1.9}, False),
        ("van_diesel", {"max_weight_kg": 2100.0}, False),
        ("truck", {"max_weight_kg": 3500.0}, False),
        ("walker", {"max_weight_kg": 50.0, "max_width_m": 0.5}, True),
        ("truck", {"heavy": 0}, False),
        ("van_diesel", {"heavy": 0}, True),
        ("van_diesel", {"motor": ACCESS_KINDS.index("private")}, False),
        ("van_diesel", {"motor": ACCESS_KINDS.index("destination")}, True),
        ("van_diesel", {"motor": ACCESS_KINDS.index("agricultural")}, False),
        ("tricycle", {"motor": ACCESS_KINDS.index("agricultural")}, True),
        ("van_diesel", {"highway": "path"}, False),
        ("van_diesel", {"highway": "track", "tracktype": "grade3"}, True),
        ("van_diesel", {"highway": "track", "tracktype": "grade4"}, False),
        ("truck", {"highway": "track", "tracktype": "grade2"}, False),
        ("emoto", {"highway": "track", "tracktype": "grade5", "surface": "ground"}, True),
        ("tricycle", {"highway": "motorway"}, False),
        ("van_diesel", {"highway": "motorway"}, True),
        ("ugv", {"surface": "gravel"}, False),
        ("ugv", {"grade": 0.09}, False),
        ("ugv", {"grade": -0.09}, False),
        ("ugv", {"grade": 0.08}, True),
        ("walker", {"highway": "steps", "grade": 0.6}, True),
        ("walker", {"foot": 0}, False),
    ],
)
def test_who_may_use_an_edge(profile: str, edge: dict[str, object], expected: bool) -> None:
    """Tests each reason for which an edge is closed to a profile."""
    assert allowed(profile, **edge) is expected


def test_closed_edges_cost_infinity_and_no_energy() -> None:
    """Tests that the day's closures are obeyed."""
    network = make_network(2, [Edge(0, 1), Edge(1, 0)])
    closed = edge_costs(network, VAN, np.array([True, False]))
    assert np.isinf(closed.duration_s).tolist() == [True, False]
    assert closed.energy_wh[0] == 0.0


def test_load_makes_heavier() -> None:
    """Tests that a load given replaces the profile's usual one."""
    network = make_network(2, [Edge(0, 1, grade=0.05)])
    empty, usual, full = (edge_costs(network, VAN, load_kg=load).energy_wh[0] for load in (0.0, None, 1400.0))
    assert empty < usual < full


def test_limited_profile_has_its_own_key() -> None:
    """Tests that a vehicle's own dimensions change limits and key, and equal dimensions change neither."""
    assert VAN.limited() is VAN
    assert VAN.limited(width_m=VAN.width_m, gross_kg=VAN.gross_kg).key == "van_diesel"
    wide = VAN.limited(width_m=2.0)
    assert (wide.width_m, wide.height_m, wide.id) == (2.0, VAN.height_m, "van_diesel")
    assert wide.key == "van_diesel@2m,2m,2200kg"
    assert wide.key != VAN.limited(height_m=2.5).key
    edge = make_network(2, [Edge(0, 1, max_width_m=1.9)])
    assert np.isinf(edge_costs(edge, wide).duration_s[0])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_own_profile_by_likeness(tmp_path: Path) -> None:
    """Tests that a firm's profile takes over what it does not say, key by key, and may replace a shipped one."""
    path = write(
        tmp_path / "own.toml",
        '[big_van]\nlike = "van_diesel"\nwidth_m = 2.0\n[big_van.speed_kmh]\nprimary = 55\n'
        '[walker]\nlike = "walker_base"\n'
        '[walker_base]\nlike = "van_diesel"\nmode = "foot"\nenergy_source = "none"\n',
    )
    profiles = load_profiles(path)
    assert profiles["big_van"].width_m == 2.0
    assert profiles["big_van"].speed_kmh["primary"] == 55.0
    assert profiles["big_van"].speed_kmh["track"] == VAN.speed_kmh["track"]
    assert profiles["walker"].max_snap_m == VAN.max_snap_m
    assert profiles["truck"] == TRUCK


def test_faulty_profiles_are_all_named(tmp_path: Path) -> None:
    """Tests that every fault of a profile file is reported at once with a stable code and the key."""
    path = write(
        tmp_path / "own.toml",
        '[a]\nlike = "van_disel"\n[b]\nlike = "b"\n[c]\nlike = "truck"\nwith_m = 3\n'
        'access = ["everywhere"]\nmode = "boat"\n'
        "grade = [[0, 1], [0.1, 1.5]]\nmax_snap_m = -5\nenergy = 3\n[c.speed_kmh]\nprimray = 3\nprimary = true\n"
        "[d]\nwidth_m = 1\n[e]\nlike = 'truck'\naccess_m_s = 0\n[e.energy]\nefficiency = 0\n",
    )
    with pytest.raises(InputError) as error:
        load_profiles(path)
    found = {(fault.field, fault.code) for fault in error.value.faults}
    assert found >= {
        ("a.like", "UNKNOWN_PROFILE"),
        ("b.like", "UNKNOWN_PROFILE"),
        ("c.with_m", "UNKNOWN_KEY"),
        ("c.access", "UNKNOWN_CHOICE"),
        ("c.mode", "UNKNOWN_CHOICE"),
        ("c.grade", "BAD_GRADE"),
        ("c.max_snap_m", "BAD_VALUE"),
        ("c.energy", "WRONG_TYPE"),
        ("c.speed_kmh.primray", "UNKNOWN_KEY"),
        ("c.speed_kmh.primary", "BAD_VALUE"),
        ("d.mode", "MISSING_VALUE"),
        ("e.access_m_s", "BAD_VALUE"),
        ("e.energy.efficiency", "BAD_VALUE"),
    }
    remedies = {fault.field: fault.remedy for fault in error.value.faults}
    assert "van_diesel" in remedies["a.like"]
    assert "width_m" in remedies["c.with_m"]
    assert all(fault.file == "own.toml" for fault in error.value.faults)


@pytest.mark.parametrize(("text", "code"), [(None, "MISSING_FILE"), ("[a", "BROKEN_FILE")])
def test_profile_file_that_is_none(tmp_path: Path, text: str | None, code: str) -> None:
    """Tests a missing file and one that is not TOML."""
    path = tmp_path / "own.toml" if text is None else write(tmp_path / "own.toml", text)
    with pytest.raises(InputError) as error:
        load_profiles(path)
    assert [fault.code for fault in error.value.faults] == [code]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_closing_roads_later_is_closing_them_at_once(name: str) -> None:
    """Tests that masking the costs of an open network gives the costs of a closed one, to the last bit."""
    network = random_network(5, 30, 60)
    closed = np.random.default_rng(5).random(network.n_edges) < 0.3
    at_once = edge_costs(network, PROFILES[name], closed)
    later = edge_costs(network, PROFILES[name]).with_closed(closed)
    assert at_once.duration_s.tobytes() == later.duration_s.tobytes()
    assert at_once.energy_wh.tobytes() == later.energy_wh.tobytes()
    assert np.isinf(later.duration_s[closed]).all()
    assert later.turns is at_once.turns
