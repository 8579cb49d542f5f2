"""The panel: many opinions, one probability."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import BadInput, Overloaded
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.query import ask
from emafusion.judge.curve import Curve, curve_of, logit, sigmoid
from emafusion.judge.grouping import group
from emafusion.judge.panel import LogOddsPanel, n_eff
from emafusion.judge.state import PanelState

PANEL = LogOddsPanel()
QUESTION = "How many legs has a spider?"
ESSAY = "Describe a spider."
PROSE = "Spiders have eight legs and two body parts, and most of them spin. " * 2


def by(name: str, text: str) -> Attempt:
    """An attempt that answered."""
    return Attempt(candidate=name, reply=Reply(choices=(Choice(text=text),), model=name))


def ruled(judge: str, value: float | None, attempt: int = 0, verdict: str = "") -> Judgement:
    """A judgement."""
    return Judgement(judge=judge, attempt=attempt, value=value, verdict=verdict)


def case_of(
    *attempts: Attempt, judgements: tuple[Judgement, ...] = (), text: str = QUESTION
) -> Case:
    """The first attempt is the subject; groups as the flow makes them."""
    query = ask(text)
    evidence = Evidence(
        attempts=attempts, judgements=judgements, groups=group(query, tuple(attempts))
    )
    return Case(query=query, evidence=evidence, attempt=0, candidates=())


def test_without_any_opinion_the_prediction_stands() -> None:
    """Nothing read, nothing changed."""
    assert PANEL.combine(0.7, case_of(by("a", "8"))) == pytest.approx(0.7)


def test_agreement_of_a_peer_raises_and_dissent_lowers() -> None:
    """The best free signal there is."""
    alone = PANEL.combine(0.7, case_of(by("a", "8")))
    agreed = PANEL.combine(0.7, case_of(by("a", "8"), by("b", "**8**")))
    opposed = PANEL.combine(0.7, case_of(by("a", "8"), by("b", "6")))
    assert opposed < alone < agreed


def test_a_better_peer_weighs_more() -> None:
    """Dissent of a strong model costs more than dissent of a weak one, and so with agreement."""
    opposed, agreed = case_of(by("a", "8"), by("b", "6")), case_of(by("a", "8"), by("b", "8"))
    strong, weak = (
        [PANEL.confidences((0.6, q), case)[0] for case in (opposed, agreed)] for q in (0.9, 0.4)
    )
    assert strong[0] is not None
    assert weak[0] is not None
    assert strong[1] is not None
    assert weak[1] is not None
    assert strong[0] < weak[0]
    assert strong[1] > weak[1]


def test_at_most_one_group_is_right() -> None:
    """Answers that exclude each other share less than one whole."""
    case = case_of(by("a", "8"), by("b", "6"), by("c", "7"))
    panel = LogOddsPanel(state=full_vote())
    total = sum(c or 0.0 for c in panel.confidences((0.9, 0.9, 0.9), case))
    assert total < 1.0


def full_vote() -> PanelState:
    """The prior state, but rivals count in full."""
    state = PanelState.default()
    forms = {name: replace(form, oppose=1.0) for name, form in state.forms.items()}
    return replace(state, forms=forms)


def test_a_failed_hard_check_caps_the_probability() -> None:
    """A call to a tool that does not exist never passes, whatever else speaks for it."""
    bad = ruled("rules", 0.0, verdict="tools: no tool is called 'fly'")
    praise = (ruled("llm:x", 1.0), ruled("llm:y", 1.0), ruled("logprob", 1.0))
    assert PANEL.combine(0.99, case_of(by("a", "8"), judgements=(bad, *praise))) < 0.05
    unheard = ruled("rules", 0.0, verdict="new_check: some fault")
    assert PANEL.combine(0.99, case_of(by("a", "8"), judgements=(unheard,))) <= 0.1


def test_prose_is_neither_agreed_nor_opposed() -> None:
    """Two different essays are no dissent; only the soft overlap counts."""
    other = PROSE.replace("spin", "hunt")
    case = case_of(by("a", PROSE), by("b", other), text=ESSAY)
    assert PANEL.combine(0.7, case) == pytest.approx(0.7)
    soft = case_of(
        by("a", PROSE), by("b", other), judgements=(ruled("agreement", 0.7),), text=ESSAY
    )
    assert PANEL.combine(0.7, soft) > 0.7


def test_agreement_is_not_counted_twice() -> None:
    """Where groups vote, the agreement judge's value is already in them."""
    said = ruled("agreement", 1.0)
    with_it = case_of(by("a", "8"), by("b", "8"), judgements=(said,))
    assert PANEL.combine(0.7, with_it) == PANEL.combine(0.7, case_of(by("a", "8"), by("b", "8")))


def test_many_model_judges_are_worth_few() -> None:
    """Nine judges that all say nine are not nine times the evidence."""
    one = PANEL.combine(0.5, case_of(by("a", "8"), judgements=(ruled("llm:0", 0.9),)))
    nine = tuple(ruled(f"llm:{i}", 0.9) for i in range(9))
    many = PANEL.combine(0.5, case_of(by("a", "8"), judgements=nine))
    assert logit(many) < 2.0 * logit(one)
    assert n_eff(9, 0.5) == pytest.approx(1.8)
    assert n_eff(0, 0.5) == 0.0


def test_a_failed_attempt_has_no_confidence() -> None:
    """`confidences` tells None for it, and it votes for nothing."""
    failed = Attempt(candidate="b", failure=Overloaded("down"))
    case = case_of(by("a", "8"), failed)
    answered, missing = PANEL.confidences((0.7, 0.9), case)
    assert answered == pytest.approx(0.7)
    assert missing is None


JUDGES = ("rules", "logprob", "agreement", "llm:x", "llm:y", "unknown")
VALUES = st.one_of(st.none(), st.floats(0.0, 1.0))
RULED = st.builds(
    ruled,
    st.sampled_from(JUDGES),
    VALUES,
    st.integers(0, 2),
    st.sampled_from(["", "json: no", "choice: none", "odd"]),
)
TEXTS = st.lists(st.sampled_from(["8", "6", "eight it is", PROSE, ""]), min_size=1, max_size=3)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any evidence of up to three attempts."""
    attempts = tuple(by(f"m{i}", text) for i, text in enumerate(draw(TEXTS)))
    said = [j for j in draw(st.lists(RULED, max_size=6)) if j.attempt < len(attempts)]
    case = case_of(*attempts, judgements=tuple(said), text=draw(st.sampled_from([QUESTION, ESSAY])))
    return structs.replace(case, attempt=draw(st.integers(0, len(attempts) - 1)))


@given(case=cases(), quality=st.floats(0.0, 1.0))
def test_a_probability_is_strictly_inside_0_and_1(case: Case, quality: float) -> None:
    """No evidence makes anything certain."""
    assert 0.0 < PANEL.combine(quality, case) < 1.0


@given(case=cases(), quality=st.floats(0.0, 1.0), judge=st.sampled_from(JUDGES))
def test_an_abstaining_judge_changes_nothing(case: Case, quality: float, judge: str) -> None:
    """No opinion is no evidence."""
    silent = (*case.evidence.judgements, ruled(judge, None, case.attempt))
    more = structs.replace(case, evidence=structs.replace(case.evidence, judgements=silent))
    assert PANEL.combine(quality, more) == PANEL.combine(quality, case)


@given(case=cases(), quality=st.floats(0.0, 1.0), data=st.data())
def test_more_praise_never_lowers(case: Case, quality: float, data: st.DataObject) -> None:
    """The panel is monotone in each judge's value for the attempt."""
    judge = data.draw(st.sampled_from(JUDGES))
    low, high = sorted(data.draw(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0))))
    results = []
    for value in (low, high):
        said = (*case.evidence.judgements, ruled(judge, value, case.attempt, "json: no"))
        evidence = structs.replace(case.evidence, judgements=said)
        results.append(PANEL.combine(quality, structs.replace(case, evidence=evidence)))
    assert results[0] <= results[1] + 1e-12


@given(case=cases(), quality=st.floats(0.0, 1.0), data=st.data())
def test_the_order_of_opinions_and_attempts_does_not_matter(
    case: Case, quality: float, data: st.DataObject
) -> None:
    """Who spoke first is no evidence."""
    evidence = case.evidence
    order = data.draw(st.permutations(range(len(evidence.attempts))))
    place = {old: new for new, old in enumerate(order)}
    said = data.draw(st.permutations(evidence.judgements))
    attempts = tuple(evidence.attempts[i] for i in order)
    turned = Evidence(
        attempts=attempts,
        judgements=tuple(structs.replace(j, attempt=place[j.attempt]) for j in said),
        groups=group(case.query, attempts),
    )
    other = structs.replace(case, evidence=turned, attempt=place[case.attempt])
    assert PANEL.combine(quality, other) == pytest.approx(PANEL.combine(quality, case), abs=1e-12)


@given(case=cases(), quality=st.floats(0.01, 0.99))
def test_one_quality_for_all_is_what_combine_takes(case: Case, quality: float) -> None:
    """`combine` is `confidences` with peers as good as the attempt itself."""
    everyone = PANEL.confidences([quality] * len(case.evidence.attempts), case)
    assert everyone[case.attempt] == PANEL.combine(quality, case)


def test_the_state_travels_through_arrays() -> None:
    """What is written is what is read."""
    state = PanelState.default()
    again = PanelState.from_arrays(state.to_arrays())
    assert dict(again.forms) == dict(state.forms)
    assert dict(again.curves) == dict(state.curves)
    assert dict(again.caps) == dict(state.caps)
    assert again.correlation == state.correlation


def test_an_artifact_may_leave_parts_out_and_name_one_judge() -> None:
    """Absent parts keep their priors; a judge's own curve goes before that of its kind."""
    own = np.array([[0.0, 1.0], [-3.0, 3.0]])
    state = PanelState.from_arrays({"panel/curve/llm:x": own, "estimate/w": np.zeros(3)})
    panel = LogOddsPanel(state=state)
    x, y = (
        panel.combine(0.5, case_of(by("a", "8"), judgements=(ruled(f"llm:{n}", 1.0),)))
        for n in "xy"
    )
    assert x == pytest.approx(sigmoid(3.0))
    assert y < x


@pytest.mark.parametrize(
    ("key", "array"),
    [
        ("panel/forms", np.zeros((2, 2))),
        ("panel/forms", np.full((6, 9), -1.0)),
        ("panel/forms", np.full((6, 9), np.nan)),
        ("panel/curve/llm", np.array([[0.0, 1.0], [1.0, -1.0]])),
        ("panel/curve/llm", np.array([1.0, 2.0])),
        ("panel/cap/json", np.array([2.0])),
        ("panel/correlation", np.array([-0.1])),
        ("panel/novel", np.array([1.0])),
    ],
)
def test_a_bad_artifact_is_refused_in_one_line(key: str, array: np.ndarray) -> None:
    """Negative weights, falling curves, wrong shapes and unknown keys never reach the panel."""
    with pytest.raises(BadInput, match="panel/"):
        PanelState.from_arrays({key: array})


def test_curves_are_straight_between_knots_and_flat_beyond() -> None:
    """A judge's value maps to log-odds piece by piece."""
    curve = Curve(x=(0.2, 0.4, 0.8), y=(-1.0, 0.0, 2.0))
    points = [curve.at(v) for v in (0.0, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)]
    assert points == pytest.approx([-1.0, -1.0, -0.5, 0.0, 1.0, 2.0, 2.0])
    assert curve_of(curve.as_array()) == curve


def test_a_verdict_takes_microseconds() -> None:
    """Replay judges thousands of queries a second."""
    case = case_of(
        by("a", "8"), by("b", "8"), judgements=(ruled("rules", 1.0), ruled("llm:x", 0.8))
    )
    started = time.process_time()
    for _ in itertools.repeat(None, 1_000):
        PANEL.combine(0.7, case)
    assert time.process_time() - started < 1.0


def test_an_answer_that_cannot_be_read_keeps_a_share() -> None:
    """Where a short answer is due and none can be read, little is left of the probability."""
    default = PanelState.default()
    forms = {name: replace(form, unread=0.2) for name, form in default.forms.items()}
    panel = LogOddsPanel(state=replace(default, forms=forms))
    mute, read = case_of(by("a", PROSE)), case_of(by("a", "8"))
    assert panel.combine(0.8, read) == pytest.approx(0.8)
    assert panel.combine(0.8, mute) == pytest.approx(0.16)
    arrays = panel.state.to_arrays()
    assert PanelState.from_arrays(arrays).forms == forms
    with pytest.raises(BadInput, match="panel/unread"):
        PanelState.from_arrays(arrays | {"panel/unread": np.array([2.0])})


def test_the_level_is_set_at_last_and_keeps_the_order() -> None:
    """A shift and a slope of all log-odds; an artifact keeps them, and refuses a falling one."""
    state = replace(PanelState.default(), shift=-0.5, slope=0.8)
    low = LogOddsPanel(state).combine(0.7, case_of(by("a", "8")))
    assert logit(low) == pytest.approx(-0.5 + 0.8 * logit(0.7))
    kept = PanelState.from_arrays(state.to_arrays())
    assert (kept.shift, kept.slope) == (-0.5, 0.8)
    with pytest.raises(BadInput, match="level"):
        PanelState.from_arrays({"panel/level": np.array([0.0, -1.0])})
