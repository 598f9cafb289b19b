"""The same small day in clear weather and in fog, planned and checked from its files."""

from pathlib import Path

from small_day import FLEET, WEATHER, write_day

from routing.checker import Code, check_plan
from routing.model.plan import PlanDocument
from routing.pipeline import PlanOptions, plan_deliveries

FOG = "hour,temp_c,wind_m_s,visibility_m\n" + "".join(f"{hour},15,2,100\n" for hour in range(24))
ELECTRIC = FLEET.replace('preset = "van_diesel"', 'preset = "van_electric"\nrange_wh = 60000')


def _planned(folder: Path, weather: str) -> PlanDocument:
    write_day(folder, weather=weather, fleet=ELECTRIC)
    outcome = plan_deliveries(folder, None, PlanOptions(max_iterations=2, seed=1))
    assert outcome.report.is_clean
    return outcome.document


def _legs(plan: PlanDocument) -> dict[tuple[str, str], tuple[int, float]]:
    """Return seconds and energy by the ends of each way a van drives."""
    return {
        (here.place, there.place): (here.movement.duration_s, here.movement.energy_wh)
        for route in plan.routes
        if route.kind == "vehicle"
        for here, there in zip(route.stops, route.stops[1:], strict=False)
        if here.movement is not None and here.place != there.place
    }


def test_fog_doubles_the_time_of_every_leg_and_nothing_else(tmp_path: Path) -> None:
    """Tests legs in fog against clear ones, the hours they name, their batteries, and the clear plan judged in fog."""
    clear, foggy = _planned(tmp_path / "clear", WEATHER), _planned(tmp_path / "foggy", FOG)
    before, after = _legs(clear), _legs(foggy)
    shared = before.keys() & after.keys()
    assert shared
    for ends in shared:
        assert after[ends] == (2 * before[ends][0], before[ends][1])
    for plan in (clear, foggy):
        for route in (route for route in plan.routes if route.kind == "vehicle"):
            left = 60_000.0
            for stop in route.stops[:-1]:
                assert stop.movement.slot == stop.departure_s // 3600
                left -= stop.movement.energy_wh
                assert abs(stop.movement.battery_left_wh - left) < 0.01
    codes = check_plan(tmp_path / "foggy", clear).codes
    assert {Code.TIMING_TRAVEL_TOO_SHORT, Code.CONSISTENCY_DIGEST} <= codes
