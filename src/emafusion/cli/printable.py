"""Texts of others on a terminal: nothing in them may move the cursor or recolour the screen."""

from __future__ import annotations

import re

# Control characters but for tab and newline, and those that turn the direction of writing.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text with a visible mark for whatever a terminal would obey.

    >>> printable("red \x1b[31m alert\n")
    'red \ufffd[31m alert\n'
    """
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    r"""The printable text on one line.

    >>> one_line("a\n  b")
    'a b'
    """
    return " ".join(printable(text).split())
