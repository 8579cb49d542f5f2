"""Texts of strangers as HTML: nothing in them is markup, and code looks like code."""

from __future__ import annotations

import re
from html import escape

MOST = 6_000
"""Characters of a text that are shown before one asks for the rest."""

_FENCE = re.compile(
    r"^(?:```|~~~)[^\n`]*\n(.*?)(?:^(?:```|~~~)[ \t]*$\n?|\Z)", re.MULTILINE | re.DOTALL
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str) -> str:
    r"""A text as HTML, the end of a long one folded away.

    >>> shown("a <b>\n```py\nx = 1\n```\n")
    '<p>a &lt;b&gt;</p><pre><code>x = 1\n</code></pre>'
    """
    plain = _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n"))
    if not plain.strip():
        return '<p class="soft">(empty)</p>'
    if len(plain) <= MOST * 1.25:
        return _blocks(plain)
    rest = len(plain) - MOST
    return (
        f"{_blocks(plain[:MOST])}<details><summary>Show the other {rest:,} characters</summary>"
        f"{_blocks(plain[MOST:])}</details>"
    )


def _blocks(text: str) -> str:
    """Prose and fenced code in turn."""
    pieces = _FENCE.split(text)
    return "".join(
        f"<pre><code>{escape(piece)}</code></pre>" if place % 2 else _prose(piece)
        for place, piece in enumerate(pieces)
    )


def _prose(text: str) -> str:
    text = text.strip("\n")
    return f"<p>{escape(text)}</p>" if text.strip() else ""
