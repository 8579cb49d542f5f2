"""Files of an artifact: each is written whole and reaches the disk before its name does."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput

AnyArray = npt.NDArray[np.generic]
Arrays = Mapping[str, AnyArray]

WRONG = (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, zlib.error)
"""What numpy and zipfile raise for a file that is not as it should be."""


def content_sha256(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and values: equal arrays have equal hashes anywhere."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        kind = array.dtype.newbyteorder("<")
        digest.update(f"{name}\0{kind.str}\0{arrays[name].shape}\0".encode())
        digest.update(array.astype(kind, copy=False).tobytes())
    return digest.hexdigest()


def whole_file(path: Path, content: bytes) -> None:
    """Let a file with this content take the place of `path` at once."""
    _whole(path, lambda file: file.write(content))


def whole_arrays(path: Path, arrays: Arrays) -> None:
    """The same for a compressed npz whose bytes depend on the arrays alone."""
    _whole(path, lambda file: _write_arrays(file, arrays))


def read_arrays(path: Path) -> dict[str, AnyArray]:
    """Read every array, without pickles.

    Raises:
        BadInput: absent, cut off, or no arrays; names the array that is wrong, if it is one.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {name: _read(held, name, path) for name in held.files}
    except WRONG as error:
        raise BadInput(f"cannot be read: {_why(error)}", where=str(path)) from error


def differences(found: Mapping[str, list[int]], wanted: Mapping[str, list[int]]) -> list[str]:
    """What is wrong with each array that is missing, unexpected or of another shape.

    >>> differences({"a": [2], "c": [1]}, {"a": [3], "b": [1]})
    ['a is [2], should be [3]', 'b is missing', 'c is not on the card']
    """
    names = sorted(found.keys() | wanted.keys())
    return [
        _difference(name, found.get(name), wanted.get(name))
        for name in names
        if found.get(name) != wanted.get(name)
    ]


def remove(path: Path) -> None:
    """Take a file away; one that is gone already is fine."""
    path.unlink(missing_ok=True)


def _read(held: Mapping[str, AnyArray], name: str, path: Path) -> AnyArray:
    """One array of an open file, which is read only now."""
    try:
        return held[name]
    except WRONG as error:
        raise BadInput(f"array {name} cannot be read: {_why(error)}", where=str(path)) from error


def _why(error: Exception) -> str:
    """What a library said, in one line."""
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(told.split())[:200]


def _difference(name: str, found: list[int] | None, wanted: list[int] | None) -> str:
    if found is None:
        return f"{name} is missing"
    if wanted is None:
        return f"{name} is not on the card"
    return f"{name} is {found}, should be {wanted}"


def _whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside `path`, bring it to the disk, then rename; nothing is left where that fails."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        remove(draft)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, where the system can."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write_arrays(file: IO[bytes], arrays: Arrays) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            # A fixed date: equal arrays make an equal file.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            held = BytesIO()
            np.lib.format.write_array(held, np.asarray(arrays[name]), allow_pickle=False)
            archive.writestr(entry, held.getbuffer().tobytes(), compresslevel=9)
