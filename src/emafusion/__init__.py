"""Picks, judges and fuses language models for every query.

Importing this package does nothing but define names: no file, thread, network or environment.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
