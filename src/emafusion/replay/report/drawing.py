"""From a specification to a picture: SVG for the page, PNG for all else. One library does both."""

from __future__ import annotations

import re

from emafusion.domain.errors import Unready
from emafusion.replay.report.pictures.values import CONFIG, SCHEMA, Spec, Value

SCALE = 2.0
"""Pixels a point: pictures stay sharp on screens of today."""

NEEDED = "a report needs vl-convert-python: pip install 'emafusion[train]'"


def check_drawing() -> None:
    """Raise `Unready` where pictures cannot be drawn."""
    from importlib.util import find_spec

    if find_spec("vl_convert") is None:
        raise Unready(NEEDED)


def svg(spec: Spec, *, name: str) -> str:
    """A picture as an element of a page, as wide as it is at most. `name`: makes its ids its own.

    Vega escapes what it writes; nothing in it is a script or fetches anything.
    """
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_whole(spec), allowed_base_urls=[])
    own = re.sub(r'(\bid="|url\(#)', rf"\g<1>{name}-", drawn)
    return own.replace(' version="1.1" class="marks"', "", 1)


def png(spec: Spec) -> bytes:
    """A picture as a file."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(_whole(spec), scale=SCALE, allowed_base_urls=[])
    return drawn


def _whole(spec: Spec) -> dict[str, Value]:
    return {"$schema": SCHEMA, "padding": 6, "config": CONFIG, **spec}
