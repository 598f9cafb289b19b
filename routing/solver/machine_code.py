"""Compilation of loops that call each other; importing this imports the compiler (half a second)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numba
from numba.core.types import unliteral

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled on its first call, its machine code cached beside the source or for the user.

    Where neither place can be written (a container with read-only files and no home), each process compiles anew.
    Unlike what `geodata.compiled` returns, such functions may call each other. They must not allocate: numba's runtime
    is off, for counting references to every array handed on took most of the time of these short functions. The cache
    notices changes of the module a function is in, not of others whose functions it calls: after such a change at work
    on the code, remove the compiled files.
    """
    return _compile(function, inner=False)


def inner(function: F) -> F:
    """Return the same for a function that only compiled ones call: it is compiled a third faster."""
    return _compile(function, inner=True)


def woven(function: F) -> F:
    """Return the same for a short function that is to become part of each that calls it.

    Handing on a tuple of thirty arrays takes longer than most short functions do.
    """
    return _compile(function, inner=True, forceinline=True)


def merged(function: F) -> F:
    """Return the same for a function that one other calls in one place: it is compiled as part of that one.

    Every function is optimised together with all it calls, so that a chain of long ones takes long to compile.
    """
    return _compile(function, inner=True, inline="always")


def direct(function: F) -> F:
    """Return a compiled function that is called without looking at its arguments' types, but for the first time.

    To tell the types of a tuple of arrays takes numba ten times as long as most of these functions run. All arguments
    must be of the types, element types and memory orders of the first call's: nothing checks that later on.
    """
    entry: Callable[..., Any] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal entry
        if entry is not None:
            return entry(*arguments)
        result = function(*arguments)
        overloads = getattr(function, "overloads", None)
        if overloads is not None:  # there are none where numba is told not to compile
            entry = overloads[tuple(map(numba.typeof, arguments))].entry_point
        return result

    return cast("F", call)


def _compile(function: F, *, inner: bool, **more: bool | str) -> F:
    options: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False, **more}
    options["no_cpython_wrapper"] = inner
    try:
        found = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no place for the cache
        found = numba.njit(**options)(function)
    _forget_literals(found)
    return cast("F", found)


def _forget_literals(function: Any) -> None:
    """Let calls with literals, True or 0, share the machine code of calls with variables: compiling is slow."""
    template = getattr(function, "get_call_template", None)
    if template is not None:  # there is none where numba is told not to compile

        def without_literals(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
            return template(tuple(map(unliteral, args)), {name: unliteral(kind) for name, kind in kws.items()})

        function.get_call_template = without_literals
