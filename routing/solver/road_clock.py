"""A travel clock for the innermost loops: legs within dry hours, which are most, cost one comparison."""

from __future__ import annotations

from geodata.matrix import UNREACHABLE_S
from geodata.travel_clock import HOUR_S, TravelClock


class RoadClock:
    """Answers of a `TravelClock`, and what is out of reach as never."""

    __slots__ = ("_clock", "_dry_from_s", "_dry_until_s", "_horizon_s")

    def __init__(self, clock: TravelClock) -> None:
        self._clock = clock
        dry = [factor == 1.0 for factor in clock.factors]
        n = len(dry)
        self._horizon_s = n * HOUR_S
        self._dry_from_s, self._dry_until_s = [self._horizon_s] * n, [0] * n
        """By hour, where the dry hours in a row it lies in begin and end; never for a slow hour."""
        for hour in range(n):
            if dry[hour]:
                self._dry_from_s[hour] = self._dry_from_s[hour - 1] if hour and dry[hour - 1] else hour * HOUR_S
        for hour in reversed(range(n)):
            if dry[hour]:
                goes_on = hour + 1 < n and dry[hour + 1]
                self._dry_until_s[hour] = self._dry_until_s[hour + 1] if goes_on else (hour + 1) * HOUR_S

    def arrival_s(self, departure_s: int, dry_s: int) -> int:
        """Return the second of arrival after so many dry-day seconds of travel."""
        end_s = departure_s + dry_s
        if 0 <= departure_s < self._horizon_s and end_s <= self._dry_until_s[departure_s // HOUR_S]:
            return end_s
        if dry_s == 0 or dry_s >= UNREACHABLE_S:
            return end_s
        return self._clock.arrival_s(departure_s, dry_s)

    def departure_s(self, arrival_s: int, dry_s: int) -> int:
        """Return the last second at which to leave to arrive by a time."""
        start_s = arrival_s - dry_s
        if 0 <= arrival_s < self._horizon_s and self._dry_from_s[arrival_s // HOUR_S] <= start_s:
            return start_s
        if dry_s == 0 or dry_s >= UNREACHABLE_S:
            return start_s
        return self._clock.latest_departure_s(arrival_s, dry_s)
