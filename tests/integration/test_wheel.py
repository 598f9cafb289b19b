"""The built wheel on its own: everything the demo needs is inside."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_plans_a_day_in_an_empty_folder(tmp_path: Path) -> None:
    """Tests that the wheel alone makes a synthetic county and plans it with map, manifests and data of its own."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed, empty = tmp_path / "installed", tmp_path / "empty folder"
    zipfile.ZipFile(wheel).extractall(installed)
    empty.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(installed), "SHANLU_CACHE": str(tmp_path / "cache")}

    def run(*arguments: str) -> str:
        code = "import sys, geodata, api.cli; print(geodata.__file__); sys.exit(api.cli.main())"
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=240, cwd=empty, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("scenario", "--synthetic", "small", "--orders", "12", "--out", "day")
    out = run("plan", "day", "--max-iterations", "1", "--out", "plan", "--lang", "zh")
    assert out.startswith(str(installed))
    assert json.loads((empty / "plan" / "plan.json").read_text(encoding="utf-8"))["orders"]
    assert (empty / "plan" / "map.html").stat().st_size > 1_000_000
    assert (empty / "plan" / "manifests" / "manifests.pdf").is_file()
