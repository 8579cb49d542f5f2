"""What the verbs about learning and evaluation do, as plain functions on data frames.

Each name is imported when it is first used, polars with the first table.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emafusion.lab.certifying import Wanted, certify
    from emafusion.lab.fitting import Wish, fit
    from emafusion.lab.judging import judge_answers, worth_of
    from emafusion.lab.reading import read_table, whole
    from emafusion.lab.replaying import Asked, Replayed, replay, summary_of
    from emafusion.lab.stakes import Spend, Stake
    from emafusion.lab.transfer import transfer
    from emafusion.store.artifact import Artifact, load, save

__all__ = [
    "Artifact",
    "Asked",
    "Replayed",
    "Spend",
    "Stake",
    "Wanted",
    "Wish",
    "certify",
    "fit",
    "judge_answers",
    "load",
    "read_table",
    "replay",
    "save",
    "summary_of",
    "transfer",
    "whole",
    "worth_of",
]

_HOMES = {
    "Artifact": "emafusion.store.artifact",
    "Asked": "emafusion.lab.replaying",
    "Replayed": "emafusion.lab.replaying",
    "Spend": "emafusion.lab.stakes",
    "Stake": "emafusion.lab.stakes",
    "Wanted": "emafusion.lab.certifying",
    "Wish": "emafusion.lab.fitting",
    "certify": "emafusion.lab.certifying",
    "fit": "emafusion.lab.fitting",
    "judge_answers": "emafusion.lab.judging",
    "load": "emafusion.store.artifact",
    "read_table": "emafusion.lab.reading",
    "replay": "emafusion.lab.replaying",
    "save": "emafusion.store.artifact",
    "summary_of": "emafusion.lab.replaying",
    "transfer": "emafusion.lab.transfer",
    "whole": "emafusion.lab.reading",
    "worth_of": "emafusion.lab.judging",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'emafusion.lab' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
