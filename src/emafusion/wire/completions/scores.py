"""Log-probabilities of tokens as `/v1/completions` writes them: lists side by side."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Reply, TokenLogprob


class _Other(Struct):
    token: str
    logprob: float


class _Score(Struct):
    top_logprobs: list[_Other] | None = None


class _Logprobs(Struct):
    content: Raw = Raw()


class _Choice(Struct):
    logprobs: _Logprobs | None = None


class _Chunk(Struct):
    choices: list[_Choice] = []


def scores_object(
    logprobs: tuple[TokenLogprob, ...], raw: Raw | None, /, *, offset: int
) -> dict[str, object]:
    """Make the object `logprobs`.

    `raw`: the same as an API like OpenAI's gave it, with other tokens at each place; `offset`:
    where in the text the first token begins.
    """
    offsets: list[int] = []
    for score in logprobs:
        offsets.append(offset)
        offset += len(score.token)
    return {
        "tokens": [score.token for score in logprobs],
        "token_logprobs": [score.logprob for score in logprobs],
        "top_logprobs": _others(raw),
        "text_offset": offsets,
    }


def reply_scores(reply: Reply, /) -> tuple[Raw | None, ...]:
    """For each answer of a reply what an API like OpenAI's gave with it."""
    if reply.origin is None or reply.origin.dialect != "openai":
        return ()
    choices = dict(reply.origin.fields).get("choices", b"[]")
    return tuple(map(_content, msgspec.json.decode(choices, type=list[_Choice])))


def first_scores(chunk: bytes, /) -> Raw | None:
    """The same of the first answer in a chunk."""
    choices = msgspec.json.decode(chunk, type=_Chunk).choices
    return _content(choices[0]) if choices else None


def _content(choice: _Choice) -> Raw | None:
    content = b"" if choice.logprobs is None else bytes(choice.logprobs.content)
    return Raw(content) if content.startswith(b"[") else None


def _others(raw: Raw | None) -> list[dict[str, float]] | None:
    if raw is None:
        return None
    scores = msgspec.json.decode(raw, type=list[_Score])
    found = [{other.token: other.logprob for other in score.top_logprobs or ()} for score in scores]
    return found if any(found) else None
