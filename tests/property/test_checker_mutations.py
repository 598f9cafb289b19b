"""Random damage to a good plan file is found or provably harmless; nothing makes the check itself fail."""

import copy
import json
import math
from typing import Any

import pytest
from checker_world import make_world
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from routing.checker import check_document
from routing.model.plan import PlanDocument
from routing.plan_io import plan_to_bytes

ADAPTER = TypeAdapter(PlanDocument)
Path = tuple[str | int, ...]
IDS = ["hub", "town", "vale", "peak", "drop:o5", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "T1", "R1", "van@hub#1"]
IDS += ["van@hub#2", "L@town#1", "L@town#2", "moto@town#1", "main", "cool", "hold", "ice", "street", "bus", "flight"]
IDS += ["vehicle", "courier", "drone", "", "nobody", "山路"]
NUMBERS = st.sampled_from([0, 1, -1, 5, 60, 3600, 40_000, 10**9, -(10**9), 2**63, 10**30, 0.5, 1e308])
SPECIAL = st.sampled_from([math.nan, math.inf, -math.inf])


def _leaves(node: Any, path: Path = ()) -> list[Path]:
    """Return the paths of everything in a JSON document, lists and objects included."""
    found = [path] if path else []
    if isinstance(node, dict):
        for key, value in node.items():
            found += _leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += _leaves(value, (*path, index))
    return found


def _get(node: Any, path: Path) -> Any:
    for part in path:
        node = node[part]
    return node


def _good() -> Any:
    return json.loads(plan_to_bytes(make_world().plan))


PATHS = _leaves(_good())


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Path, str, Any]:
    """Return (path, way of change, its argument) of one change to the good plan file."""
    document = _good()
    path = draw(st.sampled_from(PATHS))
    parent, old = _get(document, path[:-1]), _get(document, path)
    ways: dict[str, st.SearchStrategy[Any]] = {"set": st.none()}
    if isinstance(old, int | float):
        ways = {"nudge": st.sampled_from([-600, -60, -10, -2, 2, 10, 60, 600]), "set": NUMBERS | SPECIAL}
    elif isinstance(old, str):
        ways = {"set": st.sampled_from(IDS)}
    if isinstance(parent, list):
        ways |= {"drop": st.none(), "double": st.none(), "swap": st.integers(0, len(parent) - 1)}
    way = draw(st.sampled_from(sorted(ways)))
    return path, way, draw(ways[way])


def _changed(path: Path, way: str, argument: Any) -> Any:
    """Return the good plan file with one change."""
    document = _good()
    parent, key = _get(document, path[:-1]), path[-1]
    if way == "nudge":
        parent[key] += argument
    elif way == "drop":
        parent.pop(int(key))
    elif way == "double":
        parent.insert(int(key), copy.deepcopy(parent[int(key)]))
    elif way == "swap":
        parent[int(key)], parent[argument] = parent[argument], parent[int(key)]
    else:
        parent[key] = argument
    return document


def _parsed(document: Any) -> PlanDocument | None:
    """Return the plan as the plan file's reader takes it, None where it does not parse."""
    try:
        return ADAPTER.validate_json(json.dumps(document), strict=True)
    except ValidationError:
        return None


def _harmless(path: Path, mutated: Any) -> bool:
    """Return whether a change at a path can leave a plan sound: each case with its reason."""
    good, head, last = _good(), path[0], path[-1]
    if _sorted(mutated) == _sorted(good):  # nothing changed, or only lists whose order says nothing
        return True
    if head == "bound":  # any lower bound is one
        return mutated["bound"] is None or mutated["bound"] <= good["objective"]["total"] + 0.5
    if head == "unassigned":  # words for people
        return "relaxation" in path or last in {"reason", "text", "text_zh"}
    if head == "routes" and len(path) > 2:
        return _harmless_in_route(path, mutated["routes"][path[1]], good["routes"][path[1]])
    return head in {"seed", "versions", "format"}  # how the plan was made; the format is the reader's business


def _harmless_in_route(path: Path, route: Any, good: Any) -> bool:
    last, first_stop, last_stop = path[-1], route["stops"][0], route["stops"][-1]
    if path[2] == "carrier":  # an idle twin may do the work
        return route["carrier"] == good["carrier"].replace("#1", "#2")
    if path[2:4] == ("stops", 0) and last == "arrival_s":  # there early, the shift begins with the service
        return good["kind"] != "bus" and 0 <= first_stop["arrival_s"] <= first_stop["service_start_s"]
    if path[2:4] == ("stops", len(good["stops"]) - 1) and last == "departure_s":  # nothing comes after
        return good["kind"] != "bus" and last_stop["departure_s"] >= last_stop["service_end_s"]
    # The drive is short: any rest within its time will do. A vertex may lie on a straight, or move within the slack.
    return "breaks" in path or "line" in path


def _sorted(document: Any) -> Any:
    """Return a document with the lists sorted whose order says nothing."""
    document = copy.deepcopy(document)
    for route in document["routes"]:
        for stop in route["stops"]:
            for name in ("load", "unload"):
                stop[name].sort(key=json.dumps)
    for name in ("routes", "orders", "rejected", "unassigned"):
        document[name].sort(key=json.dumps)
    return document


@settings(max_examples=400, deadline=None)
@given(mutations())
def test_random_damage_is_found_or_harmless(mutation: tuple[Path, str, Any]) -> None:
    """Tests that a plan file changed at random is reported unless the change can harm nothing."""
    document = _changed(*mutation)
    plan = _parsed(document)
    if plan is None:
        return
    report = check_document(make_world().facts, plan)
    json.dumps(report.to_dict(), allow_nan=False)
    if report.is_clean and not _harmless(mutation[0], document):
        pytest.fail(f"not found: {mutation}")


@settings(max_examples=60, deadline=None)
@given(mutations(), mutations())
def test_two_damages_never_stop_the_check(first: tuple[Path, str, Any], second: tuple[Path, str, Any]) -> None:
    """Tests that a plan damaged in two places at once is still judged."""
    document, other = _changed(*first), _changed(*second)
    try:
        _get(document, second[0][:-1])[second[0][-1]] = _get(other, second[0])
    except (LookupError, TypeError):
        return
    plan = _parsed(document)
    if plan is not None:
        check_document(make_world().facts, plan)


TIMES = st.integers(-10, 100_000) | st.integers()
TEXTS = st.sampled_from(IDS) | st.text(max_size=3)
HANDOVERS = st.fixed_dictionaries(
    {
        "order": TEXTS,
        "compartment": TEXTS,
        "box": st.none() | TEXTS,
    }
)
FLOATS = st.floats() | st.floats(0, 1000)
MOVEMENTS = st.none() | st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["street", "flight", "bus"]),
        "distance_m": TIMES,
        "duration_s": TIMES,
        "energy_wh": FLOATS,
        "battery_left_wh": st.none() | FLOATS,
        "slot": st.integers(),
        "nodes": st.lists(st.integers(0, 9) | st.integers(), max_size=4),
        "line": st.lists(
            st.tuples(FLOATS, FLOATS, FLOATS)
            | st.tuples(st.floats(104.97, 105.07), st.floats(29.97, 30.06), st.floats(400, 800)),
            max_size=4,
        ),
    }
)
STOPS = st.fixed_dictionaries(
    {
        "place": TEXTS,
        **dict.fromkeys(("arrival_s", "service_start_s", "service_end_s", "departure_s"), TIMES),
        "load": st.lists(HANDOVERS, max_size=3),
        "unload": st.lists(HANDOVERS, max_size=3),
        "breaks": st.lists(st.fixed_dictionaries({"start_s": TIMES, "end_s": TIMES}), max_size=2),
        "load_kg": FLOATS,
        "load_l": FLOATS,
        "bus_stop": st.none() | st.sampled_from(["S1", "S2", "S3"]),
        "call": st.none() | st.integers(0, 6) | st.integers(),
        "movement": MOVEMENTS,
    }
)
ROUTES = st.fixed_dictionaries(
    {
        **dict.fromkeys(("id", "operator", "type", "profile", "base"), TEXTS),
        "carrier": st.sampled_from(["van@hub#1", "moto@town#1", "L@town#1", "T1"]) | TEXTS,
        "kind": st.sampled_from(["vehicle", "drone", "bus", "courier"]),
        "stops": st.lists(STOPS, max_size=4),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROUTES, max_size=3), FLOATS)
def test_any_plan_that_parses_is_judged(routes: list[Any], bound: float) -> None:
    """Tests that plans without any sense are judged, and never found clean."""
    plan = _parsed({**_good(), "routes": routes, "bound": bound})
    if plan is not None:
        report = check_document(make_world().facts, plan)
        assert not report.is_clean


@pytest.mark.parametrize("size", [400, 4000])
def test_a_plan_of_absurd_size_of_numbers_is_judged(size: int) -> None:
    """Tests that integers of hundreds of digits are reported, not computed with."""
    document = _good()
    document["routes"][0]["stops"][1]["movement"]["duration_s"] = 10**size
    document["routes"][1]["stops"][0]["arrival_s"] = -(10**size)
    document["orders"][0]["legs"][0]["arrival_s"] = 10**size
    plan = _parsed(document)
    if plan is not None:
        assert not check_document(make_world().facts, plan).is_clean
