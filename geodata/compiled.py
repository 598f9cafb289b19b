"""Compilation of the innermost loops to machine code, kept on disk so that only a first run waits for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is compiled when first called, its machine code cached beside the source or for the user.

    Where neither place can be written (a container with read-only files and no home), each process compiles anew. The
    compiler is imported with the first call too: commands that need no such loop do not wait half a second for it.
    Division by zero gives infinity or nan as in numpy, which lets loops run on several numbers at once.
    """

    @cache
    def machine_code() -> Callable[P, R]:
        import numba  # noqa: PLC0415

        try:
            return numba.njit(cache=True, error_model="numpy")(function)
        except RuntimeError:  # no place for the cache
            return numba.njit(error_model="numpy")(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return machine_code()(*args, **kwargs)

    return call
