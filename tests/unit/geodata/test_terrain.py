"""Tests of reading elevation tiles."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from geodata.errors import InputError
from geodata.terrain import Terrain, read_terrain, write_geotiff


def write_hgt(path: Path, heights: np.ndarray) -> Path:
    path.write_bytes(heights.astype(">i2").tobytes())
    return path


def plane_hgt(lon: int, lat: int) -> np.ndarray:
    """A tile whose height is linear in longitude and latitude: bilinear interpolation is exact on it."""
    rows, cols = np.mgrid[0:1201, 0:1201]
    return np.rint(100.0 * (lon + cols / 1200) + 600.0 * (lat - 41 - rows / 1200))


def codes(paths: list[Path], bbox: tuple[float, float, float, float] | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_terrain(paths, bbox)
    return [fault.code for fault in caught.value.faults]


def test_reads_hgt_samples_exactly(tmp_path: Path) -> None:
    """Tests that samples of an .hgt tile are taken over where they lie, not shifted or interpolated."""
    heights = np.random.default_rng(1).integers(0, 3000, (1201, 1201))
    terrain = read_terrain([write_hgt(tmp_path / "N42E001.hgt", heights)], (1.4, 42.4, 1.5, 42.5))
    row, col = round((43 - terrain.north) * 1200), round((terrain.west - 1) * 1200)
    rows, cols = terrain.heights_m.shape
    np.testing.assert_allclose(terrain.heights_m, heights[row : row + rows, col : col + cols], atol=1e-6)
    assert terrain.elevation_m(1 + 500 / 1200, 43 - 700 / 1200) == pytest.approx(heights[700, 500], abs=1e-6)


def test_interpolates_bilinearly() -> None:
    """Tests that heights between samples are the bilinear mean of their four neighbours."""
    terrain = Terrain(10.0, 50.0, 0.1, 0.1, np.array([[0, 10], [20, 70]], dtype=np.float32))
    assert terrain.elevation_m(10.05, 49.95) == pytest.approx(25.0)
    assert terrain.elevation_m(10.025, 50.0) == pytest.approx(2.5)


def test_outside_is_nan() -> None:
    """Tests that a point outside the samples' area has no height, and one in the half step around them has."""
    terrain = Terrain(10.0, 50.0, 0.1, 0.1, np.ones((3, 3), dtype=np.float32))
    found = terrain.elevation_m(np.array([9.9, 10.06, 9.96]), np.array([49.9, 50.06, 50.04]))
    assert np.isnan(found[:2]).all()
    assert found[2] == 1.0
    assert terrain.covers(9.96, 49.8, 10.2, 50.0)
    assert not terrain.covers(9.9, 49.8, 10.2, 50.0)


def test_merges_tiles_in_a_zip(tmp_path: Path) -> None:
    """Tests that two tiles, one zipped, join without a seam."""
    west = write_hgt(tmp_path / "N42E001.hgt", plane_hgt(1, 42))
    with zipfile.ZipFile(tmp_path / "N42E002.hgt.zip", "w") as archive:
        archive.writestr("N42E002.hgt", plane_hgt(2, 42).astype(">i2").tobytes())
    terrain = read_terrain([west, tmp_path / "N42E002.hgt.zip"], (1.9, 42.4, 2.1, 42.5))
    lon = np.linspace(1.9, 2.1, 77)
    np.testing.assert_allclose(terrain.elevation_m(lon, 42.45), 100 * lon + 600 * 0.45, atol=1.0)


def test_reads_other_coordinate_systems(tmp_path: Path) -> None:
    """Tests that a raster in UTM metres gives the heights at the places they belong to."""
    rows, cols = np.mgrid[0:400, 0:400]
    path = tmp_path / "utm.tif"
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, width=400, height=400, crs="EPSG:32631",
        transform=Affine(50, 0, 370_000, 0, -50, 4_720_000),
    ) as dataset:  # fmt: skip
        dataset.write((cols * 2.0 + rows * 3.0).astype(np.float32), 1)
    terrain = read_terrain([path])
    to_utm = rasterio.warp.transform("EPSG:4326", "EPSG:32631", [1.5, 1.55], [42.55, 42.6])
    col, row = (np.array(to_utm[0]) - 370_025) / 50, (4_719_975 - np.array(to_utm[1])) / 50
    np.testing.assert_allclose(terrain.elevation_m([1.5, 1.55], [42.55, 42.6]), col * 2 + row * 3, atol=2.0)


@pytest.mark.parametrize("void", [-32768, np.nan, -9999.0])
def test_fills_voids_before_interpolating(tmp_path: Path, void: float) -> None:
    """Tests that voids of any marking take heights of their surroundings and leak into none."""
    heights = np.full((60, 60), 1000.0, dtype=np.float32)
    heights[20:30, 20:45] = void
    path = tmp_path / "void.tif"
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, width=60, height=60, crs="EPSG:4326", nodata=-9999.0,
        transform=Affine(0.001, 0, 1.0, 0, -0.001, 43.0),
    ) as dataset:  # fmt: skip
        dataset.write(heights, 1)
    terrain = read_terrain([path])
    np.testing.assert_allclose(terrain.heights_m, 1000.0, atol=0.01)
    assert terrain.void_share == pytest.approx(250 / 3600)


def test_geotiff_round_trip(tmp_path: Path) -> None:
    """Tests that a written terrain is read back bit by bit."""
    heights = np.random.default_rng(2).normal(900, 200, (40, 55)).astype(np.float32)
    terrain = Terrain(102.5, 27.5, 1 / 1200, 1 / 1200, heights)
    write_geotiff(terrain, tmp_path / "t.tif")
    again = read_terrain([tmp_path / "t.tif"])
    np.testing.assert_array_equal(again.heights_m, heights)
    assert again.west == pytest.approx(terrain.west, abs=1e-12)
    assert again.north == pytest.approx(terrain.north, abs=1e-12)


def test_all_bad_files_are_named_at_once(tmp_path: Path) -> None:
    """Tests that a missing and a broken tile are both reported."""
    (tmp_path / "broken.tif").write_text("no raster")
    assert codes([tmp_path / "absent.hgt", tmp_path / "broken.tif"]) == ["MISSING_FILE", "BROKEN_FILE"]
    assert codes([]) == ["TERRAIN_MISSING"]


def test_zip_without_tile_is_named(tmp_path: Path) -> None:
    """Tests that an archive without a raster, and one that is no archive, are reported as unreadable."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    (tmp_path / "b.zip").write_text("nothing")
    assert codes([tmp_path / "a.zip", tmp_path / "b.zip"]) == ["BROKEN_FILE"] * 2


def test_raster_without_crs_is_named(tmp_path: Path) -> None:
    """Tests that a raster nobody can place is refused."""
    with rasterio.open(
        tmp_path / "x.tif", "w", driver="GTiff", dtype="float32", count=1, width=4, height=4,
        transform=Affine(0.1, 0, 1.0, 0, -0.1, 43.0),
    ) as dataset:  # fmt: skip
        dataset.write(np.zeros((4, 4), dtype=np.float32), 1)
    assert codes([tmp_path / "x.tif"]) == ["TERRAIN_NO_CRS"]


def test_uncovered_part_is_named(tmp_path: Path) -> None:
    """Tests that the fault says which side of the area has no heights."""
    tile = write_hgt(tmp_path / "N42E001.hgt", plane_hgt(1, 42))
    with pytest.raises(InputError, match=r"its east between 2\.0004° and 2\.3000°"):
        read_terrain([tile], (1.5, 42.2, 2.3, 42.8))
    assert codes([tile], (5.0, 42.2, 5.3, 42.8)) == ["TERRAIN_NOT_COVERING"]


def test_hole_between_tiles_is_named(tmp_path: Path) -> None:
    """Tests that a tile missing from the middle of the area is found, though the outer ones reach round it."""
    tiles = [write_hgt(tmp_path / f"N42E00{k}.hgt", plane_hgt(k, 42)) for k in (1, 3)]
    with pytest.raises(InputError, match=r"longitude 2\.00\d\d° to 2\.99\d\d°"):
        read_terrain(tiles, (1.9, 42.4, 3.1, 42.5))


def test_nothing_but_voids_is_refused(tmp_path: Path) -> None:
    """Tests that a tile without any height is not filled from nothing."""
    assert codes([write_hgt(tmp_path / "N42E001.hgt", np.full((1201, 1201), -32768))]) == ["TERRAIN_VOID"]


def test_rejects_a_grid_too_small() -> None:
    """Tests that a single row is no terrain."""
    with pytest.raises(ValueError, match="2 × 2"):
        Terrain(0, 0, 1, 1, np.zeros((1, 5), dtype=np.float32))


@pytest.mark.real_data
def test_andorra_tile(shared_data: Path) -> None:
    """Tests that the SRTM tile of Andorra gives plausible heights with its voids filled."""
    terrain = read_terrain([shared_data / "andorra" / "N42E001.hgt.zip"], (1.41, 42.43, 1.79, 42.66))
    assert 0.0 < terrain.void_share < 0.01
    assert 700 < terrain.heights_m.min() < terrain.heights_m.max() < 3150
    assert terrain.elevation_m(1.5218, 42.5075) == pytest.approx(1030, abs=40)
