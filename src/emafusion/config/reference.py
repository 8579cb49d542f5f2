"""Reference page of the config, from the same definition that reads it."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.config.keys import KeySpec, Section, about, keys_of
from emafusion.config.models import ModelEntry
from emafusion.config.providers import PROVIDERS
from emafusion.config.tree import Config
from emafusion.config.writing import scalar

_INTRO = """\
# Config

One file, YAML (or JSON or TOML, by its ending). `emafusion init` writes one that says what was
found on this machine; `emafusion check FILE` tells every mistake with its line. Unknown keys are
errors. Secrets are never in the file: it names environment variables. Every key may be left out,
except where it says *required*. `emafusion/config/config.schema.json` in the package is a JSON
schema for editors.

This page is made from the definition by `scripts/docs`.
"""


def reference() -> str:
    """Markdown of the page: each section a table of its keys."""
    lines = [_INTRO]
    for spec in keys_of(Config):
        section = spec.section
        if section is not None:
            lines += _section(spec, section)
    lines += _providers()
    return "\n".join(lines)


def _section(spec: KeySpec, section: type[Section]) -> Iterator[str]:
    each = ", a list; each item:" if section is ModelEntry else ""
    yield f"## `{spec.name}`{each}\n"
    yield f"{about(section)}.\n"
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for key in keys_of(section):
        yield f"| `{key.name}` | {_type(key)} | {_default(key)} | {key.key.about} |"
    yield ""
    for key in keys_of(section):
        if key.section is not None:
            yield f"Each item of `{key.name}`:\n"
            yield "| key | type | default | meaning |"
            yield "| --- | --- | --- | --- |"
            for inner in keys_of(key.section):
                about_it = inner.key.about
                yield f"| `{inner.name}` | {_type(inner)} | {_default(inner)} | {about_it} |"
            yield ""


def _providers() -> Iterator[str]:
    yield "## Providers\n"
    yield "| provider | speaks | address | key |"
    yield "| --- | --- | --- | --- |"
    for known in PROVIDERS.values():
        keys = " or ".join(f"`{name}`" for name in known.key_envs)
        yield f"| `{known.name}` | {known.dialect} | {known.base_url or ''} | {keys} |"
    yield ""


def _type(spec: KeySpec) -> str:
    words = {"texts": "list", "sections": "list", "text": "text", "integer": "whole number"}
    word = words.get(spec.kind, spec.kind)
    if spec.choices:
        choices = ", ".join(f"`{choice}`" for choice in spec.choices)
        return f"list of {choices}" if spec.kind == "texts" else choices
    key = spec.key
    if key.env_name:
        return "name of a variable"
    if key.low is not None and key.high is not None:
        return f"{word}, {key.low:g} to {key.high:g}"
    if key.low is not None:
        return f"{word}, at least {key.low:g}"
    above = "" if key.above is None else f", above {key.above:g}"
    high = "" if key.high is None else f", at most {key.high:g}"
    return f"{word}{above}{high}"


def _default(spec: KeySpec) -> str:
    if spec.required:
        return "*required*"
    if spec.default is None:
        return spec.key.unset or "not set"
    return f"`{scalar(spec.default)}`"
