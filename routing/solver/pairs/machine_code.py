"""Compilation of loops that call each other; importing this imports the compiler (half a second)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled on its first call, its machine code cached beside the source or for the user.

    Where neither place can be written (a container with read-only files and no home), each process compiles anew.
    Unlike what `geodata.compiled` returns, such functions may call each other.
    """
    try:
        return cast("F", numba.njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # no place for the cache
        return cast("F", numba.njit(error_model="numpy")(function))
