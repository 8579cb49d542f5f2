"""The settings of a key as people write them, on the command line and to the admin API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from emafusion.domain.errors import BadInput
from emafusion.store.keys.key import Budget, Key, Period
from emafusion.store.keys.secret import KEY_ID
from emafusion.wire import faults
from emafusion.wire.nearest import unknown_name

_Share = Annotated[float, Meta(ge=0, le=1)]
_Dollars = Annotated[float, Meta(gt=0, le=1e9)]
_Count = Annotated[int, Meta(ge=1, le=10**12)]
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Text = Annotated[str, Meta(max_length=256)]


class KeyForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set of a key; None = no limit."""

    name: _Name
    models: tuple[_Name, ...] = ()
    quality_weight: _Share | None = None
    quality_weight_min: _Share = 0.0
    quality_weight_max: _Share = 1.0
    budget_usd_per_day: _Dollars | None = None
    budget_usd_per_week: _Dollars | None = None
    budget_usd_per_month: _Dollars | None = None
    budget_usd_total: _Dollars | None = None
    requests_per_minute: _Count | None = None
    tokens_per_minute: _Count | None = None
    max_parallel: _Count | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    tags: dict[_Name, _Text] = {}
    enabled: bool = True


BUDGETS: Mapping[Period, str] = {
    "day": "budget_usd_per_day",
    "week": "budget_usd_per_week",
    "month": "budget_usd_per_month",
    "total": "budget_usd_total",
}
"""Period -> its field."""

Fields = Mapping[str, object]

OWN_TAGS = frozenset(
    {
        "artifact",
        "cache",
        "charged_usd",
        "dataset",
        "dropped",
        "explain",
        "narrowed",
        "notice",
        "traceparent",
        "unread",
    }
)
"""Tags that the gateway sets itself."""

_SECRETS = re.compile(r"ema_[0-9A-Za-z]{16,}|\bsk-[0-9A-Za-z_-]{16,}")


def read_form(data: bytes, *, known: Fields | None = None) -> KeyForm:
    """Read settings from JSON; `known`: what holds where a field is not given.

    Raises `BadInput` with the field that is wrong.
    """
    given = faults.decode(data, dict[str, msgspec.Raw])
    for name in given:
        if name not in KeyForm.__struct_fields__:
            where = name[:60] if name.isprintable() else "a field"
            raise BadInput(unknown_name(name, KeyForm.__struct_fields__), where=where)
    whole = {**{name: _raw(value) for name, value in (known or {}).items()}, **given}
    return checked(faults.decode(msgspec.json.encode(whole), KeyForm))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def checked(form: KeyForm) -> KeyForm:
    """The same, with what no single field can break held too. Raises `BadInput`."""
    for field, what in _wrong(form):
        raise BadInput(what, where=field)
    return form


def key_of(form: KeyForm, *, key_id: str, created_at: float) -> Key:
    """The key with these settings."""
    return Key(
        id=key_id,
        name=form.name,
        models=form.models,
        quality_weight=form.quality_weight,
        lowest_weight=form.quality_weight_min,
        highest_weight=form.quality_weight_max,
        budgets=tuple(_budgets(form)),
        requests_per_minute=form.requests_per_minute,
        tokens_per_minute=form.tokens_per_minute,
        max_parallel=form.max_parallel,
        tags=tuple(form.tags.items()),
        enabled=form.enabled,
        created_at=created_at,
        expires_at=None if form.expires_at is None else form.expires_at.timestamp(),
    )


def _budgets(form: KeyForm) -> Iterator[Budget]:
    usd: float | None
    for period in BUDGETS:
        usd = getattr(form, BUDGETS[period])
        if usd is not None:
            yield Budget(usd=usd, period=period)


def form_of(key: Key) -> KeyForm:
    """The settings of a key."""
    usd = {BUDGETS[budget.period]: budget.usd for budget in key.budgets}
    return KeyForm(
        name=key.name,
        models=key.models,
        quality_weight=key.quality_weight,
        quality_weight_min=key.lowest_weight,
        quality_weight_max=key.highest_weight,
        budget_usd_per_day=usd.get("budget_usd_per_day"),
        budget_usd_per_week=usd.get("budget_usd_per_week"),
        budget_usd_per_month=usd.get("budget_usd_per_month"),
        budget_usd_total=usd.get("budget_usd_total"),
        requests_per_minute=key.requests_per_minute,
        tokens_per_minute=key.tokens_per_minute,
        max_parallel=key.max_parallel,
        expires_at=moment_of(key.expires_at),
        tags=dict(key.tags),
        enabled=key.enabled,
    )


def moment_of(at_s: float | None) -> datetime | None:
    """Unix seconds as a moment in UTC."""
    return None if at_s is None else datetime.fromtimestamp(at_s, tz=UTC)


def _wrong(form: KeyForm) -> Iterator[tuple[str, str]]:
    yield from _wrong_texts(form)
    low, high, default = form.quality_weight_min, form.quality_weight_max, form.quality_weight
    if low > high:
        yield "quality_weight_min", f"must not be above quality_weight_max, {high:g}; got {low:g}"
    if default is not None and not low <= default <= high:
        yield "quality_weight", f"must be from {low:g} to {high:g}, got {default:g}"
    if form.name.startswith(KEY_ID):
        yield "name", f"must not begin with '{KEY_ID}', as ids do"
    for name in form.tags:
        if name in OWN_TAGS:
            yield f"tags.{name}", "is set by the gateway itself; choose another name"


def _wrong_texts(form: KeyForm) -> Iterator[tuple[str, str]]:
    texts = [("name", form.name), *(("models", name) for name in form.models)]
    texts += [(f"tags.{name[:20]}", text) for pair in form.tags.items() for name, text in [pair]]
    texts += [("tags", name) for name in form.tags]
    for field, text in texts:
        if _SECRETS.search(text):
            yield field.partition(".")[0], "holds what looks like a key; it must not be kept"
        elif not text.isprintable() or text != text.strip():
            yield field, "must be printable text without blanks around it"
