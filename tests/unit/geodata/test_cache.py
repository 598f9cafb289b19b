"""Unit tests of geodata.cache."""

from pathlib import Path

import pytest

from geodata.cache import Cache, default_cache_folder, file_digest


class Counted:
    """A product that counts how often it was made."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, int]:
        self.calls += 1
        return {"made": self.calls}


def test_product_is_computed_once_per_key(tmp_path: Path) -> None:
    """Tests that an equal key reads the product back, whatever the order of its parts."""
    make = Counted()
    cache = Cache(tmp_path / "new" / "folder")
    assert cache.get("thing", {"a": 1, "b": "x"}, make) == {"made": 1}
    assert Cache(cache.folder).get("thing", {"b": "x", "a": 1}, make) == {"made": 1}


def test_other_key_or_kind_is_another_product(tmp_path: Path) -> None:
    """Tests that nothing is mixed up between keys and kinds."""
    make = Counted()
    cache = Cache(tmp_path)
    cache.get("thing", {"a": 1}, make)
    cache.get("thing", {"a": 2}, make)
    cache.get("other", {"a": 1}, make)
    assert make.calls == 3


def test_the_code_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that what other code cached is not read."""
    make = Counted()
    cache = Cache(tmp_path)
    cache.get("thing", {}, make)
    monkeypatch.setattr("geodata.cache.code_digest", lambda: "another")
    assert cache.get("thing", {}, make) == {"made": 2}


@pytest.mark.parametrize("damage", [b"", b"not a pickle", b"\x80\x05]"])
def test_damaged_entry_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    """Tests that a broken entry is computed and written again."""
    make = Counted()
    cache = Cache(tmp_path)
    cache.get("thing", {}, make)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage)
    assert cache.get("thing", {}, make) == {"made": 2}
    assert cache.get("thing", {}, make) == {"made": 2}


def test_held_products_are_the_same_objects(tmp_path: Path) -> None:
    """Tests that those used last stay in memory, so many as wanted, and that others are read from disk again."""
    make = Counted()
    cache = Cache(tmp_path, held=2)
    first, second = (cache.get("thing", {"a": k}, make) for k in (1, 2))
    assert cache.get("thing", {"a": 1}, make) is first
    cache.get("thing", {"a": 3}, make)
    assert cache.get("thing", {"a": 1}, make) is first
    again = cache.get("thing", {"a": 2}, make)
    assert again == second
    assert again is not second
    assert make.calls == 3


def test_nothing_is_held_unless_asked_for(tmp_path: Path) -> None:
    """Tests that without it every reading gives an object of its own."""
    cache = Cache(tmp_path)
    found = [cache.get("thing", {}, Counted()) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] is not found[1]


def test_no_folder_means_no_cache() -> None:
    """Tests that folder None computes every time."""
    make = Counted()
    cache = Cache(None)
    cache.get("thing", {}, make)
    assert cache.get("thing", {}, make) == {"made": 2}


def test_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    """Tests that the product comes even where it cannot be stored, and nothing is left behind."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert Cache(blocked / "cache").get("thing", {}, Counted()) == {"made": 1}
    assert list(tmp_path.iterdir()) == [blocked]


def test_failing_computation_leaves_nothing(tmp_path: Path) -> None:
    """Tests that an error passes through and no entry is written."""

    def fail() -> int:
        msg = "no"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError):
        Cache(tmp_path).get("thing", {}, fail)
    assert list(tmp_path.iterdir()) == []


def test_file_digest_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    """Tests the digest against the published SHA-256 of "abc"."""
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    assert file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_default_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests that SHANLU_CACHE wins over the user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("SHANLU_CACHE", raising=False)
    assert default_cache_folder() == tmp_path / "xdg" / "shanlu"
    monkeypatch.setenv("SHANLU_CACHE", str(tmp_path / "mine"))
    assert default_cache_folder() == tmp_path / "mine"
