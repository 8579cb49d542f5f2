"""Models as tables, as wide as there is room for, and as rows of JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

from emafusion.cli.money import per_mtok
from emafusion.cli.printable import one_line
from emafusion.domain.model import Model, Price

Row = dict[str, str | float | int | list[str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model by the name it is listed under; `state` says what else is to be told of it."""

    name: str
    model: Model
    state: str | None = None

    @property
    def names(self) -> str:
        """Where a filter looks, in small letters."""
        return f"{self.name}\n{self.model.name}\n{self.model.provider}".casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """`least`: width of the screen from which on there is room for it."""

    header: str
    cell: Callable[[Model], str]
    justify: Literal["left", "right"] = "right"
    least: int = 0


def models_table(listed: Iterable[Listed], *, width: int, state: str | None = None) -> Table:
    """Models with prices, limits and abilities; `state` heads the column of states, if any."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    shown = [column for column in _COLUMNS if column.least <= width]
    table.add_column("model", overflow="fold")
    if state is not None:
        table.add_column(state, overflow="fold")
    for column in shown:
        table.add_column(
            column.header, justify=column.justify, no_wrap=column.header != "abilities"
        )
    for each in listed:
        told = [] if state is None else [Text(each.state or "")]
        cells = [column.cell(each.model) for column in shown]
        table.add_row(Text(one_line(each.name)), *told, *cells)
    return table


def model_row(listed: Listed) -> Row:
    """A model for `--json`; what is unknown is null."""
    model = listed.model
    price = model.price or Price()
    return {
        "name": listed.name,
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


def _prompt(model: Model) -> str:
    return per_mtok(model.price, "prompt_usd_per_mtok")


def _completion(model: Model) -> str:
    by_cpu = model.price is not None and model.price.cpu_usd_per_hour is not None
    return "" if by_cpu else per_mtok(model.price, "completion_usd_per_mtok")


def _cached(model: Model) -> str:
    cached = model.price.cached_prompt_usd_per_mtok if model.price else None
    return "" if cached is None else f"{cached:g}"


def _dated(model: Model) -> str:
    return (model.price.dated if model.price else None) or ""


def _context(model: Model) -> str:
    return "unknown" if model.context_tokens is None else f"{model.context_tokens:,}"


def _size(model: Model) -> str:
    """Billions of parameters.

    >>> _size(Model(name="a", provider="b", size_b=0.135)), _size(Model(name="a", provider="b"))
    ('0.135 B', '')
    """
    return "" if model.size_b is None else f"{model.size_b:g} B"


def _abilities(model: Model) -> str:
    return " ".join(sorted(model.abilities))


_COLUMNS = (
    _Column(header="prompt $/M", cell=_prompt),
    _Column(header="cached", cell=_cached, least=100),
    _Column(header="completion", cell=_completion),
    _Column(header="priced on", cell=_dated, least=100),
    _Column(header="context", cell=_context),
    _Column(header="size", cell=_size, least=110),
    _Column(header="provider", cell=lambda model: model.provider, justify="left"),
    _Column(header="kind", cell=lambda model: model.kind, justify="left", least=110),
    _Column(header="abilities", cell=_abilities, justify="left", least=140),
)
