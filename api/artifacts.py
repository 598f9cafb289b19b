"""Where inputs and results of jobs are kept: in the data folder, or in a bucket of an S3-compatible store.

With a bucket the data folder of each machine mirrors what it works with: a job's folder is brought up to date before it
is read, and sent after it was written, file by file as far as they changed. Nothing else of the service knows of it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.settings import Settings
from geodata.errors import UnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_MIRROR = "mirror"
_NOT_KEPT = ("lock",)
"""Files of a job's folder that mean something on one machine only, beside those that begin with a dot."""


class Artifacts(Protocol):
    """The folders of jobs."""

    def folder(self, job_id: str) -> Path:
        """Return a job's folder, up to date."""
        ...

    def file(self, job_id: str, name: str) -> Path:
        """Return a file of a job's folder that never changes once it is there."""
        ...

    def publish(self, job_id: str) -> None:
        """Let others see what was changed in a job's folder."""
        ...

    def forget(self, job_id: str) -> None:
        """Remove a job's folder."""
        ...

    def ping(self) -> None:
        """Raise OSError if nothing can be kept."""
        ...


@dataclass(frozen=True)
class FolderArtifacts:
    """The data folder itself, which all machines share."""

    settings: Settings

    def folder(self, job_id: str) -> Path:
        """Return a job's folder."""
        return self.settings.job_folder(job_id)

    def file(self, job_id: str, name: str) -> Path:
        """Return a file of a job's folder."""
        return self.settings.job_folder(job_id) / name

    def publish(self, job_id: str) -> None:
        """Do nothing: others see the folder."""

    def forget(self, job_id: str) -> None:
        """Remove a job's folder."""
        shutil.rmtree(self.settings.job_folder(job_id), ignore_errors=True)

    def ping(self) -> None:
        """Raise OSError if the data folder cannot be written."""
        (self.settings.data / ".ready").write_bytes(b"")


class BucketArtifacts:
    """A bucket, mirrored as far as this machine needs it.

    Parameters
    ----------
    bucket
        The objects; their names are the job's id and the path in its folder.
    """

    def __init__(self, settings: Settings, bucket: ObjectStore) -> None:
        import obstore  # noqa: PLC0415 - optional

        self._local, self._bucket, self._obstore = FolderArtifacts(settings), bucket, obstore
        self._settings = settings

    def folder(self, job_id: str) -> Path:
        """Return a job's folder after fetching what is new in the bucket and removing what is gone from it.

        Raises
        ------
        OSError
            If the bucket does not answer.
        """
        folder = self._settings.job_folder(job_id)
        with self._mirrored(job_id) as known, _as_os_errors(self._obstore):
            there = self._listed(job_id)
            for name in sorted(there.keys() - known.keys()) + [
                n for n in known if there.get(n, known[n].tag) != known[n].tag
            ]:
                self._fetch(job_id, name, folder / name)
                known[name] = _Known.of(folder / name, there[name])
            for name in sorted(known.keys() - there.keys()):
                (folder / name).unlink(missing_ok=True)
                del known[name]
        return folder

    def file(self, job_id: str, name: str) -> Path:
        """Return a file of a job's folder that never changes once it is there; fetched only where it is not."""
        path = self._settings.job_folder(job_id) / name
        return path if path.is_file() else self.folder(job_id) / name

    def publish(self, job_id: str) -> None:
        """Send what was changed in a job's folder since it was fetched or sent, and remove what is gone from it.

        Raises
        ------
        OSError
            If the bucket does not answer.
        """
        folder = self._settings.job_folder(job_id)
        with self._mirrored(job_id) as known, _as_os_errors(self._obstore):
            found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if _is_kept(path)}
            for name, path in found.items():
                if name not in known or known[name] != _Known.of(path, known[name].tag):
                    before = _Known.of(path, "")
                    sent = self._obstore.put(self._bucket, _key(job_id, name), path)
                    known[name] = _Known(before.size, before.changed_ns, str(sent["e_tag"]))
            gone = sorted(known.keys() - found.keys())
            if gone:
                self._obstore.delete(self._bucket, [_key(job_id, name) for name in gone])
            for name in gone:
                del known[name]

    def forget(self, job_id: str) -> None:
        """Remove a job's folder, here and in the bucket."""
        with self._mirrored(job_id) as known, _as_os_errors(self._obstore):
            names = sorted(self._listed(job_id))
            if names:
                self._obstore.delete(self._bucket, [_key(job_id, name) for name in names])
            known.clear()
            self._local.forget(job_id)

    def ping(self) -> None:
        """Raise OSError if the bucket or the data folder does not answer."""
        self._local.ping()
        with _as_os_errors(self._obstore):
            next(iter(self._obstore.list(self._bucket, "ready", chunk_size=1)), None)

    def _listed(self, job_id: str) -> dict[str, str]:
        """Return the tag of each object of a job by its path in the job's folder."""
        found: dict[str, str] = {}
        for chunk in self._obstore.list(self._bucket, f"jobs/{job_id}"):
            found |= {str(each["path"]).removeprefix(f"jobs/{job_id}/"): str(each["e_tag"]) for each in chunk}
        return found

    def _fetch(self, job_id: str, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")  # put in place at once, and never written through a link
        with fresh.open("wb") as copy:
            for block in self._obstore.get(self._bucket, _key(job_id, name)).stream():
                copy.write(block)
        fresh.replace(path)

    @contextmanager
    def _mirrored(self, job_id: str) -> Iterator[dict[str, _Known]]:
        """Yield what is known of each file of a job here, alone among all processes of this machine."""
        base = self._settings.data / _MIRROR
        base.mkdir(parents=True, exist_ok=True)
        path = base / f"{job_id}.json"
        with (base / f"{job_id}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            told: dict[str, list[Any]] = json.loads(path.read_bytes()) if path.is_file() else {}
            known = {name: _Known(*values) for name, values in told.items()}
            try:
                yield known
            finally:
                path.write_text(json.dumps({name: [k.size, k.changed_ns, k.tag] for name, k in known.items()}))


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was when it was last the same as its object, and the object's tag."""

    size: int
    changed_ns: int
    tag: str

    @staticmethod
    def of(path: Path, tag: str) -> _Known:
        facts = path.stat()
        return _Known(facts.st_size, facts.st_mtime_ns, tag)


def _key(job_id: str, name: str) -> str:
    return f"jobs/{job_id}/{name}"


def _is_kept(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name not in _NOT_KEPT


@contextmanager
def _as_os_errors(obstore: Any) -> Iterator[None]:
    """Tell faults of the bucket as those of any storage."""
    try:
        yield
    except obstore.exceptions.BaseError as error:
        msg = f"the bucket does not answer: {type(error).__name__}"
        raise OSError(msg) from error


@lru_cache(maxsize=8)
def artifacts_of(settings: Settings) -> Artifacts:
    """Return where jobs' folders are kept.

    Raises
    ------
    UnavailableError
        If a bucket is named and the library for it is not installed, or the address is none.
    """
    if settings.artifacts is None:
        return FolderArtifacts(settings)
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - optional
        from obstore.store import from_url  # noqa: PLC0415 - as above
    except ImportError:
        msg = "Keeping artifacts in a bucket needs: pip install 'shanlu[s3]'."
        raise UnavailableError(msg) from None
    try:
        return BucketArtifacts(settings, from_url(settings.artifacts))
    except (BaseError, ValueError) as error:
        msg = f"{settings.artifacts} is no bucket that can be used: {error}"
        raise UnavailableError(msg) from None
