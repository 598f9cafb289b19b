"""Taking uploads in: unpacked into a folder only after every trick known to us has been ruled out."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from api.error_codes import ErrorCode
from api.problem_json import ApiError, ProblemFault
from api.settings import Settings

_CHUNK = 1 << 20
_PROLOG = 1 << 20
"""A document type declaration must stand before the first element; so much of a file is looked through for one."""
_XML_ENDINGS = (".osm", ".xml")
_PACKED_ENDINGS = (".zip", ".xlsx")
_MAX_RATIO = 2_000
"""Unpacked bytes per packed byte above which a member is a bomb; deflate reaches 1,032 at most."""


@dataclass
class _Budget:
    """What an upload may still unpack to."""

    files: int
    size: int
    faults: list[ProblemFault]

    def refuse(self, name: str, reason: str, remedy: str) -> None:
        self.faults.append(ProblemFault(code="UPLOAD", file=name[:200], reason=reason, remedy=remedy))


@contextmanager
def staging(settings: Settings) -> Iterator[Path]:
    """Yield an empty folder on the file system of the jobs; what is left of it is removed."""
    settings.staging_folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=settings.staging_folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unpack_scenario(packed: IO[bytes], target: Path, settings: Settings) -> None:
    """Unpack a zip of a scenario folder; one folder around everything is taken off.

    Raises
    ------
    ApiError
        UPLOAD_REFUSED with every member at fault; nothing of the upload is then used.
    """
    budget = _Budget(settings.max_upload_files, settings.max_unpacked_bytes, [])
    try:
        with zipfile.ZipFile(packed) as archive:
            members = _judge_members(archive, budget)
            _refuse_if_any(budget)
            base = _outer_folder(members)
            for info in members:
                _extract(archive, info, target / PurePosixPath(info.filename).relative_to(base), budget)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        budget.refuse("upload", f"the upload is no usable zip file: {error}", "Send a plain zip file.")
    _refuse_if_any(budget)
    _judge_contents(target, budget)
    _refuse_if_any(budget)


def judge_file(path: Path, settings: Settings) -> None:
    """Refuse a single uploaded file that unpacks to too much or declares XML entities."""
    budget = _Budget(settings.max_upload_files, settings.max_unpacked_bytes, [])
    _judge_file(path, path.name, budget)
    _refuse_if_any(budget)


def _refuse_if_any(budget: _Budget) -> None:
    if budget.faults:
        raise ApiError(ErrorCode.UPLOAD_REFUSED, budget.faults[0].reason, budget.faults)


def _judge_members(archive: zipfile.ZipFile, budget: _Budget) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, with a fault for every one that is not plain or leads elsewhere."""
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > budget.files:
        budget.refuse("upload", f"the upload has {len(members)} files, {budget.files} are allowed", "Send fewer files.")
        return []
    seen: set[str] = set()
    for info in members:
        reason = _member_fault(info, seen)
        if reason is not None:
            budget.refuse(info.filename, reason, "Make the zip anew from the plain files of the folder.")
        seen.add(info.filename.casefold())
    total = sum(info.file_size for info in members)
    if total > budget.size:
        budget.refuse("upload", f"the upload unpacks to {total} bytes, {budget.size} are allowed", "Send less.")
    return members


def _member_fault(info: zipfile.ZipInfo, seen: set[str]) -> str | None:
    name = info.filename
    path = PurePosixPath(name)
    mode = info.external_attr >> 16
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]
    if leads_out or any(ord(letter) < 32 for letter in name):
        return "the name of the file leads out of the folder or has forbidden characters"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "the member is a link or a device, not a file"
    if info.flag_bits & 1:
        return "the file is encrypted"
    if name.casefold() in seen:
        return "the name appears twice"
    if info.file_size > _MAX_RATIO * max(1, info.compress_size):
        return "the file unpacks to far more than any real file does"
    return None


def _outer_folder(members: list[zipfile.ZipInfo]) -> PurePosixPath:
    """Return the folder that holds everything, '.' where there is none."""
    tops = {PurePosixPath(info.filename).parts[0] for info in members}
    alone = len(tops) == 1 and all(len(PurePosixPath(info.filename).parts) > 1 for info in members)
    return PurePosixPath(tops.pop()) if alone else PurePosixPath()


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, budget: _Budget) -> None:
    """Write one member, counting what really comes out: the sizes an archive states may lie."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, path.open("xb") as copy:
        while block := source.read(_CHUNK):
            budget.size -= len(block)
            if budget.size < 0:
                budget.refuse(info.filename, "the upload unpacks to more than it states", "Make the zip anew.")
                return
            copy.write(block)


def _judge_contents(folder: Path, budget: _Budget) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _judge_file(path, path.relative_to(folder).as_posix(), budget)


def _judge_file(path: Path, name: str, budget: _Budget) -> None:
    """Refuse packed files that unpack to too much, and XML that declares a document type."""
    if name.lower().endswith(_PACKED_ENDINGS):
        _judge_packed(path, name, budget)
    elif name.lower().endswith(_XML_ENDINGS):
        with path.open("rb") as stream:
            _judge_prolog(stream.read(_PROLOG), name, budget)


def _judge_packed(path: Path, name: str, budget: _Budget) -> None:
    """Judge a packed file that is read later: a timetable, an elevation tile, a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(info.file_size for info in members)
            budget.size -= total
            if len(members) > budget.files or budget.size < 0:
                reason = f"the file unpacks to {total} bytes in {len(members)} files, which is too much"
                budget.refuse(name, reason, "Send a smaller file.")
                return
            for info in members:
                if info.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(info) as stream:
                        _judge_prolog(stream.read(_PROLOG), f"{name}/{info.filename}", budget)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        return  # no zip: the reader of the file says so with its place


def _judge_prolog(head: bytes, name: str, budget: _Budget) -> None:
    plain = head.replace(b"\0", b"")  # UTF-16 too
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        budget.refuse(name, "the XML file declares a document type or entities", "Remove the declaration.")
