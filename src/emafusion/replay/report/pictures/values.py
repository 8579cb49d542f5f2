"""A Vega-Lite specification as a plain value, and the pieces that all pictures are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from emafusion.replay.report.colours import INK, LINE, PAPER, SOFT

Value = str | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Spec = Mapping[str, Value]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

CONFIG: Spec = {
    "background": PAPER,
    "font": FONT,
    "view": {"stroke": LINE},
    "axis": {
        "labelColor": INK, "titleColor": INK, "gridColor": LINE, "domainColor": LINE,
        "tickColor": LINE, "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 12,
        "titlePadding": 8,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal",
               "labelFontSize": 11, "titleFontSize": 11, "symbolStrokeColor": SOFT},
    "title": {"color": INK, "subtitleColor": SOFT, "anchor": "start", "fontSize": 14,
              "subtitleFontSize": 12},
    "text": {"color": INK, "fontSize": 11},
}  # fmt: skip


def number(field: str, title: str | None, **parts: Value) -> Value:
    """A quantitative channel. `format`: of its axis; `scale`, `axis`: as in Vega-Lite."""
    return {"field": field, "type": "quantitative", "title": title, **parts}


TOLD: Spec = {"description": {"field": "told"}}
"""Channel of what a mark tells when it is hovered over, and to a screen reader: a field."""


def silent(mark: Spec) -> Spec:
    """A mark that screen readers pass over and that has nothing to tell."""
    return {**mark, "aria": False}


def rows(values: Sequence[Value]) -> Value:
    """Data of a picture."""
    return {"values": values}


def choice(names: Sequence[str]) -> str:
    r"""An expression that turns a place on an axis into its name.

    A JSON string is a string of Vega's expressions, too, but for two separators of lines.

    >>> print(choice(['say "a"', "b"]))
    ["say \"a\"","b"][datum.value]
    """
    names_told = msgspec.json.encode(list(names)).decode()
    for separator in ("\u2028", "\u2029"):
        names_told = names_told.replace(separator, " ")
    return f"{names_told}[datum.value]"


def tell(*parts: str) -> str:
    """Lines of a description. They are shown one below the other, and read one after another.

    >>> tell("gpt", "", "72 %")
    'gpt; 72 %'
    """
    return "; ".join(part for part in parts if part)
