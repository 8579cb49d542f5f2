"""What a client may ask of `emafusion` itself, per request: in the body or in headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emafusion.domain.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Wishes for one request; None means not said.

    `quality_weight`, `min_quality`: 0..1. `max_cost_usd` >= 0, `max_latency_s` > 0: for the whole
    request. `models`: names of candidates that may be used. `session`: which conversation this
    belongs to. `baseline`: the candidate that savings are counted against. `answer_value_usd` > 0:
    what one right answer is worth, instead of `quality_weight`.
    """

    quality_weight: float | None = None
    max_cost_usd: float | None = None
    min_quality: float | None = None
    max_latency_s: float | None = None
    models: tuple[str, ...] | None = None
    session: str | None = None
    baseline: str | None = None
    answer_value_usd: float | None = None


def decode_options(query: Query, /) -> Options:
    """Read the body object `emafusion` of a query; all None where there is none.

    Raises `BadInput` for an unknown key (naming the nearest known one) or a wrong value.
    """
    raise NotImplementedError


def options_from_headers(headers: Mapping[str, str], /) -> Options:
    """Read `x-emafusion-*` request headers (names in lower case).

    `models` is a comma list. Raises `BadInput` with the header's name for a wrong value or an
    unknown option.
    """
    raise NotImplementedError


def merge_options(*, body: Options, headers: Options) -> Options:
    """Put both together: where both say something, the header wins."""
    raise NotImplementedError
