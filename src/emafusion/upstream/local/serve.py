"""Runs the child: loads the model, binds loopback, tells the port, serves until stdin closes."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from .action import Action
from .actions import ZeroShot
from .engine import Engine
from .errors import EngineError
from .face import Face
from .genai_pipeline import EngineOptions, load_pipeline
from .generate import Generate, generator
from .pool import embedded_actions
from .requantise import readable
from .weights import verify_embedded

_GRACE_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What to serve.

    `name`: None serves the embedded pool's actions, else one model of that name. `fd`: a listening
    socket inherited from the parent, or None to bind a free port.
    """

    model: Path
    name: str | None
    cache_dir: Path
    threads: int
    default_max_tokens: int
    fd: int | None = None


def serve(options: ServeOptions, *, api_key: str) -> None:
    """Serve until stdin closes; raises `LocalModelError` when it cannot start."""
    if not api_key:
        raise EngineError(
            "EMAFUSION_LOCAL_KEY is not set: the parent passes the bearer token in it"
        )
    if options.name is None:
        verify_embedded(options.model)
    path = readable(options.model, options.cache_dir, warn=_warn)
    embedded = options.name is None  # its figures were measured so, and hold on every machine
    engine_options = EngineOptions(threads=options.threads, exact=embedded)
    engine = Engine(lambda: load_pipeline(path, engine_options), on_crash=_die)
    actions = _actions(options.name, generator(engine))
    _run(
        Face(actions=actions, api_key=api_key, default_max_tokens=options.default_max_tokens),
        _listener(options.fd),
    )
    engine.close()


def _actions(name: str | None, generate: Generate) -> Sequence[Action]:
    return embedded_actions(generate) if name is None else (ZeroShot(name=name, generate=generate),)


def _run(face: Face, listener: socket.socket) -> None:
    config = uvicorn.Config(
        face,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    with listener:
        threading.Thread(
            target=_end_with_stdin, args=(server,), name="stdin-watch", daemon=True
        ).start()
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


def _listener(fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def _end_with_stdin(server: uvicorn.Server) -> None:
    """Read stdin to its end, which comes when the parent closes it or is gone."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def _die(error: BaseException | None) -> None:
    """End the process at once: the parent starts another one that can answer."""
    _warn(f"the engine's thread ended: {type(error).__name__}: {error}")
    os._exit(1)


def _warn(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
