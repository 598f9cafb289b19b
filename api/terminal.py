"""What every command shares: consoles, the cache on disk, and exit codes with the messages that go with them.

Exit codes: 0 done (``check``: clean), 1 violations found, 2 input, file or argument at fault, 3 a bug in Shanlu (for
example a plan that breaks its own rules; nothing is written), 4 something outside is needed and absent, 130 interrupted
before there was a plan.
"""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from geodata.cache import Cache, default_cache_folder
from geodata.errors import CheckFailedError, InputError, PlanReadError, UnavailableError

console = Console(highlight=False, soft_wrap=True, markup=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

STDOUT_FD, STDERR_FD = 1, 2
EXIT_VIOLATIONS = 1
EXIT_INPUT = 2
EXIT_BUG = 3
EXIT_UNAVAILABLE = 4
EXIT_INTERRUPTED = 130


def disk_cache() -> Cache:
    """Return the cache that outlives the command."""
    return Cache(default_cache_folder())


@contextmanager
def stray_output_aside() -> Iterator[None]:
    """Send what compiled libraries print to standard output (HiGHS does) to standard error instead.

    They write past Python, so the file descriptor itself is turned; C's own buffer is emptied before it is turned back.
    It stays turned while a solve that was left to end still runs; Python then prints where it did before.
    """
    from routing.solver.master import left_to_end  # noqa: PLC0415 # imports the solver's libraries

    sys.stdout.flush()
    kept = os.dup(STDOUT_FD)
    os.dup2(STDERR_FD, STDOUT_FD)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        if left_to_end():
            sys.stdout = os.fdopen(kept, "w")
        else:
            os.dup2(kept, STDOUT_FD)
            os.close(kept)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn Shanlu's errors into messages and exit codes."""
    try:
        yield
    except typer.Exit:
        raise
    except InputError as error:
        for fault in error.faults:
            errors.print(f"error: {fault}")
        if len(error.faults) > 1:
            errors.print(f"{len(error.faults)} faults in all.")
        raise typer.Exit(EXIT_INPUT) from None
    except PlanReadError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(EXIT_INPUT) from None
    except CheckFailedError as error:
        errors.print(f"bug: {error}")
        raise typer.Exit(EXIT_BUG) from None
    except UnavailableError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(EXIT_UNAVAILABLE) from None
    except KeyboardInterrupt:
        errors.print("interrupted; nothing was written")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except Exception:  # noqa: BLE001 - the border of the program: what comes this far is a bug and told as one
        errors.print(traceback.format_exc().rstrip())
        errors.print("bug: Shanlu failed; nothing was written. Please report it with the lines above.")
        raise typer.Exit(EXIT_BUG) from None
