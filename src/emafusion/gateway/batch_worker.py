"""Names of processes that work on batches, by which others can tell that one has died."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path


def worker_name() -> str:
    """A name for this process that no other ever has."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(6)}"


def has_died(worker: str) -> bool:
    """Whether a worker of another name surely is no more; False where that cannot be known.

    >>> has_died("elsewhere:1:abc")
    False
    """
    machine, _, rest = worker.rpartition(":")[0].rpartition(":")
    if machine != _machine() or not rest.isdigit() or sys.platform == "win32":
        return False
    if int(rest) == os.getpid():
        return True  # the name is another's, so this process has its number from one that ended
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _machine() -> str:
    """The running system, by what no other has, and the set of processes that see each other."""
    try:
        system = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return socket.gethostname()
    return f"{system}/{space}"
