"""Compilation of the search to machine code; importing this imports the compiler (half a second)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled on its first call, its machine code cached beside the source or for the user.

    Such functions may call each other, but may not make arrays: references are not counted (`_nrt`), since counting
    those of the forty arrays handed from function to function takes five times as long as the search itself. The
    arrays outlive every call, being owned by the caller in Python. Where no place for the cache can be written (a
    container with read-only files and no home), each process compiles anew.
    """
    options: dict[str, Any] = {"_nrt": False}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no place for the cache
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
