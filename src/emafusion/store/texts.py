"""Which texts are written down, which are only hashed, and what never is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from emafusion.domain.errors import BadInput

Prompts = Literal["full", "hash"]

OPENING_LENGTH = 80

# What providers quote back when they refuse a key: known beginnings, or anything called a key.
_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|nvapi|AIza|ema)[-_]?[\w*.-]{8,}"
    r"|(?i:(?<=bearer )|(?<=key: )|(?<=key=)|(?<=token: )|(?<=token=))[\w*.+/=-]{8,}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What becomes of a text on its way into the log.

    `full` keeps it; `hash` keeps of prompts, answers, verdicts and failure messages nothing but a
    hash, by which equal texts are recognised (and very short ones could be guessed).

    >>> Texts(prompts="full").keep("Hello"), Texts(prompts="hash").keep("Hello")
    ('Hello', None)
    """

    prompts: Prompts

    def __post_init__(self) -> None:
        """Refuse another word: a typo must not store what was meant to be hashed."""
        if self.prompts not in {"full", "hash"}:
            raise BadInput(f"must be full or hash, got {self.prompts}", where="prompts")

    def keep(self, text: str | None) -> str | None:
        """The text itself, where texts are kept."""
        return None if text is None or self.prompts == "hash" else storable(text)

    def hash(self, text: str | None) -> str | None:
        """Its hash, where texts are not kept."""
        return None if text is None or self.prompts == "full" else digest(text)

    def opening(self, text: str) -> str | None:
        """First words, on one line, where texts are kept."""
        kept = self.keep(text[: 2 * OPENING_LENGTH])
        return None if kept is None else " ".join(kept.split())[:OPENING_LENGTH]

    def message(self, text: str | None) -> str | None:
        """A failure's message without anything that looks like a key, where texts are kept."""
        kept = self.keep(text)
        return None if kept is None else without_secrets(kept)


def digest(text: str) -> str:
    """Hash of a text, 32 hex digits.

    >>> digest("Hello") == digest("Hello"), len(digest(""))
    (True, 32)
    """
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def storable(text: str) -> str:
    r"""The text with lone surrogates replaced: UTF-8, so neither JSON nor the file, has them.

    >>> storable("a\ud800b")
    'a?b'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def without_secrets(message: str) -> str:
    """A message with everything that looks like a key struck out.

    >>> without_secrets("Incorrect API key provided: sk-abcd1234efgh5678.")
    'Incorrect API key provided: ***'
    """
    return _SECRET.sub("***", message)
