"""The front a planner walks: sets of points no other set beats in money, access and daily delivery cost at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geodata.errors import InputError
from routing.siting.answers import answer_aim
from routing.siting.delivery import DayJudge, DeliveryCost
from routing.siting.study import Aim, Answer, Chosen, Figures, Study, figures_of

BUDGET_STEPS = 10
PROXY_WEIGHTS = (0.3, 1.0, 3.0)
"""How much the road tree weighs against access when sets beside the siting-alone ones are looked for."""
FIRST_LOOK_SHARE = 0.6
"""Share of the time for finding sets; the rest is for planning those that compete once more."""
LOOKS = 3
"""How often the days are planned on a set that competes, each time with another seed; the cheapest plan counts."""
NEAR = 0.1
"""A set competes if it would be on the front were its deliveries cheaper by this share; so noisy are single plans."""


@dataclass(frozen=True)
class Member:
    """One set of points with what it means.

    `alone` marks a set that siting alone proposes (with its answer); `delivery` is None when no days were planned.
    """

    chosen: Chosen
    figures: Figures
    answer: Answer | None
    delivery: DeliveryCost | None = None

    @property
    def alone(self) -> bool:
        """Whether siting alone proposes the set."""
        return self.answer is not None

    @property
    def aims(self) -> tuple[float, float, float]:
        """What is made least: investment, mean minutes, daily delivery cost."""
        return self.figures.investment, self.figures.mean_min, self.delivery.money if self.delivery else 0.0


@dataclass(frozen=True)
class Front:
    """`members` beat each other nowhere; `archive` holds every set judged, siting alone's among them."""

    members: tuple[Member, ...]
    archive: tuple[Member, ...]


def explore(
    study: Study,
    aim: Aim,
    judge: DayJudge | None,
    *,
    time_limit_s: float,
    tell: Callable[[str], None] = lambda _text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Front:
    """Return the front over sets up to the size or budget asked.

    Siting alone answers each size (or budget) exactly; with a judge its sets are planned on, then sets beside them that
    trade access for shorter roads, as long as time lasts. Then the sets that compete are planned again with other
    seeds, all of them as often, siting alone's always among them, and the cheapest plan of each counts. All sets stay
    in the archive, so that no member of the front is beaten by siting alone followed by the same planning.
    """
    started = time.monotonic()
    deadline = started + time_limit_s * (FIRST_LOOK_SHARE if judge is not None else 1.0)
    archive: dict[tuple[Chosen, bool], Member] = {}
    for step in _steps(study, aim):
        if cancelled():
            break
        answer = _answered(study, step)
        if answer is not None:
            chosen = answer.chosen[-1]
            member = Member(chosen, figures_of(study, aim, answer), answer)
            archive.setdefault((chosen, answer.served is not None), _judged(member, judge))
            tell(f"{member.figures.opened} points, {member.figures.mean_min:.1f} min")
    if judge is not None and not aim.capacities:
        _add_variants(study, aim, judge, archive, lambda: cancelled() or time.monotonic() > deadline, tell)
    members = tuple(archive.values())
    if judge is not None:
        until = started + time_limit_s
        members = _looked_often(members, judge, lambda: cancelled() or time.monotonic() > until, tell)
    return Front(non_dominated(members), members)


def _add_variants(
    study: Study,
    aim: Aim,
    judge: DayJudge,
    archive: dict[tuple[Chosen, bool], Member],
    ended: Callable[[], bool],
    tell: Callable[[str], None],
) -> None:
    """Add sets beside siting alone's that trade access for shorter roads, planned like them."""
    answer = next((member.answer for member in archive.values()), None)
    for chosen in _variants(study, aim, judge, list(archive.values())):
        if ended() or answer is None:
            break
        if (chosen, False) not in archive:
            member = Member(chosen, figures_of(study, aim, answer, chosen), None)
            archive[chosen, False] = _judged(member, judge)
            tell(f"{member.figures.opened} points, {member.figures.mean_min:.1f} min, shorter roads")


def _looked_often(
    members: tuple[Member, ...], judge: DayJudge, ended: Callable[[], bool], tell: Callable[[str], None]
) -> tuple[Member, ...]:
    """Return the members after up to `LOOKS` plans of each set that competes."""
    for look in range(1, LOOKS):
        again = _looked_again(members, judge, look, ended)
        if again is None:
            break
        members = again
        tell(f"planned again with another seed ({look + 1} of {LOOKS})")
    return members


def _looked_again(
    members: tuple[Member, ...], judge: DayJudge, look: int, ended: Callable[[], bool]
) -> tuple[Member, ...] | None:
    """Return the members with the cheaper of their plan and one by another seed; None where time ended on the way.

    Either every set that competes is planned again or none is: a set is never cheaper for having been looked at more.
    """
    competing = _competing(members)
    costs: dict[Chosen, DeliveryCost] = {}
    for member in competing:
        if ended():
            return None
        if member.chosen not in costs:
            costs[member.chosen] = judge.cost(member.chosen, look)
    found = []
    for member in members:
        again, known = costs.get(member.chosen), member.delivery
        cheaper = again is not None and known is not None and again.money < known.money
        found.append(replace(member, delivery=again) if cheaper else member)
    return tuple(found)


def _competing(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return siting alone's sets, and those that would be on the front were their deliveries cheaper by `NEAR`."""
    found = []
    for member in members:
        investment, minutes, money = member.aims
        wished = (investment, minutes, (1.0 - NEAR) * money)
        beaten = any(
            other is not member and all(a <= b + 1e-9 for a, b in zip(other.aims, wished, strict=True))
            for other in members
        )
        if member.alone or not beaten:
            found.append(member)
    return tuple(found)


def _steps(study: Study, aim: Aim) -> list[Aim]:
    if aim.years:
        return [aim]
    if aim.open_n is not None:
        return [replace(aim, open_n=n) for n in range(1, aim.open_n + 1)]
    if aim.budget is not None:
        return [replace(aim, budget=aim.budget * k / BUDGET_STEPS) for k in range(1, BUDGET_STEPS + 1)]
    fewest = answer_aim(study, aim)
    opened = figures_of(study, aim, fewest).opened
    return [*(replace(aim, open_n=n) for n in range(1, opened)), aim]


def _answered(study: Study, aim: Aim) -> Answer | None:
    try:
        return answer_aim(study, aim, explain=False)
    except InputError:
        return None  # a smaller size or budget on the way may be impossible; the question itself was answered before


def _judged(member: Member, judge: DayJudge | None) -> Member:
    return member if judge is None else replace(member, delivery=judge.cost(member.chosen))


def non_dominated(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return the members no other one equals or beats in every aim, by investment, then access; equals stay once."""
    found: list[Member] = []
    for member in sorted(members, key=lambda m: (m.aims, not m.alone)):
        beaten = any(all(a <= b + 1e-9 for a, b in zip(other.aims, member.aims, strict=True)) for other in found)
        if not beaten:
            found.append(member)
    return tuple(found)


def _variants(study: Study, aim: Aim, judge: DayJudge, alone: list[Member]) -> list[Chosen]:
    """Return sets that trade access for a shorter road tree, largest first, in turn by weight."""
    found: dict[Chosen, None] = {}
    for weight in PROXY_WEIGHTS:
        for member in reversed(alone):
            changed = _shortened(study, aim, judge, member.chosen, weight)
            if changed != member.chosen:
                found.setdefault(changed)
    return list(found)


def _shortened(study: Study, aim: Aim, judge: DayJudge, chosen: Chosen, weight: float) -> Chosen:
    """Swap one point at a time while relative access plus weighted relative road length falls."""
    kept = study.in_reach(aim.reach_min)
    people = study.people[kept] / max(1e-9, float(study.people[kept].sum()))
    minutes = np.where(study.minutes[0][kept] <= aim.reach_min, study.minutes[0][kept], 2.0 * aim.reach_min)

    def measures(points: Chosen) -> tuple[float, float]:
        return float(people @ minutes[:, [site for site, _ in points]].min(axis=1)), judge.tour_proxy_s(points)

    access, road = measures(chosen)
    scale = (max(access, 1e-9), max(road, 1e-9))
    value = 1.0 + weight
    fixed = {
        site for site, _ in chosen if study.candidates[site].existing or study.candidates[site].id in aim.must_open
    }
    closed = {study.index[name] for name in aim.closed}
    while True:
        best: tuple[float, Chosen] | None = None
        opened = {site for site, _ in chosen}
        for out in [point for point in chosen if point[0] not in fixed]:
            for site, place in enumerate(study.candidates):
                if site in opened or site in closed or place.existing or len(place.kinds) <= out[1]:
                    continue
                swapped = tuple(sorted([*(point for point in chosen if point != out), (site, out[1])]))
                access, road = measures(swapped)
                now = access / scale[0] + weight * road / scale[1]
                if now < value - 1e-9 and (best is None or now < best[0]):
                    best = (now, swapped)
        if best is None:
            return chosen
        value, chosen = best
