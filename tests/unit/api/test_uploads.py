"""Uploads: every trick refused by name, honest folders unpacked."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from api.error_codes import ErrorCode
from api.problem_json import ApiError
from api.settings import Settings
from api.uploads import judge_file, unpack_scenario

SMALL = Settings(max_unpacked_bytes=200_000, max_upload_files=5)


def packed(*members: tuple[str, bytes], mode: int = 0) -> io.BytesIO:
    """Return a zip of members; `mode` is the Unix mode of all of them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    stream.seek(0)
    return stream


def reason_of(stream: io.BytesIO, target: Path) -> str:
    """Return why an upload is refused."""
    with pytest.raises(ApiError) as caught:
        unpack_scenario(stream, target, SMALL)
    assert caught.value.code is ErrorCode.UPLOAD_REFUSED
    return " ".join(fault.reason for fault in caught.value.faults)


def test_outer_folder_is_taken_off(tmp_path: Path) -> None:
    """Tests that a zipped folder and its zipped content unpack alike."""
    for top in ("", "county/"):
        target = tmp_path / f"to{len(top)}"
        unpack_scenario(packed((f"{top}scenario.toml", b"a"), (f"{top}terrain/t.tif", b"b")), target, SMALL)
        assert (target / "scenario.toml").read_bytes() == b"a"
        assert (target / "terrain" / "t.tif").read_bytes() == b"b"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil", "a\nb"], ids=repr)
def test_paths_that_lead_out(name: str, tmp_path: Path) -> None:
    """Tests that no name writes outside the folder."""
    assert "leads out" in reason_of(packed(("ok", b"x"), (name, b"x")), tmp_path / "to")
    assert not (tmp_path / "evil").exists()


def test_links_and_devices(tmp_path: Path) -> None:
    """Tests that symbolic links and devices are refused."""
    for kind in (stat.S_IFLNK, stat.S_IFCHR):
        assert "link or a device" in reason_of(packed(("a", b"/etc/passwd"), mode=kind | 0o777), tmp_path / "to")


def test_bombs(tmp_path: Path) -> None:
    """Tests that too many bytes, too many files and bombs within inner archives are refused."""
    assert "unpacks to" in reason_of(packed(("a", b"0" * 300_000)), tmp_path / "a")
    assert "files" in reason_of(packed(*((f"f{k}", b"x") for k in range(6))), tmp_path / "b")
    inner = packed(("stops.txt", b"0" * 300_000)).getvalue()
    assert "too much" in reason_of(packed(("scenario.toml", b""), ("timetable.zip", inner)), tmp_path / "c")


def test_sizes_that_lie(tmp_path: Path) -> None:
    """Tests that a member that states a smaller size than it has is refused, however it is noticed."""
    whole = packed(("a", b"0123456789" * 1_000)).getvalue()
    lying = io.BytesIO(whole.replace((10_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert reason_of(lying, tmp_path / "to")


def test_twice_the_same_name(tmp_path: Path) -> None:
    """Tests that names that differ in case only are refused: they are one file on some systems."""
    assert "twice" in reason_of(packed(("a.csv", b"1"), ("A.csv", b"2")), tmp_path / "to")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_xml(encoding: str, tmp_path: Path) -> None:
    """Tests that maps and workbooks that declare entities are refused."""
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><osm>&a;</osm>'.encode(encoding)
    assert "entities" in reason_of(packed(("area.osm", bomb)), tmp_path / "a")
    book = tmp_path / "orders.xlsx"
    book.write_bytes(packed(("xl/sharedStrings.xml", bomb)).getvalue())
    with pytest.raises(ApiError):
        judge_file(book, SMALL)


def test_no_zip(tmp_path: Path) -> None:
    """Tests that anything but a zip is refused as such."""
    assert "no usable zip" in reason_of(io.BytesIO(b"not a zip"), tmp_path / "to")
