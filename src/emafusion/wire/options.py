"""What a client may ask of `emafusion` itself, per request: in the body or in headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Query
from emafusion.wire import faults
from emafusion.wire.nearest import unknown_name

T = TypeVar("T")

_FIELD = "emafusion"
_PREFIX = "x-emafusion-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Wishes for one request; None means not said.

    `quality_weight`, `min_quality`: 0..1. `max_cost_usd` >= 0, `max_latency_s` > 0: for the whole
    request. `models`: names of candidates that may be used. `session`: which conversation this
    belongs to. `baseline`: the candidate that savings are counted against. `answer_value_usd` > 0:
    what one right answer is worth, instead of `quality_weight`. `dataset`: the client's own name
    for this kind of work, which decides the class where answers to it were recorded. `cache`:
    whether an answer may be given again, where the gateway does that at all. `tests`: what an
    answer must pass, for the operator's checker; in the body alone. `explain`: whether the answer
    comes with how it came about.
    """

    quality_weight: float | None = None
    max_cost_usd: float | None = None
    min_quality: float | None = None
    max_latency_s: float | None = None
    models: tuple[str, ...] | None = None
    session: str | None = None
    baseline: str | None = None
    answer_value_usd: float | None = None
    dataset: str | None = None
    cache: bool | None = None
    tests: str | None = None
    explain: bool | None = None


_Share = Annotated[float, Meta(ge=0, le=1)]
_Positive = Annotated[float, Meta(gt=0)]
_Text = Annotated[str, Meta(min_length=1, max_length=256)]


class _Body(Struct):
    quality_weight: _Share | None = None
    max_cost_usd: Annotated[float, Meta(ge=0)] | None = None
    min_quality: _Share | None = None
    max_latency_s: _Positive | None = None
    models: Annotated[tuple[_Text, ...], Meta(min_length=1)] | None = None
    session: _Text | None = None
    baseline: _Text | None = None
    answer_value_usd: _Positive | None = None
    dataset: _Text | None = None
    cache: bool | None = None
    tests: Annotated[str, Meta(min_length=1, max_length=100_000)] | None = None
    explain: bool | None = None


_NAMES = frozenset(_Body.__struct_fields__)
_IN_HEADERS = frozenset(name.replace("_", "-") for name in _NAMES - {"tests"})


def decode_options(query: Query, /) -> Options:
    """Read the body object `emafusion` of a query; all None where there is none.

    Raises `BadInput` for an unknown key (naming the nearest known one) or a wrong value.
    """
    given = dict(query.origin.fields).get(_FIELD) if query.origin else None
    if given is None or given == b"null":
        return Options()
    for name in faults.decode(given, dict[str, msgspec.Raw], where=_FIELD):
        if name not in _NAMES:
            raise BadInput(unknown_name(name, _NAMES), where=f"{_FIELD}.{name[:60]}")
    return _options(faults.decode(given, _Body, where=_FIELD))


def options_from_headers(headers: Mapping[str, str], /) -> Options:
    """Read `x-emafusion-*` request headers (names in lower case).

    `models` is a comma list. Raises `BadInput` with the header's name for a wrong value or an
    unknown option.

    >>> options_from_headers({"x-emafusion-quality-weight": "0.8"}).quality_weight
    0.8
    """
    given = {name: text for name, text in headers.items() if name.startswith(_PREFIX)}
    if not given:
        return Options()
    values = {_option(name): _value(name, text) for name, text in given.items()}
    try:
        return _options(msgspec.convert(values, _Body, strict=False))
    except msgspec.ValidationError as error:
        wrong = faults.bad_value(error, _Body, "")
        name = _PREFIX + (wrong.where or "").partition("[")[0].replace("_", "-")
        what = str(wrong).removeprefix(f"{wrong.where}: ")
        raise BadInput(f"{what} in {given.get(name, '')[:60]!r}", where=name) from None


def merge_options(*, body: Options, headers: Options) -> Options:
    """Put both together: where both say something, the header wins.

    A header is set by whoever runs the client (a proxy, a wrapper script), the body by whoever
    wrote it; the one who is nearer to the gateway has the last word.

    >>> merge_options(body=Options(session="a"), headers=Options(session="b")).session
    'b'
    """
    return Options(
        quality_weight=_last(body.quality_weight, headers.quality_weight),
        max_cost_usd=_last(body.max_cost_usd, headers.max_cost_usd),
        min_quality=_last(body.min_quality, headers.min_quality),
        max_latency_s=_last(body.max_latency_s, headers.max_latency_s),
        models=_last(body.models, headers.models),
        session=_last(body.session, headers.session),
        baseline=_last(body.baseline, headers.baseline),
        answer_value_usd=_last(body.answer_value_usd, headers.answer_value_usd),
        dataset=_last(body.dataset, headers.dataset),
        cache=_last(body.cache, headers.cache),
        tests=body.tests,
        explain=_last(body.explain, headers.explain),
    )


def _last(first: T | None, second: T | None) -> T | None:
    return first if second is None else second


def _options(body: _Body) -> Options:
    return Options(**{name: getattr(body, name) for name in _NAMES})


def _option(header: str) -> str:
    name = header.removeprefix(_PREFIX)
    if name not in _IN_HEADERS:
        raise BadInput(unknown_name(name, _IN_HEADERS), where=header[:80])
    return name.replace("-", "_")


def _value(header: str, text: str) -> str | float | bool | tuple[str, ...]:
    """Turn a header's text into what the option wants; numbers must be plain and finite."""
    name = header.removeprefix(_PREFIX)
    if name == "models":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name in ("session", "baseline", "dataset"):
        return text.strip()
    if name in ("cache", "explain"):
        return _switch(header, text)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise BadInput(f"expected a number, got {text[:60]!r}", where=header)
    return number


_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


def _switch(header: str, text: str) -> bool:
    value = _SWITCH.get(text.strip().lower())
    if value is None:
        raise BadInput(f"expected on or off, got {text[:60]!r}", where=header)
    return value
