"""Which conversation a request belongs to, where its client does not say.

Each turn sends the whole conversation again, so its beginning names it: the system's words, the
tools, the first words of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from emafusion.domain.query import ImagePart, Message, Query, TextPart

DERIVED = "hash:"
"""How a session that was made of the words begins; one that a client gave does not."""


def session_of(query: Query, /) -> str:
    """The session by the query's own words: the same in every turn of a conversation.

    >>> from emafusion.domain.query import ask
    >>> len(session_of(ask("Hello"))), session_of(ask("Hello")) == session_of(ask("Bye"))
    (29, False)
    """
    said = blake2b(digest_size=12)
    for piece in _beginning(query):
        said.update(b"%d:" % len(piece))
        said.update(piece)
    return DERIVED + said.hexdigest()


def is_derived(session: str, /) -> bool:
    """Whether a session was made of the words, not given.

    >>> is_derived("hash:9d6a3f4d5d2c6c9a1a5dd2f8"), is_derived("talk-7")
    (True, False)
    """
    return session.startswith(DERIVED)


def _beginning(query: Query) -> Iterator[bytes]:
    for tool in query.tools:
        yield tool.name.encode("utf-8", "replace")
        yield tool.description.encode("utf-8", "replace")
        yield tool.schema or b""
    for message in query.messages:
        yield message.role.encode()
        yield from _said(message)
        if message.role == "user":
            return


def _said(message: Message) -> Iterator[bytes]:
    for part in message.parts:
        match part:
            case TextPart():
                yield part.text.encode("utf-8", "replace")
            case ImagePart():
                yield part.url.encode("utf-8", "replace")
            case _:
                yield part.raw
