"""The notebooks are stored without outputs, and their cells run from top to bottom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


class Cell(msgspec.Struct, forbid_unknown_fields=True):
    """A cell as version 4.5 of the format has it."""

    id: str
    cell_type: str
    source: list[str]
    metadata: dict[str, str]
    execution_count: None = None
    outputs: list[str] = []


class Notebook(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    cells: list[Cell]
    metadata: dict[str, dict[str, str]]
    nbformat: int
    nbformat_minor: int


def read(path: Path) -> Notebook:
    """A notebook; anything that does not belong in one is an error."""
    return msgspec.json.decode(path.read_bytes(), type=Notebook)


def test_there_are_notebooks() -> None:
    """Each is named in the list of examples."""
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) >= 3
    assert [path.name for path in NOTEBOOKS if f"`{path.name}`" not in listed] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_bare(path: Path) -> None:
    """No output, no counter, no trace of a machine, in the plainest form of the format."""
    notebook = read(path)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in notebook.cells:
        assert cell.cell_type in {"code", "markdown"}
        assert (cell.outputs, cell.metadata) == ([], {})
    whole = json.loads(path.read_bytes())
    assert (
        path.read_text(encoding="utf-8") == f"{json.dumps(whole, indent=1, ensure_ascii=False)}\n"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_cells_run(path: Path, tmp_path: Path) -> None:
    """In a process of their own, in an empty folder, warnings are errors; they print something."""
    cells = ["".join(cell.source) for cell in read(path).cells if cell.cell_type == "code"]
    script = tmp_path / f"{path.stem}.py"
    script.write_text("\n\n".join(cells), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 5
    assert [child.name for child in tmp_path.iterdir()] == [script.name]
