"""Colours of the pictures: Okabe and Ito's, which all eyes tell apart.

Nothing is said by red against green, and text is always ink. In the dark a style sheet puts the
darker side's colours in the place of these, by their value: `DARK` says which.
"""

from __future__ import annotations

INK, SOFT, LINE, PAPER = "#1c2024", "#5a6169", "#d8dce0", "#ffffff"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767d85"
MODELS = ("#0073b3", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d65e00")
"""Of the models in a stack of shares, in the light and in the dark alike; the others together are
`OTHERS`. The first and the last are a shade off `BLUE` and `ORANGE`, which do change."""

CURVES = ("#b35f8c", "#00855f", "#a66f00")
"""Of other policies, beside the dial; their names stand at their ends."""

OTHERS = "#9aa1a8"
FRAME = "#d65e00"
"""Around cells of a heat map, in the light and in the dark alike."""

LIGHT_TEXT, DARK_TEXT = "#fffffe", "#000001"
"""On the cells of a heat map, in the light and in the dark alike."""

DARK = {INK: "#e8eaed", SOFT: "#a9b0b8", LINE: "#3a4047", PAPER: "#121416",
        BLUE: "#56b4e9", ORANGE: "#f0a860", GREY: "#98a0a8"}  # fmt: skip


def dark_rules() -> str:
    """Rules of a style sheet that turn the colours of a picture round.

    >>> dark_rules().splitlines()[0]
    '.picture [fill="#1c2024"] { fill: #e8eaed; }'
    """
    return "\n".join(
        f'.picture [{side}="{light}"] {{ {side}: {dark}; }}'
        for light, dark in DARK.items()
        for side in ("fill", "stroke")
    )
