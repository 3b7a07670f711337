"""Error codes are a contract: each has one exit status, and every place that raises keeps to it."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from rdna1_lock import errors
from rdna1_lock.codes import CODES, Exit

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "resolver" / "rdna1_lock"
CLASSES = {
    name: one.exit_status
    for name, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, errors.Error) and hasattr(one, "exit_status")
}


def raised() -> list[tuple[str, str, str]]:
    """Return (code, class, place) of every error that is made with a literal code."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, first = getattr(node.func, "id", ""), node.args[0]
            if name in CLASSES and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append((first.value, name, f"{path.name}:{node.lineno}"))
    return found


def test_every_place_keeps_to_the_table():
    places = raised()
    assert len(places) > 100
    for code, name, where in places:
        assert code in CODES, f"{where}: `{code}` is not in codes.py"
        assert CODES[code][0] == CLASSES[name], f"{where}: `{code}` with {name}"


def test_no_code_is_there_for_nothing():
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "codes.py")
    for code in CODES:
        assert f'"{code}"' in text, code


def test_the_page_is_made_from_the_table():
    module = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert module is not None
    assert module.loader is not None
    made = importlib.util.module_from_spec(module)
    module.loader.exec_module(made)
    assert (ROOT / "docs" / "errors.md").read_text() == made.errors_page()


@pytest.mark.parametrize("code", CODES)
def test_meanings_are_sentences(code: str):
    status, meaning = CODES[code]
    assert isinstance(status, Exit)
    assert meaning.endswith(".")
