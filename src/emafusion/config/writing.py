"""Config -> commented YAML that parses back to the same config."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import cast

from emafusion.config.embeddings_section import EmbeddingEntry
from emafusion.config.keys import KeySpec, Section, about, keys_of
from emafusion.config.models import ModelEntry
from emafusion.config.tree import Config

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*$")
_NOT_TEXT = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

HEAD = (
    "Configuration of emafusion. Every key is here, with its meaning and default;",
    'a key behind "# " keeps its default. `emafusion check` tells what is wrong with it.',
)


_LISTS: dict[str, tuple[type[Section], str]] = {
    "models": (ModelEntry, "gpt-6-luna"),
    "embeddings": (EmbeddingEntry, "text-embedding-3-small"),
}
"""Key -> what its entries are, and a name for the example."""


def default_yaml(config: Config, *, notes: tuple[str, ...] = ()) -> str:
    """Write a config with every key explained; `notes` go on top as comments.

    >>> from emafusion.config import parse
    >>> parse(default_yaml(Config()), source="emafusion.yaml") == Config()
    True
    """
    lines = [f"# {line}".rstrip() for line in (*HEAD, *notes)]
    for spec in keys_of(Config):
        value = getattr(config, spec.name)
        lines.append("")
        if isinstance(value, Section):
            lines += _section(spec, value)
        else:
            lines += _list(spec, cast("tuple[Section, ...]", value))
    return "\n".join(lines) + "\n"


def scalar(value: object) -> str:
    """A single value or a list of texts, as YAML.

    >>> scalar("gpt-5-mini"), scalar("no"), scalar(("tools", "n")), scalar(None), scalar(True)
    ('gpt-5-mini', '"no"', '[tools, "n"]', 'null', 'true')
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(scalar, cast('tuple[object, ...]', value)))}]"
    if isinstance(value, Section):
        return f"{{{', '.join(_given(value))}}}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.casefold() not in _NOT_TEXT
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def meaning(spec: KeySpec) -> str:
    """Meaning, bounds and default of a key, on one line."""
    facts = [*_bounds(spec), _default(spec)]
    return f"{spec.key.about} ({'; '.join(fact for fact in facts if fact)})"


def _section(spec: KeySpec, section: Section) -> Iterator[str]:
    """A section with all of its keys; those at their default are commented out."""
    yield f"# {about(type(section))}."
    yield f"{spec.name}:"
    for key in keys_of(type(section)):
        value = getattr(section, key.name)
        yield from _comment(meaning(key), indent=2)
        mark = "# " if value == key.default else ""
        yield f"  {mark}{key.name}: {scalar(value)}"


def _list(spec: KeySpec, entries: tuple[Section, ...]) -> Iterator[str]:
    """A list of models: what each key means once, then the entries as stated."""
    kind, example = _LISTS[spec.name]
    yield f"# {about(kind)}."
    yield "# Keys of each model:"
    for key in keys_of(kind):
        yield from _comment(f"  {key.name}: {meaning(key)}", indent=0)
    yield f"{spec.name}:" if entries else f"# {spec.name}:"
    for entry in entries:
        yield from _entry(entry)
    if not entries:
        yield f"#   - name: {example}"
        yield "#     provider: openai"


def _entry(entry: Section) -> Iterator[str]:
    mark = "-"
    for key in keys_of(type(entry)):
        value = getattr(entry, key.name)
        if key.required or value != key.default:
            yield f"  {mark} {key.name}: {scalar(value)}"
            mark = " "


def _given(section: Section) -> Iterator[str]:
    """What a section of a list states, as pairs of a mapping on one line."""
    for key in keys_of(type(section)):
        value = getattr(section, key.name)
        if value != key.default:
            yield f"{key.name}: {scalar(value)}"


def _comment(text: str, *, indent: int) -> list[str]:
    lead = " " * indent + "# "
    inner = "  " if text.startswith(" ") else ""
    return textwrap.wrap(
        text, width=100, initial_indent=lead, subsequent_indent=f"{lead}{inner}{inner}"
    )


def _bounds(spec: KeySpec) -> list[str]:
    key = spec.key
    if spec.choices:
        return [", ".join(spec.choices)]
    if key.low is not None and key.high is not None:
        return [f"{key.low:g} to {key.high:g}"]
    low = None if key.low is None else f"at least {key.low:g}"
    above = None if key.above is None else f"above {key.above:g}"
    high = None if key.high is None else f"at most {key.high:g}"
    return [bound for bound in (low, above, high) if bound]


def _default(spec: KeySpec) -> str:
    if spec.required:
        return "required"
    if spec.default is None:
        return f"default: {spec.key.unset or 'not set'}"
    return f"default {scalar(spec.default)}"
