"""Importing does nothing but define names, and does it quickly."""

from __future__ import annotations

import subprocess
import sys

import pytest

_WATCHED = """
import sys
seen = []
LOUD = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "sqlite3.")
WRITES = set("wax+")
def hook(event, args):
    if event.startswith(LOUD) and event != "socket.__new__":
        seen.append(event)
    if event == "open" and isinstance(args[1], str) and WRITES & set(args[1]):
        seen.append(f"write {args[0]}")
    if event == "open" and OTHER_FILES and not str(args[0]).endswith((".py", ".pyc", ".so")):
        seen.append(f"read {args[0]}")
sys.dont_write_bytecode = True
OTHER_FILES = False
"""

_AFTER = """
import threading
if threading.active_count() > 1:
    seen.append("thread")
print(*seen, sep="; ")
"""

_EVERY_MODULE = """
import importlib, pkgutil
import numpy, asyncio, ssl, click, rich, yaml, msgspec, httptools
import emafusion
names = [module.name for module in pkgutil.walk_packages(emafusion.__path__, "emafusion.")]
sys.addaudithook(hook)
for name in names:
    if not name.endswith("__main__"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(OF_EXTRAS.get(error.name, "nothing")):
                raise
"""

_OF_EXTRAS = """
OF_EXTRAS = {
    "psycopg": "emafusion.store.postgres.",
    "valkey": "emafusion.store.valkey.",
    "opentelemetry.sdk": "emafusion.telemetry.",
    "opentelemetry.exporter": "emafusion.telemetry.",
}
"""

_BEST_S = 0.150


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_reads_no_file_and_starts_nothing() -> None:
    """No file but modules, no thread, socket or process."""
    assert not _python(
        f"{_WATCHED}OTHER_FILES = True\nsys.addaudithook(hook)\nimport emafusion\n{_AFTER}"
    )


def test_importing_every_module_starts_nothing() -> None:
    """The same for each module in it; only the own modules of an extra need that extra."""
    assert not _python(f"{_WATCHED}{_OF_EXTRAS}{_EVERY_MODULE}{_AFTER}")


@pytest.mark.parametrize("heavy", ["numpy", "uvicorn", "asyncio", "yaml", "rich"])
def test_importing_the_package_loads_no_heavy_library(heavy: str) -> None:
    """What a part needs is loaded when the part is."""
    assert _python(f"import sys, emafusion; print({heavy!r} in sys.modules)") == "False"


def test_importing_the_package_is_quick() -> None:
    """Best of five fresh interpreters, in seconds."""
    code = "from time import perf_counter as now; t = now(); import emafusion; print(now() - t)"
    assert min(float(_python(code)) for _ in range(5)) <= _BEST_S
