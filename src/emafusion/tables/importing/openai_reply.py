"""Bodies of OpenAI's answers (chat, responses, completions) -> the texts in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emafusion.tables.importing.asked import mean_logprob, said
from emafusion.tables.importing.reach import Json, items, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `response`: None where the model only called tools."""

    response: str | None
    mean_logprob: float | None = None


def replies_of(body: Json) -> Iterator[Reply]:
    """Each answer of a body: several where several were asked for at once.

    >>> [
    ...     reply.response
    ...     for reply in replies_of({"choices": [{"message": {"content": "4"}}, {"text": "5"}]})
    ... ]
    ['4', '5']
    """
    if isinstance(body, str):
        yield Reply(response=body)
    for choice in items(reach(body, "choices")):
        plain = reach(choice, "text")
        text = plain if isinstance(plain, str) else said(reach(choice, "message"))
        yield Reply(response=text, mean_logprob=mean_logprob(reach(choice, "logprobs", "content")))
    written = [turn for turn in items(reach(body, "output")) if reach(turn, "type") == "message"]
    texts = [text for text in map(said, written) if text is not None]
    if texts:
        yield Reply(response="\n".join(texts))
    if reach(body, "type") == "message":  # Anthropic's
        yield Reply(response=said(body))
