"""The memory of a gateway that is ready."""

from __future__ import annotations

import gc

from emafusion.cli.memory import PAGE_BYTES, large_pages, settle


def test_what_is_loaded_stays_and_still_works() -> None:
    """Large pages or none: whatever is in them is what it was."""
    held = [str(number) for number in range(200_000)]
    try:
        assert settle() % PAGE_BYTES == 0
        assert held == [str(number) for number in range(200_000)]
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_only_private_memory_of_nobody_else_is_touched() -> None:
    """Files, shared memory and what is not writable are left as they are."""
    maps = [
        "00400000-00c00000 r-xp 00000000 08:01 12 /usr/bin/python3",
        "00c00000-01400000 rw-p 00800000 08:01 12 /usr/bin/python3",
        "01400000-01a00000 rw-s 00000000 00:01 99 /dev/zero (deleted)",
        "01a00000-01b00000 rw-p 00000000 00:00 0",
        "01b00000-02100000 rw-p 00000000 00:00 0          [heap]",
        "02100000-02900000 rw-p 00000000 00:00 0          [stack]",
    ]
    assert list(large_pages(maps)) == [0x1C00000, 0x1E00000]
