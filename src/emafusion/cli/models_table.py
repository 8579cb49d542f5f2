"""Models as tables and as rows."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from emafusion.catalog import Entry
from emafusion.cli.money import per_mtok
from emafusion.domain.model import Candidate, Model, Price

Row = dict[str, str | float | int | list[str] | None]


def pool_table(candidates: tuple[Candidate, ...], health: Mapping[str, str]) -> Table:
    """The pool; with a column of health where it was asked for."""
    table = _table("model", *(["health"] if health else []))
    for candidate in candidates:
        told = [health.get(candidate.deployment, "")] if health else []
        table.add_row(candidate.name, *told, *_cells(candidate.model))
    return table


def catalog_table(entries: tuple[Entry, ...]) -> Table:
    """What the catalog knows."""
    table = _table("model", "state")
    for entry in entries:
        table.add_row(entry.model.name, "retired" if entry.retired else "", *_cells(entry.model))
    return table


def model_row(name: str, model: Model) -> Row:
    """A model for `--json`; what is unknown is null."""
    price = model.price or Price()
    return {
        "name": name,
        "model": model.name,
        "provider": model.provider,
        "kind": model.kind,
        "prompt_usd_per_mtok": price.prompt_usd_per_mtok,
        "completion_usd_per_mtok": price.completion_usd_per_mtok,
        "cached_prompt_usd_per_mtok": price.cached_prompt_usd_per_mtok,
        "cache_write_usd_per_mtok": price.cache_write_usd_per_mtok,
        "cpu_usd_per_hour": price.cpu_usd_per_hour,
        "price_dated": price.dated,
        "context_tokens": model.context_tokens,
        "max_completion_tokens": model.max_completion_tokens,
        "abilities": sorted(model.abilities),
        "family": model.family,
        "size_b": model.size_b,
    }


def _table(*first: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in first:
        table.add_column(column, no_wrap=column == "model")
    for column in ("prompt $/M", "cached", "completion", "priced on", "context"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("provider", "abilities"):
        table.add_column(column)
    return table


def _cells(model: Model) -> list[str]:
    price, context = model.price, model.context_tokens
    return [
        per_mtok(price, "prompt_usd_per_mtok"),
        _cached(price),
        _completion(price),
        (price.dated if price else None) or "",
        "unknown" if context is None else f"{context:,}",
        model.provider if model.kind == "language" else f"{model.provider}, a program",
        " ".join(sorted(model.abilities)),
    ]


def _completion(price: Price | None) -> str:
    by_cpu = price is not None and price.cpu_usd_per_hour is not None
    return "" if by_cpu else per_mtok(price, "completion_usd_per_mtok")


def _cached(price: Price | None) -> str:
    cached = price.cached_prompt_usd_per_mtok if price else None
    return "" if cached is None else f"{cached:g}"
