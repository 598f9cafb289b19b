"""How many requests a key or an address may make."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from limits import parse

from api.error_codes import ErrorCode
from api.problem_json import ApiError

_FORGET_EVERY = 10_000
"""Requests after which those that wait for nothing any more are forgotten."""


class RateLimiter:
    """Counts requests by key, or by address where there is none, in this process.

    Parameters
    ----------
    rate
        ``count/period``, as in ``1200/minute``: so many may come at once, and as many in every period after that.
    now
        Clock in seconds.

    Notes
    -----
    The generic cell rate algorithm (ITU-T I.371): of everybody only the moment is kept until which the requests so
    far are spread out evenly. A request is refused when that moment is a whole period ahead. It costs about a
    microsecond; counters that remember each request cost more than the answer.
    """

    def __init__(self, rate: str, now: Callable[[], float] = time.monotonic) -> None:
        item = parse(rate)
        self._count, self._period_s = item.amount, float(item.get_expiry())
        self._now = now
        self._spread_until_s: dict[str, float] = {}
        self._since_forgetting = 0

    def hit(self, who: str) -> None:
        """Count a request.

        Raises
        ------
        ApiError
            RATE_LIMITED with the seconds to wait.
        """
        wait_s = self.wait_s(who)
        if wait_s > 0.0:
            detail = f"More than {self._count} requests in {self._period_s:g} s."
            raise ApiError(ErrorCode.RATE_LIMITED, detail, headers={"Retry-After": str(math.ceil(wait_s))})

    def wait_s(self, who: str) -> float:
        """Count a request and return 0, or return the seconds until one is allowed; then it does not count."""
        now = self._now()
        until_s = max(now, self._spread_until_s.get(who, now)) + self._period_s / self._count
        ahead_s = until_s - now - self._period_s
        if ahead_s > self._period_s * 1e-9:  # the sum of equal shares may miss the whole by a rounding
            return ahead_s
        self._spread_until_s[who] = until_s
        self._since_forgetting += 1
        if self._since_forgetting >= _FORGET_EVERY:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        self._spread_until_s = {who: until_s for who, until_s in self._spread_until_s.items() if until_s > now}
        self._since_forgetting = 0
