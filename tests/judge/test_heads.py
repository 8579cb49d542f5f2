"""Model judges that were measured together: what each adds beside the others."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import BadInput
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.query import ask
from emafusion.judge.curve import Curve
from emafusion.judge.heads import ANY, Heads
from emafusion.judge.panel import LogOddsPanel
from emafusion.judge.state import PanelState

LINE = Curve(x=(0.0, 1.0), y=(-2.0, 2.0))
NAMES = ("llm:a", "llm:b", "llm:c")


def heads(correlation: float = 0.5, *, length: float = 0.0) -> Heads:
    """Three judges of equal worth, whose log-odds are correlated."""
    cov = np.full((3, 3), correlation) + (1.0 - correlation) * np.eye(3)
    return Heads(
        names=NAMES,
        curves=(LINE,) * 3,
        length=(length,) * 3,
        usual=3.0,
        cov=cov,
        tasks=MappingProxyType({ANY: (0.0, 0.5, 0.5, 0.5), "dataset/law": (1.0, 1.0, 0.0, 0.0)}),
    )


def judged(*values: float | None, text: str = "It is so.", dataset: str | None = None) -> Case:
    """One answer and what the three judges gave; None abstains."""
    said = zip(NAMES, values, strict=False)
    evidence = Evidence(
        attempts=(Attempt(candidate="m", reply=Reply(choices=(Choice(text=text),), model="m")),),
        judgements=tuple(Judgement(judge=n, attempt=0, value=v) for n, v in said),
    )
    query = ask("Why?")
    query = query if dataset is None else type(query)(
        query_id=query.query_id, messages=query.messages, dataset=dataset
    )  # fmt: skip
    return Case(query=query, evidence=evidence, attempt=0, candidates=())


def panel(of: Heads) -> LogOddsPanel:
    """The prior panel with these judges."""
    return LogOddsPanel(replace(PanelState.default(), heads=of))


def test_one_judge_speaks_for_those_like_it() -> None:
    """Alone it weighs more than beside two others, since they would have said alike."""
    alone = heads().evidence({"llm:a": 1.0}, ANY, log_length=None)
    share = heads().weighing(ANY, (True, True, True)).weights[0]
    assert alone > share * LINE.at(1.0)
    assert alone < heads().evidence(dict.fromkeys(NAMES, 1.0), ANY, log_length=None)


def test_judges_that_always_agree_count_as_one() -> None:
    """The second of two that say the same moves nothing, the second of two strangers does."""
    same, strangers = heads(0.999), heads(0.0)
    first, second, nobody = frozenset(("llm:a",)), frozenset(("llm:b",)), frozenset[str]()
    assert moved(same, second, first) < 0.1 * moved(same, first, nobody)
    assert moved(strangers, second, first) == pytest.approx(
        moved(strangers, first, nobody), rel=0.1
    )
    assert moved(strangers, first | second, nobody) > moved(strangers, first, nobody)
    assert strangers.swing(frozenset(("llm:nobody",)), nobody) is None


def moved(of: Heads, names: frozenset[str], asked: frozenset[str]) -> float:
    """How far these move the log-odds."""
    swing = of.swing(names, asked)
    assert swing is not None
    return swing


def test_a_task_has_weights_of_its_own() -> None:
    """Where a data set is known its weights count, else those of any task."""
    one, other = judged(0.0, 1.0, 1.0, dataset="law"), judged(0.0, 1.0, 1.0, dataset="poems")
    assert panel(heads()).combine(0.5, one) < 0.5 < panel(heads()).combine(0.5, other)


def test_length_is_taken_off_again() -> None:
    """A judge that favours long answers gives a long one no more for its length."""
    short, long = judged(0.8, text="so"), judged(0.8, text="so" * 500)
    plain, biased = panel(heads()), panel(heads(length=0.3))
    assert plain.combine(0.5, short) == plain.combine(0.5, long)
    assert biased.combine(0.5, short) > biased.combine(0.5, long)


def test_a_judge_that_speaks_twice_counts_once() -> None:
    """Repeats of one judge err alike: their mean is one grade."""
    once, case = judged(0.8), judged(0.8)
    again = (*case.evidence.judgements, Judgement(judge="llm:a", attempt=0, value=0.8))
    evidence = Evidence(attempts=case.evidence.attempts, judgements=again)
    twice = Case(query=case.query, evidence=evidence, attempt=0, candidates=())
    assert panel(heads()).combine(0.5, once) == panel(heads()).combine(0.5, twice)


GRADES = st.one_of(st.none(), st.floats(0.0, 1.0))


@given(st.tuples(GRADES, GRADES, GRADES), st.floats(0.0, 1.0), st.floats(0.0, 0.99))
def test_a_better_grade_never_lowers_the_confidence(
    values: tuple[float | None, ...], more: float, correlation: float
) -> None:
    """Whoever else has spoken, and however the judges are correlated."""
    of = panel(heads(correlation))
    for k, value in enumerate(values):
        if value is not None:
            raised = tuple(max(value, more) if j == k else v for j, v in enumerate(values))
            assert of.combine(0.5, judged(*raised)) >= of.combine(0.5, judged(*values))


def test_an_artifact_keeps_them() -> None:
    """Arrays and back: the same evidence for every set of judges."""
    state = replace(
        PanelState.default(),
        heads=heads(length=0.1),
        curves=MappingProxyType(dict(PanelState.default().curves) | dict.fromkeys(NAMES, LINE)),
        relative=True,
    )
    found = PanelState.from_arrays(state.to_arrays())
    assert found.relative
    assert found.heads is not None
    for size in (1, 2, 3):
        for names in itertools.combinations(NAMES, size):
            said = dict.fromkeys(names, 0.7)
            assert found.heads.evidence(said, ANY, log_length=2.0) == pytest.approx(
                state.heads.evidence(said, ANY, log_length=2.0) if state.heads else None
            )


def test_broken_arrays_are_refused_by_name() -> None:
    """A judge without a curve, weights below 0 and wrong shapes are told."""
    state = replace(
        PanelState.default(),
        heads=heads(),
        curves=MappingProxyType(dict(PanelState.default().curves) | dict.fromkeys(NAMES, LINE)),
    )
    arrays = state.to_arrays()
    for key, wrong in (
        ("panel/task/", np.array([0.0, -1.0, 0.5, 0.5])),
        ("panel/task/dataset/law", np.zeros(2)),
        ("panel/head/llm:a", np.zeros(2)),
    ):
        with pytest.raises(BadInput, match="panel/"):
            PanelState.from_arrays(arrays | {key: wrong})
    with pytest.raises(BadInput, match="has no curve"):
        PanelState.from_arrays({k: a for k, a in arrays.items() if k != "panel/curve/llm:a"})
