"""Text -> Config, or every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emafusion.config.checks import Wrong, section_rules, unset_keys, whole
from emafusion.config.nodes import Node, Unreadable, from_json, from_toml
from emafusion.config.problems import ConfigError, Problem
from emafusion.config.reading import Reader
from emafusion.config.tree import Config
from emafusion.config.yaml_nodes import from_yaml
from emafusion.domain.errors import BadInput

LONGEST = 200_000
"""Characters that a config may have."""


def parse(text: str, *, source: str, env: Mapping[str, str] | None = None) -> Config:
    """Read a config; `source` names the file in errors and tells JSON, TOML or else YAML.

    With `env`, environment variables that the config counts on must be set. Raises `ConfigError`
    with every problem found, each on a line of its own.

    >>> parse("gateway: {port: 9000}", source="emafusion.yaml").gateway.port
    9000
    >>> try:
    ...     parse("gateway: {prot: 9000}", source="emafusion.yaml")
    ... except ConfigError as error:
    ...     print(error)
    emafusion.yaml:1: gateway.prot: unknown key, did you mean port?
    """
    reader = Reader(source, section_rules)
    config = reader.section(Config, _nodes(text, source), "")
    if config is not None:
        wrong: Wrong = whole(config) + (unset_keys(config, env) if env is not None else ())
        for path, what in wrong:
            reader.say(path, what)
    if config is None or reader.problems:
        raise ConfigError(tuple(sorted(reader.problems, key=lambda found: found.line or 0)))
    return config


def with_address(
    config: Config, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> Config:
    """The same config with another address to listen on, such as a command line gives.

    Whether clients must then show a key is told by `gateway.needs_keys`. Raises `BadInput`.

    >>> with_address(Config(), host="0.0.0.0").gateway.needs_keys
    True
    """
    gateway = config.gateway
    if port is not None and not 0 <= port <= 65_535:
        raise BadInput(f"must be between 0 and 65535, got {port}", where="port")
    if host is not None and not host.strip():
        raise BadInput("must be an address to listen on, got nothing", where="host")
    return replace(
        config,
        gateway=replace(
            gateway,
            host=gateway.host if host is None else host,
            port=gateway.port if port is None else port,
            workers=gateway.workers if workers is None else workers,
        ),
    )


def _nodes(text: str, source: str) -> Node:
    """Nodes of the text in the format that the name of the file tells."""
    if len(text) > LONGEST:
        what = f"is too long: {len(text)} characters, at most {LONGEST} are read"
        raise ConfigError((Problem(source=source, line=None, path="", what=what),))
    ending = source.casefold().rpartition(".")[2]
    readers = {"json": from_json, "toml": from_toml}
    try:
        return readers.get(ending, from_yaml)(text.removeprefix("\ufeff"))
    except Unreadable as error:
        problem = Problem(source=source, line=error.line, path="", what=error.what)
        raise ConfigError((problem,)) from None
