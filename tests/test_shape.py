"""Small and shallow: bounds on files and functions, and a reason for every exception to a rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

MAX_FILE_LINES = 400
MAX_CODE_LINES = 60
SILENCED = re.compile(r"#\s*(noqa|type: ignore|pyright: ignore)(?P<rest>.*)")
EXPLAINED = re.compile(r"(: [A-Z0-9, ]+|\[[\w, -]+\]) +[#-] \w")


def _package() -> Path:
    spec = find_spec("emafusion")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


FILES = [(path.relative_to(_package()).as_posix(), path) for path in _package().rglob("*.py")]


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, its docstring left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            body = node.body[1:] if documented else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_file_holds_one_idea() -> None:
    """No file is so long that it must hold several."""
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES}
    assert not {name: count for name, count in lines.items() if count > MAX_FILE_LINES}


def test_a_function_does_one_thing() -> None:
    """No function is so long that it must do several."""
    lines = {
        (name, function): count for name, path in FILES for function, count in _functions(path)
    }
    assert not {name: count for name, count in lines.items() if count > MAX_CODE_LINES}


def test_a_silenced_check_says_which_and_why() -> None:
    """A comment that silences a tool carries its code and a reason."""
    for name, path in FILES:
        for line in path.read_text(encoding="utf-8").splitlines():
            found = SILENCED.search(line)
            assert found is None or EXPLAINED.match(found["rest"]), f"{name}: {line.strip()}"
