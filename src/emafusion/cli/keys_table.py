"""Keys on a terminal: one a line, or one in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console

from emafusion.cli.money import dollars
from emafusion.cli.plain_table import UNKNOWN, cell, plain_table
from emafusion.cli.screen import show
from emafusion.gateway.key_form import moment_of
from emafusion.gateway.key_shown import Usage, standing
from emafusion.store.keys.key import Key

ALL = "all"


def show_keys(console: Console, keys: Sequence[tuple[Key, Usage]], *, now_s: float) -> None:
    """List keys with what they took."""
    table = plain_table(("id", "name", "status", "models", "limits"), ("today", "month"))
    for key, usage in keys:
        table.add_row(
            cell(key.id),
            cell(key.name),
            cell(standing(key, now_s)),
            cell(", ".join(key.models) or ALL),
            cell(", ".join(_limits(key)) or UNKNOWN),
            dollars(usage.today.usd),
            dollars(usage.month.usd),
        )
    show(console, table)


def show_key(console: Console, key: Key, usage: Usage, *, now_s: float) -> None:
    """Show all of one key."""
    table = plain_table((f"{key.id}", key.name))
    for name, told in _lines(key, usage, now_s):
        table.add_row(cell(name), cell(told))
    show(console, table)


def _lines(key: Key, usage: Usage, now_s: float) -> Iterator[tuple[str, str]]:
    yield "status", standing(key, now_s)
    yield "models", ", ".join(key.models) or ALL
    default = UNKNOWN if key.quality_weight is None else f"{key.quality_weight:g}"
    weights = f"{key.lowest_weight:g} to {key.highest_weight:g}, default {default}"
    yield "quality_weight", weights
    for each in usage.budgets:
        ends = "" if each.resets_at is None else f", until {each.resets_at:%Y-%m-%d %H:%M} UTC"
        held = f", {dollars(each.held_usd)} held" if each.held_usd else ""
        told = f"{dollars(each.used_usd)} of {dollars(each.budget_usd)}{held}{ends}"
        yield f"budget, {each.period}", told
    for name in ("requests_per_minute", "tokens_per_minute", "max_parallel"):
        limit = getattr(key, name)
        yield name, "no limit" if limit is None else f"{limit:,}"
    yield "expires", "never" if key.expires_at is None else _moment(key.expires_at)
    if key.tags:
        yield "tags", ", ".join(f"{name}={text}" for name, text in key.tags)
    yield "made", _moment(key.created_at)
    if key.revoked_at is not None:
        yield "revoked", _moment(key.revoked_at)
    for name, took in (("today", usage.today), ("this month", usage.month)):
        told = f"{dollars(took.usd)}, {took.requests:,} requests, {took.tokens:,} tokens"
        yield name, told


def _limits(key: Key) -> Iterator[str]:
    for budget in key.budgets:
        yield f"${budget.usd:g}/{budget.period}"
    if key.requests_per_minute is not None:
        yield f"{key.requests_per_minute:,} requests/min"
    if key.tokens_per_minute is not None:
        yield f"{key.tokens_per_minute:,} tokens/min"
    if key.max_parallel is not None:
        yield f"{key.max_parallel} at once"


def _moment(at_s: float) -> str:
    return f"{moment_of(at_s):%Y-%m-%d %H:%M} UTC"
