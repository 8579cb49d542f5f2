"""How many connections the system lets this process have."""

from __future__ import annotations

import sys

ENOUGH = 65_536


def allow_files() -> None:
    """Raise the limit of open files as far as it may be: each client is one, each provider another.

    Many systems begin with 1,024, which five hundred streams use up.
    """
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if most == resource.RLIM_INFINITY else min(most, ENOUGH)
    if now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
