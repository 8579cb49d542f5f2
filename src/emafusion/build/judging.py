"""Who reads the answers: judges by name, and those that others bring.

To add a judge that ships: its file, a row here, a line in the docs. To add one of your own: a
function (query, answer) -> 0..1 or None, as an entry point of the group `emafusion.judges`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import cast

from emafusion.build.readers import better_half, cheapest_first
from emafusion.catalog import cost_usd
from emafusion.config import Config
from emafusion.domain.attempt import Usage
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Judge
from emafusion.judge.agreement import AgreementJudge
from emafusion.judge.family import related
from emafusion.judge.function import Function, FunctionJudge
from emafusion.judge.llm import LLMJudge, way_of
from emafusion.judge.logprob import LogprobJudge
from emafusion.judge.pairs import PairsJudge
from emafusion.judge.rules import RulesJudge

FREE_JUDGES: Mapping[str, Callable[[], Judge]] = {
    "rules": RulesJudge,
    "logprob": LogprobJudge,
    "agreement": AgreementJudge,
}
"""Judges that cost nothing, in the order they are asked."""

ASKING = ("llm", "pairs")
"""Judges that ask a model: of one answer, of two."""

READERS = 2
"""Model judges that are chosen where none is named."""

GROUP = "emafusion.judges"
WHERE = "judges.use"

JUDGE_PROMPT, JUDGE_WORD, JUDGE_THOUGHT = 600, 5, 300
"""Tokens that one paid judgement is expected to take: prompt, and completion of a model that
answers at once and of one that thinks first."""

COMPARING = Usage(prompt_tokens=1_200, completion_tokens=5)
"""The same of one of both comparisons."""


def build_judges(
    config: Config,
    candidates: tuple[Candidate, ...],
    quality: Floats,
    *,
    measured: frozenset[str] = frozenset(),
) -> dict[str, Judge]:
    """The judges that the config names, free ones first, by name.

    `measured`: names of model judges whose scale is known. Raises `BadInput` for a name that
    neither ships nor is installed.
    """
    chosen: list[Judge] = []
    for name in config.judges.use:
        if name in FREE_JUDGES:
            chosen.append(FREE_JUDGES[name]())
        elif name not in ASKING:
            chosen.append(installed(name))
    asking = [name for name in ASKING if name in config.judges.use]
    readers = _readers(config, candidates, quality) if asking else ()
    if "llm" in asking:
        chosen += [_asking(reader, candidates, measured) for reader in readers]
    if "pairs" in asking:
        chosen += [_comparing(reader, candidates) for reader in readers]
    return {judge.card.name: judge for judge in chosen}


def installed(name: str) -> Judge:
    """The judge that an installed package brings by this name.

    Raises `BadInput` where there is none, it cannot be loaded, or it is no function.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = [*FREE_JUDGES, *ASKING, *found]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(known)}"
        raise BadInput(f"no judge '{name[:80]}'{hint}", where=WHERE)
    try:
        function: object = found[name].load()
    except (ImportError, AttributeError) as error:
        raise BadInput(f"judge '{name}' cannot be loaded: {error}", where=WHERE) from None
    if not callable(function):
        raise BadInput(f"judge '{name}' is no function of (query, answer)", where=WHERE)
    return FunctionJudge(name=name, function=cast("Function", function))


def _readers(
    config: Config, candidates: tuple[Candidate, ...], quality: Floats
) -> tuple[Candidate, ...]:
    """Who reads: the models that the config names, else the two cheapest of the better half.

    These are of two families: nobody reads answers of its own, so a pool of one family has no
    judge unless one is named.
    """
    if config.judges.models:
        pool = {candidate.name: candidate for candidate in candidates}
        gone = [name for name in config.judges.models if name not in pool]
        if gone:  # a pool that was found, and not configured
            told = f"no model is called {gone[0]}, known are {', '.join(pool)}"
            raise BadInput(told, where="judges.llm_models")
        return tuple(pool[name] for name in config.judges.models)
    good = (c for c in better_half(candidates, quality) if _has_strangers(c, candidates))
    chosen: list[Candidate] = []
    for _, reader in cheapest_first(tuple(good), _fee_usd):
        if len(chosen) < READERS and not any(related(reader, other) for other in chosen):
            chosen.append(reader)
    return tuple(chosen)


def _asking(
    reader: Candidate, candidates: tuple[Candidate, ...], measured: frozenset[str]
) -> LLMJudge:
    return LLMJudge(
        candidate=reader,
        way=way_of(reader, measured),
        cost_usd=_fee_usd(reader),
        kin=_kin(reader, candidates),
    )


def _comparing(reader: Candidate, candidates: tuple[Candidate, ...]) -> PairsJudge:
    once = cost_usd(COMPARING, reader.model.price)
    fee = None if once is None else 2 * once
    return PairsJudge(candidate=reader, cost_usd=fee, kin=_kin(reader, candidates))


def _kin(reader: Candidate, candidates: tuple[Candidate, ...]) -> frozenset[str]:
    return frozenset(c.name for c in candidates if related(c, reader))


def _has_strangers(reader: Candidate, candidates: tuple[Candidate, ...]) -> bool:
    """Whether there is anybody whose answers it could judge."""
    others = (c for c in candidates if c.model.kind == "language")
    return any(not related(reader, other) for other in others)


def _fee_usd(reader: Candidate) -> float | None:
    thinks = "reasoning" in reader.model.abilities
    usage = Usage(
        prompt_tokens=JUDGE_PROMPT, completion_tokens=JUDGE_THOUGHT if thinks else JUDGE_WORD
    )
    return cost_usd(usage, reader.model.price)
