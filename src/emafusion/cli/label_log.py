"""The log that labels are kept in."""

from __future__ import annotations

import os
from pathlib import Path

from emafusion.domain.errors import BadInput
from emafusion.home import LOG_NAME, home

_CONFIG_HERE = "emafusion.yaml"


def log_file(file: str | None, config: str | None, folder: str | None) -> Path:
    """The file that was named, else that of the config, else the one in the home folder.

    Raises `BadInput` for a config with mistakes.
    """
    if file is not None:
        return Path(file)
    if folder is not None:
        return Path(folder) / LOG_NAME
    config = config or (_CONFIG_HERE if Path(_CONFIG_HERE).is_file() else None)
    named = None if config is None else _path_in(config)
    return home(os.environ) / LOG_NAME if named is None else Path(named)


def _path_in(path: str) -> str | None:
    """Where a config file puts the log."""
    # Only here: reading YAML takes longer than reading the log.
    from emafusion.cli.configured import read_config

    config = read_config(path)
    if config.state.postgres_env is not None:
        what = "labels are given by POST /v1/feedback where the log is in PostgreSQL"
        raise BadInput(what, where="state.postgres_env")
    return config.log.path
