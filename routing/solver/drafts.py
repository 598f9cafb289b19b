"""What a part of a plan in the making holds, to be taken up by another state, in this process or another one."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.solver.carriers import Carrier
from routing.solver.instance import BusRide, Instance, Job
from routing.solver.part import Part
from routing.solver.state import State
from routing.solver.tasks import Task


@dataclass(frozen=True, slots=True)
class Draft:
    """Jobs served with their tasks, and the days of the carriers that serve them."""

    served: Mapping[int, tuple[Task, ...]]
    spoilage: Mapping[int, float]
    days: Mapping[str, Any]
    """Snapshots by vehicle or drone."""
    aboard: Mapping[int, Sequence[tuple[Task, BusRide]]]
    """By bus trip, what rides there."""


def draft_of(state: State, part: Part | None = None) -> Draft:
    """Return what a part of a plan holds; None: all of it."""
    jobs = range(len(state.instance.jobs)) if part is None else part.jobs
    mine = set(jobs)
    aboard = {load.number: [entry for entry in load.entries if entry[0].job.index in mine] for load in state.buses}
    days = own_carriers(state)
    return Draft(
        served={index: state.served[index] for index in jobs if index in state.served},
        spoilage={index: state.spoilage[index] for index in jobs if index in state.spoilage},
        days={name: day.snapshot() for name, day in days.items() if part is None or name in part.carriers},
        aboard={number: entries for number, entries in aboard.items() if entries},
    )


def take_up(state: State, drafts: Sequence[Draft]) -> bool:
    """Fill an empty state with drafts; return whether buses hold what all of them together load.

    Tasks are taken over, not copied: the state the drafts were made from is not to be used any more.
    """
    carriers = own_carriers(state)
    for draft in drafts:
        for index, tasks in draft.served.items():
            state.adopt(state.instance.jobs[index], tasks)
        state.spoilage.update(draft.spoilage)
        for number, entries in draft.aboard.items():
            for task, ride in entries:
                state.buses[number].enter(task, ride)
                task.owner = state.buses[number]
        for name, saved in draft.days.items():
            carriers[name].restore(saved)
    return all(load.holds() for load in state.buses)


def own_carriers(state: State) -> dict[str, Carrier]:
    """Return vehicles, couriers and drones by their names."""
    found: dict[str, Carrier] = {day.vehicle_id: day for days in state.days for day in days}
    return found | {drone.drone_id: drone for drones in state.drones for drone in drones}


# --- Bytes ---------------------------------------------------------------------------------------------------------


class _Packer(pickle.Pickler):
    """Leaves out what every process has or makes itself: jobs go by number, carriers not at all."""

    def persistent_id(self, obj: object) -> int | None:
        """Return the number that stands for an object; None: the object itself."""
        if isinstance(obj, Job):
            return obj.index
        return -1 if isinstance(obj, Carrier) else None


class _Unpacker(pickle.Unpickler):
    def __init__(self, data: bytes, jobs: Sequence[Job]) -> None:
        super().__init__(io.BytesIO(data))
        self._jobs = jobs

    def persistent_load(self, pid: int) -> Job | None:
        """Return the job of a number; carriers come back when a state takes the draft up."""
        return None if pid < 0 else self._jobs[pid]


def pack(what: object) -> bytes:
    """Return drafts, parts and the like as bytes; jobs and carriers must be those of the instance."""
    file = io.BytesIO()
    _Packer(file, protocol=pickle.HIGHEST_PROTOCOL).dump(what)
    return file.getvalue()


def unpack(data: bytes, instance: Instance) -> Any:
    """Return what was packed, its jobs being those of another instance of the same problem."""
    return _Unpacker(data, instance.jobs).load()
