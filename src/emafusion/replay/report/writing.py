"""Writing a report: the ending of the file says what it is. Whole or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.replay.report.drawing import check_drawing, png, svg
from emafusion.replay.report.figures import Report
from emafusion.replay.report.page import Drawn, page
from emafusion.replay.report.pictures.all import FLUID, NARROW, specs
from emafusion.replay.report.pictures.sheet import sheet
from emafusion.store.artifact_files import whole_file

ENDINGS = (".html", ".png", ".json")


def check_report(path: Path) -> None:
    """Raise for what can be seen to be wrong before there is a report.

    `BadInput`: an ending that is none, no such folder; `Unready`: pictures cannot be drawn here.
    """
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"must end in {', '.join(ENDINGS)}", where=str(path))
    if not path.parent.is_dir():
        raise BadInput("cannot be written: its folder does not exist", where=str(path))
    if path.suffix.lower() != ".json":
        check_drawing()


def write_report(report: Report, path: Path) -> tuple[Path, ...]:
    """Write a report, and return the files made.

    `.html`: one page; `.json`: its figures; `.png`: a sheet of all pictures, and beside it each of
    them alone, `NAME-curve.png` and so on.

    Raises:
        BadInput: the ending is none of these, there is nothing to draw, or it cannot be written.
        Unready: pictures cannot be drawn here; the message says what is missing.
    """
    check_report(path)
    made = {".json": _json, ".html": _html, ".png": _png}[path.suffix.lower()](report, path)
    try:
        for place, content in made.items():
            whole_file(place, content)
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", where=str(path)) from error
    return tuple(made)


def _json(report: Report, path: Path) -> dict[Path, bytes]:
    return {path: msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"}


def _html(report: Report, path: Path) -> dict[Path, bytes]:
    narrow = specs(report, width=NARROW)
    pictures = {
        name: Drawn(
            wide=svg(spec, name=f"{name}-w"),
            narrow=svg(narrow[name], name=f"{name}-n") if name in FLUID else None,
        )
        for name, spec in specs(report).items()
    }
    return {path: page(report, pictures).encode("utf-8", "replace")}


def _png(report: Report, path: Path) -> dict[Path, bytes]:
    drawn = specs(report)
    if not drawn:
        raise BadInput("nothing to draw: neither accuracy nor a choice is known", where=str(path))
    alone = {path.with_stem(f"{path.stem}-{name}"): png(spec) for name, spec in drawn.items()}
    return {path: png(sheet(report, drawn)), **alone}
