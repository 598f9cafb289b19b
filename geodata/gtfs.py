"""GTFS in and out: `read_gtfs` for one service date, `write_gtfs` for a whole feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from geodata.errors import FaultCollector
from geodata.gtfs_feed import Feed, timetable_on
from geodata.gtfs_read import read_feed
from geodata.gtfs_write import write_gtfs
from geodata.timetable import Timetable

__all__ = ["Feed", "read_feed", "read_gtfs", "write_gtfs"]


def read_gtfs(path: Path, service_date: date, collector: FaultCollector | None = None) -> Timetable:
    """Read what a GTFS feed runs on one service date, with its cargo tables.

    The whole feed is checked, not only the date, so that a fault is found before the day it strikes.

    Parameters
    ----------
    path
        A zip or a folder; the tables may lie in one folder inside it.
    service_date
        The day wanted.
    collector
        If given, faults are added to it and what could be read is returned; else they are raised.

    Returns
    -------
    Timetable
        With `warnings` for what is wrong in the feed but can be lived with.

    Raises
    ------
    InputError
        Without a collector: every fault of the feed at once (missing file or column, unknown trip, stop or service,
        bad time or number, duplicate key, no service on the date).
    """
    faults = FaultCollector()
    feed, text = read_feed(path, faults)
    trustworthy = not faults.faults  # "no service" would only echo, say, an absent calendar
    timetable = timetable_on(feed, service_date, faults if trustworthy else FaultCollector(), path.name)
    if collector is None:
        faults.raise_if_any()
    else:
        for fault in faults.faults:
            collector.add(fault)
    return replace(timetable, warnings=tuple(text.warnings))
