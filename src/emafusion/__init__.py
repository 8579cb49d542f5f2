"""Picks, judges and fuses language models for every query.

Importing this package does nothing but define names: no file, thread, network or environment.
`EmaFusion` and what it returns are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING

from emafusion.version import __version__

if TYPE_CHECKING:
    from emafusion.client import Answer, AsyncStream, EmaFusion, Stream, Wishes

__all__ = ["Answer", "AsyncStream", "EmaFusion", "Stream", "Wishes", "__version__"]


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in __all__:
        raise AttributeError(f"module 'emafusion' has no attribute '{name}'")
    return getattr(importlib.import_module("emafusion.client"), name)
