"""The memory of a gateway that is ready: no garbage is looked for in it, and its pages are large.

A request runs through a thousand functions once, so a good part of its time goes by while the
processor looks up where pages of 4 KB are. What is loaded by the time it is ready is put into pages
of 2 MB, where Linux has some.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE_BYTES = 2 * 2**20
_COLLAPSE = 25  # MADV_COLLAPSE, Linux 6.1
_ALLOWED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_MAPS = Path("/proc/self/maps")


def settle() -> int:
    """Let what is loaded by now stay as it is; gives the bytes that are in large pages after.

    To walk over all of it for garbage would hold up whichever request comes then by some 40 ms.
    """
    gc.freeze()
    try:
        if sys.platform != "linux" or "[never]" in _ALLOWED.read_text(encoding="ascii"):
            return 0
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        starts = list(large_pages(_MAPS.read_text(encoding="utf-8").splitlines()))
    except (OSError, AttributeError):
        return 0
    done = [bool(advise(start, PAGE_BYTES, _COLLAPSE) == 0) for start in starts]
    return PAGE_BYTES * sum(done)


def large_pages(maps: Iterable[str]) -> Iterator[int]:
    """Addresses of the large pages that private memory has room for, of `/proc/self/maps`.

    >>> [hex(at) for at in large_pages(["100000-700000 rw-p 00000000 00:00 0"])]
    ['0x200000', '0x400000']
    """
    for line in maps:
        span, access, _, _, _, *name = line.split()
        if access == "rw-p" and name in ([], ["[heap]"]):
            first, end = (int(each, 16) for each in span.split("-"))
            yield from range(-(-first // PAGE_BYTES) * PAGE_BYTES, end - PAGE_BYTES + 1, PAGE_BYTES)
