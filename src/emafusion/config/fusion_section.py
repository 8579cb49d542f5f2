"""How answers of several models are made into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionSection(Section):
    """Several answers made into one."""

    answers: Annotated[
        int, Key("answers that emafusion/fusion asks for at once", low=2, high=8)
    ] = 3
    samples: Annotated[int, Key("how many of these answers one model may give", low=1, high=8)] = 3
    write: Annotated[
        bool,
        Key(
            "whether one answer may be written of several, where it is expected to pay, also where "
            "fusion was not asked for"
        ),
    ] = False
    checker: Annotated[
        tuple[str, ...],
        Key(
            "program and arguments that run the tests which a request brings; it must put what it "
            "runs into a sandbox of its own; none = such requests are refused"
        ),
    ] = ()
    checker_timeout_s: Annotated[
        float, Key("seconds that the checker may take for one answer", above=0, high=600)
    ] = 30.0


WHERE_ASKED = FusionSection()
"""Fusion only where it is asked for, and no tests."""
