"""Chance that can be repeated: the same seed and query give the same draws, anywhere."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, query_id: str) -> np.random.Generator:
    """Random generator of one query.

    >>> generator(0, "q").random() == generator(0, "q").random()
    True
    """
    digest = hashlib.blake2b(f"{seed}:{query_id}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
