"""LiteLLM's deployments that share a name -> one model here, served at several places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from emafusion.config.models import DeploymentEntry, ModelEntry


@dataclass(slots=True, eq=False)
class _Group:
    """Entries of one name that are the same model at different places."""

    entries: list[ModelEntry] = field(default_factory=list[ModelEntry])

    def takes(self, entry: ModelEntry) -> bool:
        """Whether it is this model: of one provider, at one price, and not known to be another.

        At a provider's own address another name is another model; on servers of one's own names
        are as their owner chose.
        """
        first = self.entries[0]
        if first.provider != entry.provider or entry.provider in {"local", "litellm"}:
            return False
        alike = replace(first, base_url=None, api_key_env=None, remote_name=None)
        own = first.base_url is not None and entry.base_url is not None
        return alike == replace(entry, base_url=None, api_key_env=None, remote_name=None) and (
            own or first.remote_name == entry.remote_name
        )

    def model(self, name: str) -> ModelEntry:
        """The model, with its places where there are several."""
        first, *others = self.entries
        remote = None if first.remote_name == name else first.remote_name
        if not others:
            return replace(first, name=name, remote_name=remote)
        places = tuple(
            DeploymentEntry(
                base_url=each.base_url,
                api_key_env=each.key_env,
                remote_name=None if each.remote_name == first.remote_name else each.remote_name,
            )
            for each in self.entries
        )
        return replace(
            first,
            name=name,
            remote_name=remote,
            base_url=None,
            api_key_env=None,
            deployments=places,
        )


def grouped(entries: Sequence[ModelEntry]) -> tuple[ModelEntry, ...]:
    """Models of unique names; those of one name that are not one model are numbered.

    >>> names = grouped([ModelEntry(name="a", provider=p) for p in ("openai", "groq")])
    >>> [model.name for model in names]
    ['a', 'a-2']
    """
    groups: dict[str, list[_Group]] = {}
    for entry in entries:
        same = groups.setdefault(entry.name.casefold(), [])
        group = next((each for each in same if each.takes(entry)), None)
        if group is None:
            group = _Group()
            same.append(group)
        if entry not in group.entries:
            group.entries.append(entry)
    taken = set(groups)
    return tuple(
        group.model(_free(group.entries[0].name, taken) if number else group.entries[0].name)
        for same in groups.values()
        for number, group in enumerate(same)
    )


def _free(name: str, taken: set[str]) -> str:
    """The name with the first number that makes it nobody's; it is taken from then on."""
    number = 2
    while f"{name}-{number}".casefold() in taken:
        number += 1
    taken.add(f"{name}-{number}".casefold())
    return f"{name}-{number}"
