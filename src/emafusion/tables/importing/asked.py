"""What was asked, as a table keeps it: one prompt, or messages in the form of OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from emafusion.tables.importing.reach import Json, items, reach, text
from emafusion.tables.jsonl import Fields


def asked(messages: Json, **besides: Json) -> Fields:
    """Cells `prompt` and `messages`; `besides`: what else the request held (`tools`, ...).

    A conversation of one user message is a prompt and no more.

    >>> asked([{"role": "user", "content": "Hi"}])
    {'prompt': 'Hi', 'messages': None}
    """
    turns = items(messages)
    extra = {name: value for name, value in besides.items() if value}
    prompt = next((said(turn) for turn in reversed(turns) if reach(turn, "role") == "user"), None)
    plain = len(turns) == 1 and isinstance(reach(turns[0], "content"), str)
    if not extra and plain and reach(turns[0], "role") == "user":
        return {"prompt": prompt, "messages": None}
    kept: Json = {"messages": turns, **extra} if extra else turns
    return {"prompt": prompt, "messages": msgspec.json.encode(kept).decode() if turns else None}


def said(turn: Json) -> str | None:
    """The text of a message: its content, or the text parts of it joined by newlines.

    >>> said({"content": [{"type": "text", "text": "a"}, {"type": "image_url"}]})
    'a'
    """
    content = reach(turn, "content")
    if isinstance(content, str):
        return content
    texts = [
        part if isinstance(part, str) else text(reach(part, "text")) for part in items(content)
    ]
    known = [each for each in texts if each is not None]
    return "\n".join(known) if known else None


def query_id_of(row: Fields) -> str:
    """A name made of what was asked, so that equal questions have equal names.

    Logs name calls, not questions; only so are the answers of several models to one comparable.
    """
    whole = msgspec.json.encode([row.get("prompt"), row.get("messages")])
    return f"q-{blake2b(whole, digest_size=8).hexdigest()}"


def mean_logprob(tokens: Json) -> float | None:
    """Mean of the log probabilities of tokens: a list of objects with `logprob`."""
    known: Sequence[float] = [
        float(value)
        for value in (reach(token, "logprob") for token in items(tokens))
        if isinstance(value, int | float)
    ]
    return sum(known) / len(known) if known else None
