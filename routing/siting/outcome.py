"""What is asked of a siting run and what it found: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geodata.area import Area
from routing.scenario import Scenario
from routing.siting.fallback import Fallback
from routing.siting.front import Front
from routing.siting.reach import Reach
from routing.siting.study import Aim, Answer, Study
from routing.siting.why import Marginal, Price


@dataclass(frozen=True)
class SiteRequest:
    """What the user asks of one siting run.

    Parameters
    ----------
    demand
        ``sites`` (villages and groups of the scenario), ``places`` (of the map), or a table of settlements.
    candidates
        Any of ``sites``, ``bus-stops`` and tables of points.
    kinds, kinds_file
        Ids of the kinds of point that may open, and a file of kinds instead of the shipped ones.
    profile
        How people go: a travel profile, usually ``walker``.
    closures, lost_lines
        Each file of closed roads, and each bus line, is a scenario of its own beside the usual day. Without its line a
        stop that no van reaches cannot serve.
    days
        Typical days to plan on each set: 0 leaves delivery out, 1 takes the scenario's orders, more are generated.
    plan_iterations
        Effort of each plan.
    why
        Places to price beside those chosen by the program.
    """

    aim: Aim
    demand: str = "sites"
    candidates: tuple[str, ...] = ("sites",)
    kinds: tuple[str, ...] = ()
    kinds_file: Path | None = None
    profile: str = "walker"
    closures: tuple[Path, ...] = ()
    lost_lines: tuple[str, ...] = ()
    days: int = 0
    plan_iterations: int = 40
    front_time_limit_s: float = 300.0
    why: tuple[str, ...] = ()
    seed: int = 1
    lang: str = "en"


@dataclass(frozen=True)
class SiteOutcome:
    """Everything a siting run found; `existing` is what is there now (None: nothing)."""

    scenario: Scenario
    area: Area
    request: SiteRequest
    study: Study
    reach: Reach
    answer: Answer
    front: Front
    prices: tuple[Price, ...]
    marginal: Marginal | None
    beyond: tuple[Fallback, ...]
    timings_s: Mapping[str, float] = field(default_factory=dict)
