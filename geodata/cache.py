"""Products kept on disk under the digest of every input and parameter they were made from."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import pickle
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")
HELD_PRODUCTS = 32
"""Products that a process which plans all day holds: what two or three areas consist of."""


@functools.cache
def code_digest() -> str:
    """Return a digest of all code and data of this package: what another version of it cached is never read."""
    package = Path(__file__).resolve().parent
    sources = sorted(path for path in package.rglob("*") if path.suffix in {".py", ".toml"})
    digest = hashlib.sha256(f"python {sys.version_info[:2]}".encode())
    for path in sources:
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def default_cache_folder() -> Path:
    """Return ``$SHANLU_CACHE`` where set, else ``shanlu`` in the user's cache folder (XDG)."""
    chosen = os.environ.get("SHANLU_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "shanlu"


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits; of a folder, over its files' names and digests.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if path.is_dir():
        files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{name}\0{file_digest(file)}\n" for name, file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Cache:
    """Computes a product once and reads it back as long as its key stays the same.

    Entries are pickles: the folder is the user's own and is trusted like the program itself. A damaged entry is
    computed again; writes are atomic, so that a reader never sees half an entry; a folder that cannot be written
    costs the speed-up and nothing else.

    Parameters
    ----------
    folder
        Where entries are kept; None switches caching off.
    held
        How many products used last stay in memory as well. Whoever asks again gets the same object, so products must
        not be changed.
    """

    def __init__(self, folder: Path | None, held: int = 0) -> None:
        self.folder = folder
        self._most_held = held
        self._held: OrderedDict[Path, object] = OrderedDict()

    def get(self, kind: str, key: Mapping[str, object], compute: Callable[[], T]) -> T:
        """Return the product of `kind` for `key`, computing and storing it if there is no sound entry.

        Parameters
        ----------
        kind
            Short name of the product (letters, digits, hyphens); part of the file name.
        key
            Everything the product depends on: file digests, parameters, dates. Must be JSON-ready.
        compute
            Makes the product when it is not there. Its result must be picklable.

        Raises
        ------
        TypeError
            If the key holds values JSON cannot express.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f"{kind}-{_key_digest(kind, key)}.pickle"
        if path in self._held:
            self._held.move_to_end(path)
            return cast("T", self._held[path])
        found, product = _read_entry(path)
        if not found:
            product = compute()
            _write_entry(path, product)
        self._hold(path, product)
        return cast("T", product)

    def hold(self, kind: str, key: Mapping[str, object], compute: Callable[[], T]) -> T:
        """Return the product of `kind` for `key` as `get` does, but keep it in memory only."""
        path = Path(f"{kind}-{_key_digest(kind, key)}")
        if path not in self._held:
            self._hold(path, product := compute())
            return product
        self._held.move_to_end(path)
        return cast("T", self._held[path])

    def _hold(self, path: Path, product: object) -> None:
        self._held[path] = product
        while len(self._held) > self._most_held:
            self._held.popitem(last=False)


def _key_digest(kind: str, key: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical JSON of a key and the code version."""
    text = json.dumps({"kind": kind, "code": code_digest(), "key": dict(key)}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read_entry(path: Path) -> tuple[bool, object]:
    """Return (True, product) of a sound entry; (False, None) where there is none."""
    try:
        with path.open("rb") as stream:
            return True, pickle.load(stream)  # noqa: S301 - our own file, see the class docstring
    except FileNotFoundError:
        return False, None
    except Exception:  # noqa: BLE001 - unpickling damaged bytes may raise anything; the entry is then made anew
        return False, None


def _write_entry(path: Path, product: object) -> None:
    """Write an entry under a temporary name and move it into place; a full or read-only disk is no error."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".part", delete=False) as stream:
            temporary = Path(stream.name)
            pickle.dump(product, stream, protocol=pickle.HIGHEST_PROTOCOL)
        temporary.replace(path)
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
