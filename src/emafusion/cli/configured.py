"""The config that a verb works with: the file that was named, the one here, or what is found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from emafusion.build.discovery import find_pool
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput

HERE = "emafusion.yaml"
LONGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A config and, in words, where it comes from."""

    config: Config
    source: str


async def configured(path: str | None) -> Configured:
    """Read the config, or find a pool. Raises `BadInput`, which tells every mistake of the file."""
    named = _here() if path is None else path
    config = Config() if named is None else read_config(named)
    source = named or "no config file"
    if config.models:
        return Configured(config=config, source=source)
    found = await find_pool(config, os.environ)
    return Configured(config=found.config, source=f"{source}; {found.told}")


def _here() -> str | None:
    return HERE if Path(HERE).is_file() else None


def read_config(path: str) -> Config:
    """Read and check a config file, and that every key that it counts on is set."""
    return parse(read_text(path), source=path, env=os.environ)


def read_text(path: str, *, where: str = "--config") -> str:
    """The text of a file. Raises `BadInput` where it is none.

    `where`: what to name where no file was named.
    """
    if not path:
        raise BadInput("must be the name of a file, got nothing", where=where)
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST_BYTES + 1)
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 text (byte {error.start})", where=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=path) from error
    except ValueError as error:  # a name that no file can have
        raise BadInput(f"cannot be read: {error}", where=path) from error
    if len(data) > LONGEST_BYTES:
        raise BadInput(f"is longer than the {LONGEST_BYTES:,} bytes that are read", where=path)
    return text
