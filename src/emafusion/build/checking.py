"""The operator's checker as a part: who is called to run a client's tests, and how to reach it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from emafusion.config import FusionSection
from emafusion.domain.errors import Unready
from emafusion.domain.model import Candidate, Model
from emafusion.domain.ports import Judge, Upstream
from emafusion.judge.tested import TestsJudge
from emafusion.upstream.checker import DEPLOYMENT, CheckerUpstream, program_of

CHECKER = Candidate(
    name=DEPLOYMENT,
    model=Model(name=DEPLOYMENT, provider="operator", kind="program"),
    deployment=DEPLOYMENT,
    remote_name=DEPLOYMENT,
)


def checker_of(section: FusionSection) -> Callable[[str], Judge] | None:
    """What makes a judge of a client's tests; None where the operator has set no checker."""
    if not section.checker:
        return None
    return partial(_judge, section.checker_timeout_s)


def checker_upstreams(section: FusionSection) -> dict[str, Upstream]:
    """How the checker is reached, by deployment. Raises `Unready` where it cannot be run."""
    if not section.checker:
        return {}
    wrong = program_of(section.checker)
    if wrong is not None:
        raise Unready(f"fusion.checker: {wrong}")
    return {DEPLOYMENT: CheckerUpstream(section.checker)}


def _judge(timeout_s: float, tests: str) -> Judge:
    return TestsJudge(checker=CHECKER, tests=tests, timeout_s=timeout_s)
