"""A LiteLLM proxy config -> ours: its `model_list`, and a word on what is left behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from emafusion.config.checks import wrong_url
from emafusion.config.litellm_fallbacks import PLACES, with_fallbacks
from emafusion.config.litellm_groups import grouped
from emafusion.config.litellm_names import Place, place_of
from emafusion.config.models import ModelEntry
from emafusion.config.nodes import Fields, Items, Node, Scalar, Unreadable
from emafusion.config.problems import ConfigError, Problem
from emafusion.config.providers import PROVIDERS
from emafusion.config.tree import Config
from emafusion.config.writing import default_yaml
from emafusion.config.yaml_nodes import from_yaml

_TAKEN = {
    "model",
    "api_base",
    "api_key",
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
}
_VARIABLE = "os.environ/"


@dataclass(frozen=True, slots=True)
class _Read:
    """One deployment as read, None if it was left out, and what is to be said of it."""

    entry: ModelEntry | None
    notes: tuple[str, ...] = ()


def import_litellm(text: str, *, source: str = "config.yaml") -> str:
    r"""Our config, as text, with the models of a LiteLLM proxy config and their fallbacks.

    What has no counterpart here is named in comments on top; keys that stand in the file are not
    copied, the comment says which environment variable to set. Raises `ConfigError` if the text is
    not such a config.

    >>> text = import_litellm("model_list: [{model_name: a, litellm_params: {model: groq/b}}]")
    >>> text[text.rindex("\nmodels:") :].splitlines()[2:5]
    ['  - name: a', '    provider: groq', '    remote_name: b']
    """
    root = _root(text, source)
    rows = root.get("model_list")
    if not isinstance(rows, Items) or not rows.items:
        raise _wrong(source, None, "has no model_list: it is not a LiteLLM proxy config")
    read = _deployments(rows, source)
    entries = [found.entry for found in read if found.entry is not None]
    models, lost = with_fallbacks(grouped(entries), root, _plain_name)
    notes = [*(note for found in read for note in found.notes), *map(_line, lost)]
    notes += [f"Not taken over: {_line(name)}." for name in _left(root)]
    head = f"Taken over from {_line(source)}: {len(entries)} of {len(read)} deployments."
    return default_yaml(Config(models=models), notes=("", head, *notes))


def _root(text: str, source: str) -> dict[str, Node]:
    try:
        return _fields(from_yaml(text))
    except Unreadable as error:
        raise _wrong(source, error.line, error.what) from None


def _left(root: dict[str, Node]) -> Iterator[str]:
    """Settings that have no counterpart here, or one that is to be looked at again."""
    for name, node in root.items():
        if name in PLACES:
            yield from (f"{name}.{key}" for key in _fields(node) if key != "fallbacks")
        elif name != "model_list":
            yield name


def _deployments(rows: Items, source: str) -> list[_Read]:
    """The items of `model_list`; what is said of a name that comes again has a number."""
    seen: Counter[str] = Counter()
    read: list[_Read] = []
    for index, row in enumerate(rows.items):
        name = _text(_fields(row).get("model_name")) or str(index)
        seen[name] += 1
        read.append(_deployment(row, source, index=index, number=seen[name]))
    return read


def _deployment(row: Node, source: str, *, index: int, number: int) -> _Read:
    """One item of `model_list`; `number`: how often its name has come by now."""
    given = _fields(row)
    params = _fields(given.get("litellm_params"))
    model = _text(params.get("model"))
    if model is None:
        what = f"model_list[{index}] has no litellm_params.model"
        raise _wrong(source, row.line, what)
    name = _plain_name(_text(given.get("model_name")) or model)
    if "*" in model + name:
        return _Read(None, (f"Not taken over: {model}, a wildcard; name the models instead.",))
    label = name if number == 1 else f"{name}-{number}"
    read = _entry(label, params, place_of(model, _text(params.get("api_base"))))
    entry = None if read.entry is None else replace(read.entry, name=name)
    left = ", ".join(sorted(map(_line, set(params) - _TAKEN)))
    notes = (*read.notes, f"{label}: not taken over: {left}.") if left else read.notes
    return _Read(entry, notes)


def _entry(name: str, params: dict[str, Node], place: Place) -> _Read:
    """The entry of one deployment, with notes on its address and key."""
    notes: tuple[str, ...] = ()
    base_url = place.base_url
    if base_url is not None and wrong_url(base_url) is not None:
        base_url = None
        notes = (f"{name}: its address is not copied; give it as base_url.",)
    key_env, about_key = _key_env(name, replace(place, base_url=base_url), params)
    entry = ModelEntry(
        name=name,
        provider=place.provider,
        base_url=base_url,
        api_key_env=key_env,
        remote_name=place.remote_name,
        prompt_usd_per_mtok=_usd_per_mtok(params, "input_cost_per_token"),
        completion_usd_per_mtok=_usd_per_mtok(params, "output_cost_per_token"),
        cached_prompt_usd_per_mtok=_usd_per_mtok(params, "cache_read_input_token_cost"),
        cache_write_usd_per_mtok=_usd_per_mtok(params, "cache_creation_input_token_cost"),
    )
    return _Read(entry, (*notes, *about_key))


def _key_env(
    name: str, place: Place, params: dict[str, Node]
) -> tuple[str | None, tuple[str, ...]]:
    """Environment variable of the key; a key that stands in the file is never repeated."""
    written = _text(params.get("api_key"))
    if written is None:
        return None, ()
    if place.provider == "litellm":
        note = f"{name}: called through the litellm library, which reads its usual variable."
        return None, (note,)
    variable = written.removeprefix(_VARIABLE)
    if written.startswith(_VARIABLE) and re.fullmatch(r"[A-Z_][A-Z0-9_]*", variable):
        usual = place.base_url is None and PROVIDERS[place.provider].key_envs[:1] == (variable,)
        return (None if usual else variable), ()
    made = re.sub(r"[^A-Z0-9]+", "_", f"{name.upper()}_API_KEY").lstrip("_0123456789")
    return made, (f"{name}: its key is not copied; set the environment variable {made}.",)


def _usd_per_mtok(params: dict[str, Node], name: str) -> float | None:
    node = params.get(name)
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        return None
    return round(value * 1e6, 6)


def _plain_name(name: str) -> str:
    """A name as our config allows it."""
    plain = re.sub(r"[\s,]+", "-", name.strip())
    head = plain.casefold().partition("/")[0]
    return f"litellm-{plain}" if head in {"auto", "emafusion"} else plain


def _fields(node: Node | None) -> dict[str, Node]:
    return {field.name: field.node for field in node.fields} if isinstance(node, Fields) else {}


def _text(node: Node | None) -> str | None:
    """A text that can stand in our config, None otherwise."""
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, str) and value.strip() and value.isprintable() else None


def _line(text: str) -> str:
    """A text that stays on its line of comment."""
    return text if text.isprintable() else repr(text)


def _wrong(source: str, line: int | None, what: str) -> ConfigError:
    return ConfigError((Problem(source=source, line=line, path="", what=what),))
