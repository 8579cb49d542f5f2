"""The tests inside an official client's source distribution, fetched and run against a gateway."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "locks" / "openai-sdist.lock"

INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
xfail_strict = true
filterwarnings = error
"""

README_HOOK = """
from hatchling.metadata.plugin.interface import MetadataHookInterface
from hatchling.plugin import hookimpl

class Hook(MetadataHookInterface):
    PLUGIN_NAME = "fancy-pypi-readme"

    def update(self, metadata):
        metadata["readme"] = {"content-type": "text/plain", "text": ""}

@hookimpl
def hatch_register_metadata_hook():
    return Hook
"""


def unpacked(folder: Path, lock: Path = LOCK) -> Path:
    """Unpack the distribution's tests into a folder. Fails where it cannot be had."""
    with tarfile.open(_fetched(lock)) as archive:
        for member in archive.getmembers():
            data = archive.extractfile(member)
            if data is not None and member.name.split("/")[1:2] == ["tests"]:
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.read())
    (root,) = folder.iterdir()
    (root / "pytest.ini").write_text(INI, encoding="utf-8")
    return root


def run(
    root: Path, *files: str, chosen: str, env: Mapping[str, str], plugins: tuple[str, ...] = ()
) -> int:
    """Run the chosen tests of some files in a process of their own; how many passed.

    Fails, with their output, if one of them does or is skipped.
    """
    usual = ("pytest_asyncio.plugin", "no:cacheprovider", *plugins)
    named = tuple(word for plugin in usual for word in ("-p", plugin))
    done = subprocess.run(
        (
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *named,
            "-k",
            chosen,
            *(f"tests/api_resources/{file}" for file in files),
        ),
        cwd=root,
        env={**os.environ, **env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    told = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.returncode == 0, told
    assert "skipped" not in told, told
    found = re.search(r"(\d+) passed", told)
    assert found is not None, told
    return int(found[1])


def _fetched(lock: Path) -> Path:
    """The distribution, from the cache if it is there, checked by its hash either way."""
    locked = lock.read_text(encoding="utf-8")
    name, version = re.findall(r"^(\S+)==(\S+)", locked, flags=re.MULTILINE)[0]
    (digest,) = re.findall(r"sha256:([0-9a-f]{64})", locked)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emafusion-tests"
    file = cache / f"{name}-{version}.tar.gz"
    if not file.is_file() or _digest(file) != digest:
        _download(cache, lock)
    assert _digest(file) == digest
    return file


def _download(cache: Path, lock: Path) -> None:
    # To name the package, pip asks its build system, which the development environment has.
    isolation = ("--no-build-isolation",) if find_spec("hatchling") else ()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download")
    what = ("--require-hashes", "--no-deps", "--no-binary", ":all:", "-r", str(lock))
    with tempfile.TemporaryDirectory() as plugin:
        _stand_in(Path(plugin))
        done = subprocess.run(
            (*pip, *isolation, *what, "--dest", str(cache)),
            env={**os.environ, "PYTHONPATH": plugin},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    assert done.returncode == 0, f"cannot fetch the official client's tests: {done.stderr[-2000:]}"


def _stand_in(folder: Path) -> None:
    """Put something in place of a plugin of the build system, which only decorates a page."""
    (folder / "readme_hook.py").write_text(README_HOOK, encoding="utf-8")
    told = folder / "readme_hook-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Name: readme_hook\nVersion: 1\n", encoding="utf-8")
    points = "[hatch]\nfancy-pypi-readme = readme_hook\n"
    (told / "entry_points.txt").write_text(points, encoding="utf-8")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
