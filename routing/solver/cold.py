"""What waiting and warmth do to the goods of a plan in the making, by the times its carriers published."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from routing.coldchain import ColdLeg, Exposure, exposure
from routing.model.problem import Problem
from routing.solver.days import Day
from routing.solver.fleets import fits_compartment
from routing.solver.instance import Instance
from routing.solver.tasks import Task


def keeps_moving(instance: Instance, tasks: Sequence[Task]) -> bool:
    """Return whether goods wait nowhere longer than the place allows by the current schedule."""
    for before, after in itertools.pairwise(tasks):
        limit_s = instance.places[after.origin].max_wait_s
        if limit_s is not None and after.load_end_s - before.unload_end_s > limit_s:
            return False
    return True


def job_exposure(instance: Instance, tasks: Sequence[Task]) -> Exposure:
    """Return the exposure of a cold job by the times its carriers published."""
    problem: Problem = instance.problem
    legs = [_cold_leg(instance, task) for task in tasks]
    return exposure(problem, tasks[0].job.product, legs)


def _cold_leg(instance: Instance, task: Task) -> ColdLeg:
    set_point = None
    if isinstance(task.owner, Day):
        part = task.owner.fleet.type.compartments[task.compartment]
        set_point = part.set_point_c if fits_compartment(task.job.product, part.set_point_c) else None
    return ColdLeg(
        instance.places[task.origin].id,
        instance.places[task.destination].id,
        task.load_start_s,
        task.load_end_s,
        task.unload_start_s,
        task.unload_end_s,
        set_point,
        task.boxed,
        task.ride.kind == "drone",
    )
