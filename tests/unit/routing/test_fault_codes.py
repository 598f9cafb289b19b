"""The list of fault codes is exactly what the code can report."""

import ast
import re
from pathlib import Path

from routing.fault_codes import FaultCode

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for folder in ("geodata", "routing", "api")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(ROOT / "routing/checker") and path.name not in ("explain.py", "fault_codes.py")
]
"""Modules that report faults; the checker's codes are of violations, those of ``explain.py`` of unassigned orders."""
CODE = re.compile(r"[A-Z][A-Z_]{2,}")
FAULT_MAKERS = {"Fault", "_fault", "fault", "warn", "_warn_row", "wrong", "_known", "CellError"}


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts(node: ast.expr) -> set[str]:
    """Return the codes a literal, or a choice between literals, can be."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    is_code = isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    return {node.value} if is_code else set()


def codes_in(tree: ast.Module) -> set[str]:
    """Return every code that a module names: in calls that make faults, by `code =`, as default or by `FaultCode`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "FaultCode":
            found.add(node.attr)
        elif isinstance(node, ast.Call) and name_of(node.func) == "orphan":
            kind = node.args[2]
            assert isinstance(kind, ast.Constant)
            found.add(f"UNKNOWN_{kind.value.upper()}")
        elif isinstance(node, ast.Call) and name_of(node.func) in FAULT_MAKERS:
            for value in [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]:
                found |= texts(value)
        elif isinstance(node, ast.Assign) and any(name_of(target) == "code" for target in node.targets):
            found |= texts(node.value)
        elif isinstance(node, ast.arguments):
            for argument, default in zip(node.args[::-1], node.defaults[::-1], strict=False):
                found |= texts(default) if argument.arg == "code" else set()
    return found


def test_codes_and_their_list_agree() -> None:
    """Tests that every code a module can report is listed, and every code listed is reported by some module."""
    used = {path: codes_in(ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES}
    known = {code.name for code in FaultCode}
    unlisted = {str(path.relative_to(ROOT)): codes - known for path, codes in used.items() if codes - known}
    assert unlisted == {}
    assert known - set().union(*used.values()) == set()


def test_the_search_finds_codes_of_every_kind() -> None:
    """Tests that the search itself sees literals, choices, defaults, members and references."""
    text = """
def f(code="A_DEFAULT"):
    code = "A_CHOICE" if x else "ANOTHER"
    Fault("A_LITERAL", "NOT-A-CODE"); Fault(code="A_KEYWORD", file="A_FILE"); g(FaultCode.MEMBER)
    orphan(row, "stop_id", "stop", stops); self._fault("IN_PLACE" if x else "OTHERWISE"); print("NO_FAULT")
"""
    expected = "A_DEFAULT A_CHOICE ANOTHER A_LITERAL A_KEYWORD MEMBER UNKNOWN_STOP IN_PLACE OTHERWISE"
    assert codes_in(ast.parse(text)) == set(expected.split())


def test_codes_say_what_they_mean() -> None:
    """Tests that every code is its own name and has a meaning and a remedy that are sentences."""
    for code in FaultCode:
        assert code.name == code.value
        assert code.text.endswith(".")
        assert code.remedy.endswith(".")
