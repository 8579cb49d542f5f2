"""The secret of a key: how it is made, told from a typing mistake, and kept as a digest.

`ema_`, 36 random characters and 6 of a checksum, all of 0-9, A-Z, a-z: some 214 bits of chance. The
prefix lets scanners of repositories and logs find it, the checksum lets them, and us, tell a key
from what only looks like one without asking any database. As a regular expression:
`ema_[0-9A-Za-z]{42}`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

PREFIX = "ema_"

KEY_ID = "key_"
"""How the id of a key that was made begins."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 36, 6
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)


def new_secret() -> str:
    """Make the secret of a new key; it is shown once and never kept.

    >>> is_secret(new_secret())
    True
    """
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_secret(text: str) -> bool:
    """Whether this may be a key that was made here: its shape and its checksum are right.

    >>> is_secret("ema_" + "0" * 42)
    False
    """
    if not _SHAPE.fullmatch(text):
        return False
    body = text[len(PREFIX) : -_CHECK]
    return text[-_CHECK:] == _checksum(body)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: SHA-256, 32 bytes.

    Without salt or slow hashing: there is too much chance in it for anybody to try out.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def new_key_id() -> str:
    """Name a new key for logs and commands; says nothing of its secret.

    >>> new_key_id().startswith("key_")
    True
    """
    return f"{KEY_ID}{secrets.token_hex(6)}"


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
