"""Real PostgreSQL and Valkey (or Redis) servers, started by a test in a folder of its own."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

REQUIRED = "STATE_SERVERS"
"""Environment variable; with `required`, a server that is missing is a failure, not a skip."""


def postgres_bin() -> Path | None:
    """Folder of PostgreSQL's own programs, the newest; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).parent if named else None


def valkey_program() -> str | None:
    """Path of a Valkey server, else of a Redis server; None if there is neither."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


def missing(extra: str) -> str | None:
    """Why tests with these servers cannot run here; None if they can."""
    library, program, package = {
        "postgres": ("psycopg", postgres_bin(), "postgresql"),
        "valkey": ("valkey", valkey_program(), "valkey-server or redis-server"),
    }[extra]
    if find_spec(library) is None:
        return f"needs the extra `{extra}`"
    return None if program else f"needs the server: apt-get install {package}"


def is_required() -> bool:
    """Whether a missing server is a failure."""
    return os.environ.get(REQUIRED) == "required"


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to clients.

    Else a client could be given it while the server is down.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def leave_nothing(folder: Path) -> None:
    """End the servers of a folder, and remove it, if this process dies before it has done so."""
    told = f"'{folder}/postgres/data/postmaster.pid' '{folder}/valkey/pid'"
    end = f"kill -9 $(head -qn 1 {told} 2>/dev/null); rm -rf '{folder}'"
    theirs, ours = os.pipe()  # ours is never written to or closed: it ends with this process
    subprocess.run(
        ("sh", "-c", f"exec 3<&0; (cat <&3; {end}) &"),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
    os.close(theirs)
    assert not os.get_inheritable(ours)


class PostgresServer:
    """A PostgreSQL server on loopback; its password is asked for."""

    PASSWORD = "made-up-word"

    def __init__(self, folder: Path) -> None:
        """Make a cluster and start it."""
        bins = postgres_bin()
        assert bins is not None
        self._bin, self._folder, self.port = bins, folder, free_port()
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        folder.mkdir(parents=True, exist_ok=True)
        self._hand_over()
        (folder / "word").write_text(self.PASSWORD)
        (folder / "word").chmod(0o644)
        self._run(
            "initdb",
            "-D",
            f"{folder}/data",
            "-U",
            "ema",
            "-A",
            "scram-sha-256",
            "--pwfile",
            f"{folder}/word",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        )
        self.start()

    @property
    def url(self) -> str:
        """Address with user and password."""
        return f"postgresql://ema:{self.PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
            "-c shared_buffers=16MB -c max_connections=40 -c fsync=off"
        )
        self._run(
            "pg_ctl",
            "-D",
            f"{self._folder}/data",
            "-l",
            f"{self._folder}/said",
            "-w",
            "-o",
            options,
            "start",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if it were killed."""
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-m", mode, "-w", "stop")

    def freeze(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        lines = (self._folder / "data" / "postmaster.pid").read_text().splitlines()
        main = int(lines[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for pid in (main, *map(int, children)):
            os.kill(pid, which)

    def _hand_over(self) -> None:
        """The server refuses to be root; its folder is another user's then."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")

    def _run(self, program: str, *arguments: str) -> None:
        as_user = _setpriv(self._user) if os.geteuid() == 0 else ()
        # To a file: a server that goes on would hold a pipe open.
        with (self._folder / "told").open("wb") as told:
            done = subprocess.run(
                (*as_user, str(self._bin / program), *arguments),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, (self._folder / "told").read_text()


class ValkeyServer:
    """A Valkey or Redis server on loopback; its password is asked for."""

    PASSWORD = "made-up-word"

    def __init__(self, folder: Path) -> None:
        """Start it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.port = folder, free_port()
        self.start()

    @property
    def url(self) -> str:
        """Address with its password."""
        return f"redis://:{self.PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and wait until it answers. Keeps nothing: a restart begins empty."""
        program = valkey_program()
        assert program is not None
        self._process = subprocess.Popen(
            (
                program,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--requirepass",
                self.PASSWORD,
                "--pidfile",
                str(self._folder / "pid"),
                "--dir",
                str(self._folder),
            ),
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{program} does not answer")

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)


def _setpriv(user: str) -> Sequence[str]:
    return ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts[-3].split(".") if part.isdigit())
