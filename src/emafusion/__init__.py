"""Picks, judges and fuses language models for every query.

Importing this package does nothing but define names: no file, thread, network or environment.
"""

from emafusion.version import __version__

__all__ = ["__version__"]
