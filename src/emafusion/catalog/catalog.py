"""Find models by any of their names, and lay local figures over the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from emafusion.catalog.entry import Card, CatalogFile, Entry, entry_of
from emafusion.catalog.merge import merge
from emafusion.catalog.names import Form, folded, forms, split_provider
from emafusion.domain.model import Model

_Index = Mapping[str, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Entries, the more authoritative first, found by any of their names."""

    entries: tuple[Entry, ...]
    card: Card | None = None
    _index: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the entries by name and alias."""
        object.__setattr__(self, "_index", _index_of(self.entries))

    @classmethod
    def load(cls) -> Catalog:
        """Catalog that ships with the package; read once, at the first call."""
        return _shipped()

    @property
    def providers(self) -> frozenset[str]:
        """Every provider that has an entry."""
        return frozenset(entry.model.provider for entry in self.entries)

    def on(self, day: date) -> Catalog:
        """Catalog with the prices of that day, announced changes applied.

        >>> later = Catalog.load().on(date(2027, 1, 1)).find("gemini-3.8-flash")
        >>> later.price.prompt_usd_per_mtok
        1.5
        """
        return Catalog(tuple(_on(entry, day.isoformat()) for entry in self.entries), self.card)

    def find(self, name: str, provider: str | None = None) -> Model | None:
        """Model of that name, None if there is none.

        The name may carry a provider (`groq/...`), a date (`-2025-08-07`), a variant (`:free`) or
        another case. Where the catalog knows the model but not this provider's price for it, the
        price is None: what one host asks says nothing of another.

        >>> Catalog.load().find("openai/gpt-5-mini-2025-08-07").name
        'gpt-5-mini'
        >>> Catalog.load().find("no-such-model") is None
        True
        """
        entry = self.entry(name, provider)
        return None if entry is None else entry.model

    def entry(self, name: str, provider: str | None = None) -> Entry | None:
        """Like `find`, with aliases, release date and source."""
        told, rest = split_provider(name, self.providers)
        if provider is None and told is not None:
            known = self._lookup(rest, told, own=True)
            if known is not None:
                return known
        return self._lookup(name, provider, own=True) or self._lookup(name, provider, own=False)

    def nearest(self, name: str) -> str | None:
        """Known name that is most like `name`, for an error message; None if none is.

        >>> Catalog.load().nearest("gpt5-mini")
        'gpt-5-mini'
        """
        close = get_close_matches(folded(name), self._index, n=1, cutoff=0.7)
        return self._index[close[0]][0].model.name if close else None

    def with_overrides(self, *models: Model) -> Catalog:
        """Catalog in which these descriptions win, field by field; unknown models are added."""
        entries = list(self.entries)
        for model in models:
            entries = _overridden(entries, model)
        return Catalog(tuple(entries), self.card)

    def _lookup(self, name: str, provider: str | None, *, own: bool) -> Entry | None:
        """First form of the name that has an entry; `own`: one of this very provider."""
        for form in forms(name):
            found = self._index.get(form.name, ())
            if own and provider is not None:
                found = tuple(e for e in found if e.model.provider == provider)
            if found:
                return _told(found, form, provider)
        return None


def _told(found: tuple[Entry, ...], form: Form, provider: str | None) -> Entry:
    """What is known by this form of a name; the price only where it surely holds.

    `provider`: whose price is asked; None for anybody's, so only one may have an entry.
    """
    entry = found[0]
    if provider is not None:
        sure = form.same_price and entry.model.provider == provider
    else:
        alone = len(found) == 1 or entry.source == "stated"
        sure = alone and form.sold_by(entry.model.provider)
    return entry if sure else _unpriced(entry)


def _on(entry: Entry, day: str) -> Entry:
    """Entry with the last of its changes that holds on that day."""
    due = [price for since, price in entry.changes if since <= day]
    return replace(entry, model=replace(entry.model, price=due[-1])) if due else entry


def _unpriced(entry: Entry) -> Entry:
    unpriced = replace(entry.model, price=None)
    return replace(entry, model=unpriced, source=None, changes=())


def _overridden(entries: list[Entry], model: Model) -> list[Entry]:
    """Entries with one model laid over its like, or put in front as new."""
    same = [
        entry.model.name == model.name and entry.model.provider == model.provider
        for entry in entries
    ]
    if not any(same):
        return [Entry(model=model, source="stated"), *entries]
    return [
        replace(entry, model=merge(entry.model, model), changes=()) if hit else entry
        for entry, hit in zip(entries, same, strict=True)
    ]


def _index_of(entries: Iterable[Entry]) -> _Index:
    """Entries by each of their names, in the order given."""
    index: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in dict.fromkeys(map(folded, (entry.model.name, *entry.aliases))):
            index.setdefault(name, []).append(entry)
    return MappingProxyType({name: tuple(found) for name, found in index.items()})


@cache
def _shipped() -> Catalog:
    """Decode the data file of the package."""
    data = resources.files("emafusion.catalog").joinpath("models.json").read_bytes()
    file = msgspec.json.decode(data, type=CatalogFile)
    return Catalog(tuple(map(entry_of, file.models)), file.card)
