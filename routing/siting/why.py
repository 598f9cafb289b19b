"""Why (not) here: what forcing a place in or out costs, which places compete, what one more point is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from geodata.errors import InputError
from routing.siting.answers import answer_aim
from routing.siting.study import Aim, Answer, Figures, Study, figures_of


@dataclass(frozen=True)
class Price:
    """What changes when one place is forced open (``in``) or kept closed (``out``).

    Differences are forced minus free: minutes of the mean, people within the limit asked (15 where none is), money.
    `instead` names the places that lose their point for it, or take over. `possible` is False where forcing leaves
    no answer.
    """

    place: str
    move: str
    possible: bool
    mean_min: float = 0.0
    people_within: float = 0.0
    investment: float = 0.0
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marginal:
    """What the n-th point and the one after are worth: mean minutes and people within the limit gained by one more."""

    opened: int
    mean_min: float
    people_within: float


def price_of(study: Study, aim: Aim, answer: Answer, place: str) -> Price:
    """Return the price of turning a place's state round: closing it if it is open, opening it if it is not."""
    opened = {study.candidates[site].id for site, _ in answer.chosen[-1]}
    if place in opened:
        move = "out"
        changed = replace(aim, closed=(*aim.closed, place), must_open=tuple(p for p in aim.must_open if p != place))
    else:
        move = "in"
        changed = replace(aim, must_open=(*aim.must_open, place), closed=tuple(p for p in aim.closed if p != place))
    try:
        forced = answer_aim(study, changed, explain=False)
    except InputError:
        return Price(place, move, possible=False)
    before, after = figures_of(study, aim, answer), figures_of(study, aim, forced)
    now = {study.candidates[site].id for site, _ in forced.chosen[-1]}
    swapped = (opened - now) if move == "in" else (now - opened)
    return Price(
        place=place,
        move=move,
        possible=True,
        mean_min=after.mean_min - before.mean_min,
        people_within=_within(after, aim) - _within(before, aim),
        investment=after.investment - before.investment,
        instead=tuple(sorted(swapped - {place})),
    )


def prices_of(study: Study, aim: Aim, answer: Answer, places: Sequence[str]) -> tuple[Price, ...]:
    """Return the price of each place, in the order given."""
    return tuple(price_of(study, aim, answer, place) for place in places)


def competitors(prices: Sequence[Price]) -> tuple[tuple[str, str], ...]:
    """Return pairs of places that compete: opening the one closes the other, or the other takes over."""
    pairs = {(min(price.place, other), max(price.place, other)) for price in prices for other in price.instead[:1]}
    return tuple(sorted(pairs))


def marginal_value(study: Study, aim: Aim, answer: Answer) -> Marginal | None:
    """Return what one more point would bring; None where the question does not count points, or no answer came."""
    if aim.open_n is None or aim.years:
        return None
    try:
        more = answer_aim(study, replace(aim, open_n=aim.open_n + 1), explain=False)
    except InputError:
        return None
    before, after = figures_of(study, aim, answer), figures_of(study, aim, more)
    gained = _within(after, aim) - _within(before, aim)
    return Marginal(aim.open_n + 1, before.mean_min - after.mean_min, gained)


def _within(figures: Figures, aim: Aim) -> float:
    return dict(figures.people_within)[aim.within_min or 15.0]
