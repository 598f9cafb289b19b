"""Writes ``docs/reference/modules.md``: every module with the first line of its docstring.

Run ``python docs/module_list.py`` after adding a module or changing its first line; a test keeps the page true.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "modules.md"
PACKAGES = ("geodata", "routing", "api")


def render_modules() -> str:
    """Return the page for the modules as they are now."""
    lines = [
        "# Modules",
        "",
        "Made by `python docs/module_list.py` from the first line of each module; do not edit by hand.",
    ]
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (ROOT / package).rglob("*.py")}):
            lines += ["", f"## {folder.relative_to(ROOT).as_posix()}", "", "| module | holds |", "|---|---|"]
            lines += [f"| `{path.name}` | {_first_line(path)} |" for path in sorted(folder.glob("*.py"))]
    return "\n".join(lines) + "\n"


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0].replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render_modules(), encoding="utf-8")
