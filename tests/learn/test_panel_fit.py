"""Fitting the panel: the arrays compute what is served, and a fit finds what made the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.query import ask
from emafusion.judge.answers import short_answer
from emafusion.judge.asked import FORMS
from emafusion.judge.grouping import group
from emafusion.judge.panel import LogOddsPanel
from emafusion.judge.state import PanelState
from emafusion.learn.agreeing import NOT_ASKED, UNREADABLE
from emafusion.learn.panel.__main__ import PLAIN, main
from emafusion.learn.panel.curves import at, evidence_curve, rising, slope
from emafusion.learn.panel.figures import auc, ece
from emafusion.learn.panel.looks import Looks, fold_of, read_looks
from emafusion.learn.panel.table import Answered, fit_panel
from emafusion.learn.panel.vote import PRIOR, Sample, fit_caps, fit_vote, probabilities
from emafusion.store.artifact import load

PROSE = "Spiders have legs, and most of them spin webs in the corners of old houses. " * 2
TEXTS = ("8", "6", "7", PROSE)


def looks_of(texts: tuple[str, ...], quality: tuple[float, ...], failed: tuple[str, ...]) -> Looks:
    """One query with these answers."""
    groups = group(ask("Tell."), attempts_of(texts))
    keyed = [text != PROSE for text in texts]
    return Looks(
        name="one",
        quality=np.array([quality]),
        right=np.zeros((1, len(texts))),
        same=np.array([[[a == b for b in groups] for a in groups]]),
        keyed=np.array([keyed]),
        failed=np.array([failed]),
        form=np.array([FORMS.index("text")]),
        fold=np.array([0]),
        weight=1.0,
    )


def attempts_of(texts: tuple[str, ...]) -> tuple[Attempt, ...]:
    """One attempt for each text."""
    return tuple(
        Attempt(candidate=f"m{i}", reply=Reply(choices=(Choice(text=text),), model="m"))
        for i, text in enumerate(texts)
    )


ONE = st.tuples(st.sampled_from(TEXTS), st.floats(0.01, 0.99), st.sampled_from(["", "json"]))


@given(answers=st.lists(ONE, min_size=1, max_size=4))
def test_the_fit_computes_what_the_panel_serves(answers: list[tuple[str, float, str]]) -> None:
    """Array code and served code give the same probabilities on any answers."""
    texts, quality, failed = zip(*answers, strict=True)
    state = PanelState.default()
    judgements = tuple(
        Judgement(judge="rules", attempt=i, value=0.0, verdict=f"{name}: no")
        for i, name in enumerate(failed)
        if name
    )
    attempts = attempts_of(texts)
    evidence = Evidence(
        attempts=attempts, judgements=judgements, groups=group(ask("Tell."), attempts)
    )
    case = Case(query=ask("Tell."), evidence=evidence, attempt=0, candidates=())
    served = LogOddsPanel(state=state).confidences(quality, case)
    fitted = probabilities(PRIOR, looks_of(texts, quality, failed), state.caps)
    assert fitted[0].tolist() == pytest.approx(list(served))


def simulated(theta: tuple[float, ...], n: int, seed: int = 3) -> Looks:
    """Answers drawn so that the panel with `theta` is right about them."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 2, size=(n, 3))
    looks = Looks(
        name="made",
        quality=rng.uniform(0.2, 0.9, size=(n, 3)),
        right=np.zeros((n, 3)),
        same=groups[:, :, None] == groups[:, None, :],
        keyed=np.ones((n, 3), dtype=bool),
        failed=np.where(rng.random((n, 3)) < 0.1, "json", ""),
        form=np.full(n, FORMS.index("text")),
        fold=rng.integers(0, 5, size=n),
        weight=1.0,
    )
    chance = probabilities(np.array(theta), looks, {"json": 0.3})
    return replace(looks, right=(rng.random((n, 3)) < chance).astype(np.float64))


def test_a_fit_finds_the_parameters_that_made_the_data() -> None:
    """With twenty thousand looks the maximum is near the truth."""
    truth = (0.05, 0.8, 1.6, 0.2, 0.6, 0.5)
    looks = simulated(truth, 20_000)
    found = fit_vote([Sample(looks=looks, weight=1.0)], {"json": 0.3})
    assert found == pytest.approx(truth, abs=0.15)
    prior = {**PanelState.default().caps, "json": 0.05}
    caps = fit_caps(found, [Sample(looks=looks, weight=1.0)], prior)
    assert caps["json"] == 0.05, "a decision, not fitted"


def test_few_labels_stay_near_the_prior() -> None:
    """Ten looks do not overturn what is known."""
    found = fit_vote([Sample(looks=simulated((0.5, 0.3, 4.0, 1.0, 0.1, 0.9), 10), weight=1.0)], {})
    assert np.abs(found - PRIOR).max() < 0.7


@given(values=st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_a_rising_sequence_never_falls(values: list[float]) -> None:
    """Pooling keeps the mean and makes the sequence non-falling."""
    result = rising(np.array(values), np.ones(len(values)))
    assert (np.diff(result) >= -1e-12).all()
    assert result.mean() == pytest.approx(np.mean(values), abs=1e-9)


def test_a_curve_learns_what_a_grade_is_worth() -> None:
    """Grades of right answers are higher: the curve rises through 0 and stays bounded."""
    rng = np.random.default_rng(0)
    right = (rng.random(2_000) < 0.3).astype(np.float64)
    grade = np.clip(np.round(rng.normal(4 + 2 * right, 2)), 0, 10) / 10
    curve = evidence_curve(grade, right, np.arange(11) / 10)
    assert curve.y[0] < 0 < curve.y[-1] <= 3.0
    base = np.full(2_000, np.log(0.3 / 0.7))
    assert slope(right, base, at(curve, grade)) == pytest.approx(1.0, abs=0.3)
    assert slope(right, base, rng.normal(size=2_000)) < 0.2


def test_separated_evidence_does_not_blow_up() -> None:
    """Where grades tell right from wrong without error the weight stays finite."""
    right = np.array([0.0] * 20 + [1.0] * 20)
    assert slope(right, np.zeros(40), right * 4 - 2, ridge=1.0) < 10.0


def test_figures_say_how_good_probabilities_are() -> None:
    """Ranking with ties half, calibration by bins."""
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(right, np.array([0.9, 0.5, 0.5, 0.1])) == 0.875
    assert np.isnan(auc(np.ones(3), np.ones(3)))
    assert ece(right, np.array([0.5, 0.5, 0.5, 0.5])) == 0.0
    assert ece(right, np.array([0.99, 0.99, 0.99, 0.99])) == pytest.approx(0.49)


def test_near_copies_of_a_prompt_share_a_fold() -> None:
    """A repeated question never stands on both sides."""
    assert fold_of("What is 2 + 2?") == fold_of("what is 2+2")


def answered(part: str, i: int, m: int, *, right: bool) -> dict[str, str | float]:
    """One row of an outcome table: a sum, right or one too many."""
    return {
        "query_id": f"{part}-{i}",
        "prompt": f"How many is {i} plus {len(part)}, in {part}?",
        "dataset": part,
        "model": f"m{m}",
        "response": f"Answer: {i + len(part) + (not right)}",
        "score": float(right),
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with small tables of every kind that the fit reads."""
    rng = np.random.default_rng(1)
    for name, parts in (
        ("mmlu_pro", ("mmlu_pro/math",)),
        ("zeroeval", ("gsm", "crux")),
        ("reasoning_gym", ("rg/algebra",)),
    ):
        rows = [
            answered(part, i, m, right=rng.random() < 0.4 + 0.1 * m)
            for part in parts
            for i in range(120)
            for m in range(4)
        ]
        pl.DataFrame(rows).write_parquet(tmp_path / f"{name}.parquet")
    grades(tmp_path, "rewardbench2", PLAIN)
    grades(tmp_path, "llmbar", ("GPT-4/Rating", "ChatGPT/Rating"))
    return tmp_path


def grades(folder: Path, name: str, judges: tuple[str, ...]) -> None:
    """An outcome table and its judge table."""
    rng = np.random.default_rng(2)
    truth = [(f"q{i}", f"m{m}", rng.random() < 0.4) for i in range(60) for m in range(3)]
    said = [
        {
            "query_id": query_id,
            "model": model,
            "judge": judge,
            "judge_kind": "llm_point",
            "repeat": 0,
            "judge_score": float(np.clip(np.round(rng.normal(4 + 3 * right, 2)), 1, 10)),
        }
        for query_id, model, right in truth
        for judge in judges
    ]
    outcomes = [{"query_id": q, "model": m, "score": float(right)} for q, m, right in truth]
    pl.DataFrame(outcomes).write_parquet(folder / f"{name}.parquet")
    pl.DataFrame(said).write_parquet(folder / f"{name}.judges.parquet")


def test_the_command_writes_an_artifact_that_the_panel_reads(data: Path, tmp_path: Path) -> None:
    """From tables to a panel state, with the figures on its card."""
    embedded = data / "embedded.jsonl"
    rng = np.random.default_rng(4)
    rows = [
        {
            "query_id": f"e{i}",
            "prompt": f"Say {i}",
            "dataset": "d",
            "model": "small",
            "mean_logprob": float(-rng.random()),
            "score": float(rng.random() < 0.5),
        }
        for i in range(200)
    ]
    pl.DataFrame(rows).write_ndjson(embedded)
    out = tmp_path / "panel"
    args = ["--data", str(data), "--embedded", str(embedded), "--out", str(out), "--queries", "100"]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    artifact = load(out)
    state = PanelState.from_arrays(artifact.arrays)
    assert set(state.forms) == set(FORMS)
    assert 0.0 <= state.correlation <= 1.0
    assert "grades: panel, judges measured auc" in artifact.card.figures
    assert "logprob auc" in artifact.card.figures
    assert {s.licence for s in artifact.card.sources} == {"Apache-2.0"}


def test_looks_are_read_as_in_service(data: Path) -> None:
    """Groups and keys of recorded replies come of the served reader."""
    looks = read_looks(data / "mmlu_pro.parquet", "", queries=100, seed=1)
    assert looks.right.shape == (100, 3)
    assert looks.keyed.all()
    both = looks.right[:, 0] * looks.right[:, 1]
    assert looks.same[both == 1.0, 0, 1].all(), "right answers to one query are equal"
    reply = Reply(choices=(Choice(text="Answer: 12"),), model="m")
    assert short_answer(ask("How many is 1 plus 11, in x?"), reply) == "number:12"


def recorded(n: int, *, models: int = 5, seed: int = 1) -> Answered:
    """Models right in half of the cases; one answer in ten cannot be read and is never right.

    Sure answers are right more often.
    """
    rng = np.random.default_rng(seed)
    right = rng.random((n, models)) < 0.5
    groups = np.where(right, 0, rng.integers(1, 4, size=(n, models)))
    mute = rng.random((n, models)) < 0.1
    groups[mute], right[mute] = UNREADABLE, False
    belief = np.clip(0.5 + 0.3 * right + rng.normal(0.0, 0.15, size=(n, models)), 0.05, 0.99)
    score = right.astype(np.float64)
    groups[0, 0], score[0, 0] = NOT_ASKED, np.nan
    quality = np.full((n, models), 0.45)
    form = np.full(n, FORMS.index("number"))
    return Answered(form=form, groups=groups, score=score, quality=quality, mean_p=belief)


def test_a_panel_learns_from_a_table() -> None:
    """What cannot be read is worth little, sure words are worth something, wrong ones rarely meet.

    A handful of rows changes nothing.
    """
    prior = PanelState.default()
    state = fit_panel(recorded(800), lambda _query, _model: "", prior)
    number = state.forms["number"]
    assert number.unread < 0.3
    assert state.forms["choice"] == prior.forms["choice"]
    assert state.same > 0.95
    assert state.collide == pytest.approx(1 / 3, abs=0.05)
    belief = state.curves["logprob"]
    assert belief.at(0.3) < -0.5
    assert belief.at(0.9) > 0.5
    assert PanelState.from_arrays(state.to_arrays()) == state
    assert fit_panel(recorded(20), lambda _query, _model: "", prior) is prior


def test_each_model_has_a_logprob_curve_of_its_own() -> None:
    """One is as sure as it is right, the other always sounds sure: 0.9 means less of it."""
    rng = np.random.default_rng(0)
    belief = rng.uniform(0.3, 0.99, (800, 2))
    score = (rng.random((800, 2)) < belief).astype(np.float64)
    said = np.stack([belief[:, 0], 0.8 + 0.2 * belief[:, 1]], axis=1)
    answered = Answered(
        form=np.full(800, FORMS.index("choice")),
        groups=np.where(score > 0.5, 0, np.array([1, 2])),
        score=score,
        quality=np.full((800, 2), 0.65),
        mean_p=said,
        models=("honest", "loud"),
    )
    state = fit_panel(answered, lambda _i, _k: "", PanelState.default())
    honest, loud = state.curves["logprob@honest"], state.curves["logprob@loud"]
    assert honest.at(0.9) > loud.at(0.9) + 0.5
    panel = LogOddsPanel(state, {"a": "honest", "b": "loud"})
    judged = [
        panel.combine(
            0.65,
            Case(
                query=ask("Which?\nA. one\nB. two\nC. three"),
                evidence=Evidence(
                    attempts=(
                        Attempt(
                            candidate=name,
                            reply=Reply(choices=(Choice(text="A"),), model=name),
                        ),
                    ),
                    judgements=(Judgement(judge="logprob", attempt=0, value=0.9),),
                    groups=(0,),
                ),
                attempt=0,
                candidates=(),
            ),
        )
        for name in ("a", "b", "c")
    ]
    assert judged[0] > judged[2] > judged[1]
