"""The rooms of the design, read off the imports: one way, no circles, no input or output."""

from __future__ import annotations

import ast
import graphlib
from importlib.util import find_spec, resolve_name
from pathlib import Path

import pytest

_PARTS = frozenset({"catalog", "encode", "estimate", "policy", "judge", "flow", "wire", "store"})
_PURE = _PARTS - {"catalog", "store"} | {"domain"}
_CONCRETE = frozenset({"encode", "estimate", "policy", "judge"})
_WIRED = _PARTS | {
    "domain",
    "upstream",
    "replay",
    "tables",
    "telemetry",
    "gateway",
    "learn",
    "dashboard",
    "config",
    "home",
}

ARROWS: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    **dict.fromkeys(_PARTS, frozenset({"domain"})),
    "home": frozenset(),
    "version": frozenset(),
    "config": frozenset({"domain", "catalog"}),
    "testing": frozenset({"domain", "flow", "replay", "store"}),
    "upstream": frozenset({"domain", "wire"}),
    "replay": frozenset({"domain", "store"}),
    "tables": frozenset({"domain", "wire", "store"}),
    "telemetry": frozenset({"domain"}),
    "gateway": _PARTS - _CONCRETE | {"domain", "upstream", "telemetry"},
    "learn": _PARTS | {"domain", "replay"},
    "dashboard": frozenset({"domain", "store", "replay"}),
    "build": _WIRED,
    "client": _WIRED | {"build"},
    "lab": _WIRED | {"build"},
    "cli": _WIRED | {"build", "client", "lab", "testing", "emafusion"},
    "__main__": frozenset({"cli"}),
    "emafusion": frozenset({"domain", "client"}),
}
"""Room -> rooms it may import; `emafusion` is the package's own `__init__`."""

NETWORK = frozenset({"http", "httptools", "socket", "ssl", "urllib.request", "uvicorn"})
FILES_AND_CLOCK = frozenset({"io", "logging", "os", "pathlib", "shutil", "tempfile", "time"})
PROCESSES = frozenset({"asyncio", "multiprocessing", "signal", "subprocess", "threading", "uvloop"})
DATABASE = frozenset({"sqlite3"})
WORLD = NETWORK | FILES_AND_CLOCK | PROCESSES | DATABASE


def _package() -> Path:
    spec = find_spec("emafusion")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _name(path: Path) -> str:
    parts = ("emafusion", *path.relative_to(_package()).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_name(path): path for path in sorted(_package().rglob("*.py"))}


def _imports(name: str, path: Path) -> set[str]:
    """Every module named by an import anywhere in the file, deferred and type-only ones too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            submodules = {f"{module}.{alias.name}" for alias in node.names}
            found.update(submodules & (FILES.keys() | WORLD) or {module})
    return found


IMPORTS = {name: _imports(name, path) for name, path in FILES.items()}


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def _uses(module: str, forbidden: frozenset[str]) -> set[str]:
    return {
        name
        for name in IMPORTS[module]
        if any(f"{name}.".startswith(f"{word}.") for word in forbidden)
    }


def test_imports_follow_the_arrows_of_the_design() -> None:
    """A module imports from its own room and from the rooms below it, never sideways or up."""
    for module, found in IMPORTS.items():
        room = _room(module)
        ours = {_room(name) for name in found if name.split(".")[0] == "emafusion"}
        assert ours - {room, "version"} <= ARROWS[room], (
            f"{module} reaches into a room above or beside"
        )


def test_no_module_is_in_a_circle() -> None:
    """Even counting imports inside functions and for types only."""
    graph = {name: found & FILES.keys() - {name} for name, found in IMPORTS.items()}
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_decisions_do_no_input_or_output() -> None:
    """Rooms that decide see no clock, file, socket, thread or event loop."""
    used = {module: _uses(module, WORLD) for module in FILES if _room(module) in _PURE}
    assert not {module: names for module, names in used.items() if names}


def test_only_some_rooms_touch_the_network_and_the_database() -> None:
    """Sockets belong to upstream and gateway, databases to the store."""
    for module in FILES:
        room = _room(module)
        assert room in {"upstream", "gateway"} or not _uses(module, NETWORK), module
        assert room == "store" or not _uses(module, DATABASE), module
