"""Nodes -> sections: every value checked against its key, every problem noted with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeVar, cast

from emafusion.config.keys import KeySpec, Section, keys_of
from emafusion.config.nodes import Fields, Items, Node, Scalar
from emafusion.config.problems import Problem

T = TypeVar("T", bound=Section)
Rules = Callable[[object], tuple[tuple[str, str], ...]]
"""Rules over one section: pairs of a key's name and what is wrong with it."""

_ENV_NAME = re.compile(r"[A-Z_][A-Z0-9_]*$")
_SECRETS = {"api_key", "apikey", "key", "keys", "token", "secret", "password", "authorization"}


class Reader:
    """Reads sections and collects what is wrong; `rules` look at each section as a whole."""

    def __init__(self, source: str, rules: Rules) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._rules = rules
        self._lines: dict[str, int | None] = {}
        self._specs: dict[type[Section], tuple[KeySpec, ...]] = {}

    def say(self, path: str, what: str, line: int | None = None) -> None:
        """Note a problem at a path; its line is looked up where none is given."""
        found = self._lines.get(path) if line is None else line
        self.problems.append(Problem(source=self._source, line=found, path=path, what=what))

    def section(self, kind: type[T], node: Node, path: str) -> T | None:
        """A section of that kind, None if it has a problem (which is noted)."""
        before = len(self.problems)
        values = self._values(kind, node, path)
        if len(self.problems) > before:
            return None
        make = cast("Callable[..., T]", kind)
        section = make(**values)
        for name, what in self._rules(section):
            self.say(_join(path, name), what)
        return section if len(self.problems) == before else None

    def _keys(self, kind: type[Section]) -> tuple[KeySpec, ...]:
        """Keys of a section, looked up once."""
        if kind not in self._specs:
            self._specs[kind] = keys_of(kind)
        return self._specs[kind]

    def _values(self, kind: type[Section], node: Node, path: str) -> dict[str, object]:
        """Checked values of the keys that are given."""
        if isinstance(node, Scalar) and node.value is None:
            node = Fields((), node.line)
        if not isinstance(node, Fields):
            self.say(path, f"must be a mapping of keys to values, got {_shown(node)}", node.line)
            return {}
        specs = {spec.name: spec for spec in self._keys(kind)}
        values: dict[str, object] = {}
        seen: set[str] = set()
        for field in node.fields:
            here = _join(path, field.name)
            if field.name in seen:
                self.say(here, "is given twice", field.line)
            elif field.name not in specs:
                self.say(here, _unknown(field.name, specs), field.line)
            else:
                self._lines[here] = field.line
                values[field.name] = self._value(specs[field.name], field.node, here)
            seen.add(field.name)
        for spec in specs.values():
            if spec.required and spec.name not in seen:
                self.say(_join(path, spec.name), f"is missing: {spec.key.about}", node.line)
        return values

    def _value(self, spec: KeySpec, node: Node, path: str) -> object:
        """Value of one key, its default where it is null and may be."""
        self._lines.setdefault(path, node.line)
        if spec.section is not None:
            if spec.kind == "sections":
                return self._sections(spec.section, node, path)
            return self.section(spec.section, node, path)
        if isinstance(node, Scalar) and node.value is None and spec.optional:
            return None
        if spec.kind == "texts":
            return self._texts(spec, node, path)
        if not isinstance(node, Scalar):
            self.say(path, f"must be {_wanted(spec)}, got {_shown(node)}", node.line)
            return None
        return self._scalar(spec, node, path)

    def _sections(self, kind: type[Section], node: Node, path: str) -> tuple[object, ...]:
        if isinstance(node, Scalar) and node.value is None:
            return ()
        if not isinstance(node, Items):
            self.say(path, f"must be a list, each item starting with '- ', got {_shown(node)}")
            return ()
        for spec in self._keys(kind):
            if spec.key.unique:
                self._unique(spec.name, node, path)
        items = enumerate(node.items)
        return tuple(self.section(kind, item, f"{path}[{index}]") for index, item in items)

    def _unique(self, name: str, node: Items, path: str) -> None:
        """Note the items whose value of that key was there before."""
        first: dict[str, str] = {}
        for index, item in enumerate(node.items):
            here = f"{path}[{index}]"
            value = _text_at(item, name)
            before = first.setdefault(value.casefold(), here) if value is not None else here
            if before != here:
                self.say(_join(here, name), f"{value!r} is the {name} of {before} too", item.line)

    def _texts(self, spec: KeySpec, node: Node, path: str) -> tuple[object, ...]:
        if not isinstance(node, Items):
            self.say(path, f"must be a list such as [a, b], got {_shown(node)}", node.line)
            return ()
        read: list[object] = []
        for index, item in enumerate(node.items):
            here = f"{path}[{index}]"
            if not isinstance(item, Scalar):
                self.say(here, f"must be {_wanted(spec)}, got {_shown(item)}", item.line)
                continue
            self._lines[here] = item.line
            value = self._scalar(spec, item, here)
            if value in read:
                self.say(here, f"is listed twice: {_shown(item)}")
            read.append(value)
        return tuple(read)

    def _scalar(self, spec: KeySpec, node: Scalar, path: str) -> object:
        """A text, number or boolean within its bounds."""
        value = _converted(spec, node)
        if value is None:
            # What looks like a secret is never shown.
            shown = "" if spec.key.env_name else f", got {_shown(node)}"
            self.say(path, f"must be {_wanted(spec)}{shown}{_advice(spec, node)}", node.line)
        return value


def _text_at(node: Node, name: str) -> str | None:
    """Text of one key of a mapping, None where there is none."""
    fields = node.fields if isinstance(node, Fields) else ()
    nodes = [field.node for field in fields if field.name == name]
    value = nodes[0].value if nodes and isinstance(nodes[0], Scalar) else None
    return value if isinstance(value, str) else None


def _converted(spec: KeySpec, node: Scalar) -> object:
    """Value in the type of its key, None if it does not fit."""
    value = node.value
    if spec.kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) and spec.choices and node.plain in spec.choices:
        return node.plain  # a bare off is false to YAML, and a choice here
    if spec.kind in {"text", "texts"}:
        return value if isinstance(value, str) and _fits_text(spec, value) else None
    number = _number(value)
    if number is None or not _within(spec, number):
        return None
    if spec.kind == "integer":
        return int(number) if number == int(number) else None
    return float(number)


def _number(value: object) -> float | int | None:
    """A finite number of a size that makes sense."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= 1e15 else None


def _within(spec: KeySpec, number: float) -> bool:
    key = spec.key
    return (
        (key.low is None or number >= key.low)
        and (key.high is None or number <= key.high)
        and (key.above is None or number > key.above)
    )


def _fits_text(spec: KeySpec, text: str) -> bool:
    if spec.choices:
        return text in spec.choices
    if spec.key.env_name:
        return bool(_ENV_NAME.match(text))
    return bool(text.strip()) and text.isprintable()


def _wanted(spec: KeySpec) -> str:
    """What would be right, in words."""
    if spec.choices:
        return "one of " + ", ".join(spec.choices)
    if spec.key.env_name:
        return "the name of an environment variable, such as OPENAI_API_KEY, never the key itself"
    words = {"text": "text", "texts": "text", "boolean": "true or false"}
    return words.get(spec.kind) or f"{_noun(spec)}{_bounds(spec.key.low, spec)}"


def _noun(spec: KeySpec) -> str:
    return "a whole number" if spec.kind == "integer" else "a number"


def _bounds(low: float | None, spec: KeySpec) -> str:
    high, above = spec.key.high, spec.key.above
    if low is not None and high is not None:
        return f" between {low:g} and {high:g}"
    if above is not None:
        return f" above {above:g}" + ("" if high is None else f" and at most {high:g}")
    return "" if low is None else f" of at least {low:g}"


def _advice(spec: KeySpec, node: Scalar) -> str:
    """One more word where the mistake is a common one."""
    value = node.value
    if spec.choices and isinstance(value, str):
        close = get_close_matches(value.casefold(), spec.choices, n=1)
        return f" (did you mean {close[0]}?)" if close else ""
    if spec.key.env_name and isinstance(value, str):
        name = value.removeprefix("os.environ/").strip("${}")
        return f": write {name}" if name != value and _ENV_NAME.match(name) else ""
    if spec.kind in {"text", "texts"} and value is not None and not isinstance(value, str):
        return f': put it in quotes, "{node.plain or value}"'
    return ""


def _unknown(name: str, specs: Mapping[str, KeySpec]) -> str:
    """What to say of a key that is not known."""
    if name.casefold() in _SECRETS and any(spec.key.env_name for spec in specs.values()):
        env = next(spec.name for spec in specs.values() if spec.key.env_name)
        return (
            "secrets do not belong in this file: put it in an environment variable "
            f"and give the variable's name as {env}"
        )
    close = get_close_matches(name.casefold(), specs, n=1, cutoff=0.5)
    if close:
        return f"unknown key, did you mean {close[0]}?"
    return f"unknown key, known are {', '.join(specs)}"


def _shown(node: Node) -> str:
    """A value for a message, short and on one line."""
    if isinstance(node, Fields):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if isinstance(node.value, bool) or node.value is None:
        return {True: "true", False: "false", None: "nothing"}[node.value]
    text = repr(node.value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
