"""The dispatch system's day of the documentation, run against a live server on this machine."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from api_world import free_port, make_tiny_scenario

ROOT = Path(__file__).resolve().parents[2]
SERVE = "from api.service_commands import serve; import typer\nif __name__ == '__main__': typer.run(serve)"


def test_a_dispatch_systems_day(tmp_path: Path) -> None:
    """Tests that the script plans, follows, reports a closed road and prints what changes."""
    make_tiny_scenario(tmp_path / "scenarios" / "tiny")
    (tmp_path / "serve_it.py").write_text(SERVE, encoding="utf-8")
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHANLU_CACHE": str(tmp_path / "cache")}
    options = ["--data", "data", "--scenarios", "scenarios", "--port", str(port)]
    command = [sys.executable, "serve_it.py", *options]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/ready")
        script = [sys.executable, str(ROOT / "docs/howto/dispatch_day.py"), f"http://127.0.0.1:{port}", "tiny"]
        done = subprocess.run(script, capture_output=True, text=True, timeout=200, check=False)
    finally:
        server.terminate()
        server.wait(timeout=30)
    log_text = (tmp_path / "log").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr + log_text[-3000:]
    assert done.stdout.splitlines()[-1] == "planned"
    assert "price of stability" in done.stdout


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
