"""The config that a verb works with: the file that was named, the one here, or what is found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from emafusion.build.discovery import find_pool
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput

HERE = "emafusion.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A config and, in words, where it comes from."""

    config: Config
    source: str


async def configured(path: str | None, *, avoid_port: int | None = None) -> Configured:
    """Read the config, or find a pool.

    `avoid_port`: a port on which we are about to listen ourselves. Raises `BadInput`, `ConfigError`
    for a file with mistakes, and `Unready` where nothing that could answer is found.
    """
    named = path or _here()
    config = Config() if named is None else read_config(named)
    source = named or "no config file"
    if config.models:
        return Configured(config=config, source=source)
    found = await find_pool(config, os.environ, avoid_port=avoid_port or config.gateway.port)
    return Configured(config=found.config, source=f"{source}; {found.told}")


def _here() -> str | None:
    return HERE if Path(HERE).is_file() else None


def read_config(path: str) -> Config:
    """Read and check a config file."""
    return parse(read_text(path), source=path, env=os.environ)


def read_text(path: str) -> str:
    """The text of a file. Raises `BadInput` where it is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 text (byte {error.start})", where=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=path) from error
