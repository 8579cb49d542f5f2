"""When two requests are the same: a digest of all that shapes their answers."""

from __future__ import annotations

from hashlib import blake2b

from msgspec import msgpack

from emafusion.domain.model import Objective
from emafusion.domain.query import Message, Query

SILENT = frozenset(
    {
        "emafusion",
        "messages",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "stream",
        "stream_options",
        "user",
    }
)
"""Fields of a body that do not shape the answer, or are looked at decoded."""

Fingerprint = bytes

_encoder = msgpack.Encoder()


def fingerprint(query: Query, objective: Objective, owner: str | None) -> Fingerprint:
    """Digest of a request: 16 bytes. `owner`: whose it is; nobody is given another's answer.

    How it is delivered (streamed or whole) and who it is for does not count.
    """
    return _digest((owner, *_frame(query), query.messages, _wishes(objective)))


def frame(query: Query, objective: Objective, owner: str | None) -> Fingerprint:
    """Digest of all but the last message: what two alike requests must share to the letter."""
    return _digest((owner, *_frame(query), query.messages[:-1], _wishes(objective)))


def is_plain(message: Message) -> bool:
    """Whether a message is a user's words and nothing else."""
    return message.role == "user" and len(message.parts) == 1 and message.text != ""


def _frame(query: Query) -> tuple[object, ...]:
    origin = query.origin
    said = () if origin is None else [each for each in origin.fields if each[0] not in SILENT]
    dialect = "" if origin is None else origin.dialect
    return (
        query.requested,
        query.tools,
        query.format,
        query.settings,
        query.dataset,
        dialect,
        said,
    )


def _wishes(objective: Objective) -> tuple[object, ...]:
    return (
        objective.quality_weight,
        objective.answer_value_usd,
        objective.max_cost_usd,
        objective.min_quality,
        sorted(objective.candidates),
    )


def _digest(what: tuple[object, ...]) -> Fingerprint:
    return blake2b(_encoder.encode(what), digest_size=16).digest()
