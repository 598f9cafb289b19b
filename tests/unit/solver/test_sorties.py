"""Unit test of sorties flown later so that one more order joins them (routing.solver.sorties)."""

from types import SimpleNamespace

import pytest
from problems import DRONE_SERVICE

from routing.solver import sorties
from routing.solver.sorties import Flight, Sortie

TURNAROUND_S = DRONE_SERVICE.physics.turnaround_s


@pytest.mark.parametrize(("spare_s", "moves"), [(0, True), (-1, False)])
def test_a_sortie_moved_later_leaves_the_turnaround(spare_s: int, moves: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a sortie is moved up to the turnaround before the next one, and not a second closer."""

    def flight_at(start_s: int) -> Flight:
        return Flight(start_s, start_s + 300, start_s + 420, start_s + 700, 100.0, 50.0)

    moved_s = 36_000
    monkeypatch.setattr(sorties, "_earliest_start", lambda *_: moved_s)
    monkeypatch.setattr(sorties, "fly_at", lambda *given: flight_at(given[2]))
    monkeypatch.setattr(sorties, "_in_time", lambda *_, **__: True)
    sortie = Sortie(1, flight_at(30_000), (), ())
    after = Sortie(1, flight_at(flight_at(moved_s).end_s + TURNAROUND_S + spare_s), (), ())
    group = SimpleNamespace(base=0, service=DRONE_SERVICE)
    day = SimpleNamespace(group=group, sorties=[sortie, after], instance=SimpleNamespace(handling_s=[0, 0]))
    request = SimpleNamespace(errand=SimpleNamespace(ride=SimpleNamespace(origin=0)))
    found = sorties._moved(day, request, sortie, 1.0, 0.0)
    assert found == (flight_at(moved_s) if moves else None)
