"""A browser that is driven through two pipes, by its own protocol: no driver, no library."""

from __future__ import annotations

import base64
import fcntl
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE_S = 60.0


def chromium() -> str | None:
    """Where the browser is; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class _Message(msgspec.Struct):
    id: int = 0
    method: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: msgspec.Raw | None = None


class _Value(msgspec.Struct):
    value: object = None


class _Evaluated(msgspec.Struct):
    result: _Value
    exceptionDetails: object = None  # noqa: N815 - the protocol's name


class Browser:
    """One page of a headless browser; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._id = 0
        self._buffer = b""
        self._session: str | None = None
        read, its_write = os.pipe()
        its_read, write = os.pipe()
        # It looks for its pipes at 3 and 4: out of the way of these first.
        theirs = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (its_read, its_write))
        command = (chromium() or "", *FLAGS, f"--user-data-dir={folder}", "about:blank")
        self._process = subprocess.Popen(
            ("bash", "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "bash", *command),
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (its_read, its_write, *theirs):
            os.close(fd)
        self._read, self._write = read, write
        self._open()

    def _open(self) -> None:
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(attached["sessionId"])

    def tell(self, method: str, **parameters: object) -> dict[str, object]:
        """Send one command and give its result."""
        self._id += 1
        body = {"id": self._id, "method": method, "params": parameters}
        if self._session is not None:
            body["sessionId"] = self._session
        os.write(self._write, msgspec.json.encode(body) + b"\0")
        until = time.monotonic() + PATIENCE_S
        while True:
            message = self._next(until)
            if message.id == self._id:
                assert message.error is None, bytes(message.error)
                return msgspec.json.decode(message.result, type=dict[str, object])

    def _next(self, until: float) -> _Message:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(self._read, 1 << 16) if ready else b""
            assert piece, "the browser says nothing any more"
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        return msgspec.json.decode(raw, type=_Message)

    def go(self, url: str) -> None:
        """Open an address."""
        self.tell("Page.navigate", url=url)
        self.wait(f"location.href === {url!r} && document.readyState === 'complete'")

    def run(self, script: str) -> object:
        """What an expression comes to on the page."""
        raw = self.tell("Runtime.evaluate", expression=script, returnByValue=True)
        found = msgspec.convert(raw, _Evaluated)
        assert found.exceptionDetails is None, script
        return found.result.value

    def wait(self, script: str) -> None:
        """Wait until an expression is true; a page that is on its way has none."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = msgspec.convert(
                self.tell("Runtime.evaluate", expression=script, returnByValue=True), _Evaluated
            )
            if found.exceptionDetails is None and found.result.value:
                return
            time.sleep(0.02)
        raise AssertionError(script)

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.tell("Input.dispatchKeyEvent", type="keyUp", key=key)

    def look(self, file: Path, *, width: int, height: int, dark: bool = False) -> None:
        """Make a picture of the page."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        shot = self.tell("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(str(shot["data"])))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._read)
        os.close(self._write)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
