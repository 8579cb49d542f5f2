"""What can go wrong before a local model answers, in one line: what, where, what to do.

LocalModelError     an `Unready`: something is absent, and the message says how to get it
+-- WeightsError    weights missing, damaged, or not to be fetched
+-- EngineError     the engine is not installed or cannot read the file
+-- ChildError      the child process did not come up or went away
"""

from __future__ import annotations

from emafusion.domain.errors import Unready


class LocalModelError(Unready):
    """A local model cannot be used; the message is one line that a person can act on."""


class WeightsError(LocalModelError):
    """The weights are missing, damaged or cannot be fetched."""


class EngineError(LocalModelError):
    """The engine is not installed, or cannot read the model file."""


class ChildError(LocalModelError):
    """The child process did not become ready, or is not running."""
