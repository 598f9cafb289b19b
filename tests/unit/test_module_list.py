"""The list of modules in the docs."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_names_every_module() -> None:
    """Tests that docs/reference/modules.md equals what the modules say now, and that each says something."""
    made = runpy.run_path(str(ROOT / "docs" / "module_list.py"))
    assert made["PAGE"].read_text(encoding="utf-8") == made["render_modules"](), "run: python docs/module_list.py"
    assert "|  |" not in made["render_modules"]()
