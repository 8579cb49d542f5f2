"""Writing a report: the ending of the file says what it is. Whole or not at all."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from emafusion.domain.errors import BadInput, Unready
from emafusion.replay.report.charts import charts
from emafusion.replay.report.figures import Report
from emafusion.replay.report.page import page
from emafusion.replay.report.whole import write_whole

if TYPE_CHECKING:
    from emafusion.replay.report.charts import Spec

ENDINGS = (".html", ".png", ".json")
SCALE = 2.0
"""Pixels a point: pictures stay sharp on screens of today."""


def check_ending(path: Path) -> None:
    """Raise `BadInput` for an ending that is none, `Unready` where pictures cannot be drawn."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"must end in {', '.join(ENDINGS)}", where=str(path))
    if path.suffix.lower() != ".json" and find_spec("vl_convert") is None:
        raise Unready("a report needs vl-convert-python: pip install 'emafusion[train]'")


def write_report(report: Report, path: Path) -> tuple[Path, ...]:
    """Write a report, and return the files made.

    `.html`: one page; `.json`: its figures; `.png`: a picture each, `NAME-curve.png` and so on.
    """
    check_ending(path)
    kind = path.suffix.lower()
    if kind == ".json":
        write_whole(path, msgspec.json.format(msgspec.json.encode(report), indent=2))
        return (path,)
    specs = charts(report)
    if kind == ".html":
        write_whole(path, page(report, specs, _script()).encode())
        return (path,)
    made = [(path.with_stem(f"{path.stem}-{name}"), _png(spec)) for name, spec in specs.items()]
    for picture, content in made:
        write_whole(picture, content)
    return tuple(picture for picture, _ in made)


def _png(spec: Spec) -> bytes:
    import vl_convert

    config = {"background": "white", "axis": {"titleFontWeight": "normal"}}
    drawn: bytes = vl_convert.vegalite_to_png({**spec, "config": config}, scale=SCALE)
    return drawn


def _script() -> str:
    """JavaScript that defines `vegaEmbed`, from the library, so that no network is needed."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script")
