"""Output that appears whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata.errors import Fault, InputError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""Errors of a disk or its owner, not of the program."""


@contextmanager
def staged_output(out: Path) -> Iterator[Path]:
    """Yield an empty staging folder; on success each of its entries replaces its namesake in `out`, else nothing does.

    Entries of `out` that the staging folder does not name stay as they are (the demo keeps its scenario there).
    Old entries are put back if replacing fails half-way.

    Raises
    ------
    InputError
        If `out` is a file or cannot be written to, or the disk is full.
    """
    staging = _staging_folder(out)
    try:
        fresh = staging / "new"
        fresh.mkdir()
        yield fresh
        _swap_in(fresh, staging / "old", out)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise InputError([_unwritable(out, error)]) from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def refuse_unusable(out: Path) -> None:
    """Find out before the work whether a plan's files can be put into `out`.

    Raises
    ------
    InputError
        If `out` is a file, cannot be written to, or is a scenario folder, whose orders the plan's would replace.
    """
    if (out / "scenario.toml").exists():
        reason = "the folder holds a scenario, whose orders.csv the plan's would replace"
        remedy = "Name another folder for the plan, for example a subfolder."
        raise InputError([Fault("OUTPUT_TAKEN", "command line", reason, remedy, field="--out", value=str(out))])
    _staging_folder(out).rmdir()


def _staging_folder(out: Path) -> Path:
    """Make an empty folder beside `out`."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists() and not out.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
        return Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise InputError([_unwritable(out, error)]) from error


def _swap_in(fresh: Path, old: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    old.mkdir()
    swapped: list[str] = []
    try:
        for name in sorted(entry.name for entry in fresh.iterdir()):
            swapped.append(name)
            if (out / name).exists():
                (out / name).rename(old / name)
            (fresh / name).rename(out / name)
    except (OSError, KeyboardInterrupt):
        for name in swapped:
            if (old / name).exists():
                if (out / name).exists():
                    (out / name).rename(fresh / name)
                (old / name).rename(out / name)
        raise


def _unwritable(out: Path, error: OSError) -> Fault:
    return Fault(
        code="OUTPUT_NOT_WRITABLE",
        file="command line",
        field="--out",
        value=str(out),
        reason=f"the output folder cannot be used: {error.strerror}",
        remedy="Name a folder that exists or can be made, and that you may write to",
    )
