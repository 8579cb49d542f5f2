"""Where this project keeps its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LOG_NAME = "log.sqlite"


def home(env: Mapping[str, str]) -> Path:
    """Folder of logs and downloads; it need not exist yet.

    `EMAFUSION_HOME`, else `emafusion` in `XDG_DATA_HOME`, else `~/.local/share/emafusion`. An empty
    variable counts as none, and so does an `XDG_DATA_HOME` that is not absolute, as its
    specification says. `env` is the environment, so that importing and testing read nothing.

    >>> home({"EMAFUSION_HOME": "/srv/ema"}).as_posix()
    '/srv/ema'
    >>> home({"HOME": "/home/a", "XDG_DATA_HOME": "/data"}).as_posix()
    '/data/emafusion'
    >>> home({"HOME": "/home/a"}).as_posix()
    '/home/a/.local/share/emafusion'
    """
    if own := env.get("EMAFUSION_HOME"):
        return Path(own).expanduser()
    data = Path(env.get("XDG_DATA_HOME", ""))
    if data.is_absolute():
        return data / "emafusion"
    user = Path(env["HOME"]) if env.get("HOME") else Path.home()
    return user / ".local" / "share" / "emafusion"
