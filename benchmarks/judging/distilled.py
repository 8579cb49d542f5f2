"""What a verifier that costs microseconds is worth, learned from a panel and not from labels.

    python benchmarks/judging/distilled.py --data DIR

The panel: what the other models' equal answers say of an answer (zeroeval, mmlu_pro,
reasoning_gym), or what five LLM judges say of it (llmbar). The verifier sees an answer's text and
its query alone, is fitted on the panel's probability on top of what is free already (who answered,
and whether an answer can be read), and is tested on kinds of task that it has not seen; beside it
one that was fitted on the truth itself. Then its word goes to the served panel and policy as that
of a judge without a price: one half of the prompts is fitted on, the other replayed.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from emafusion.domain.features import Floats
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.replaying import Asked, replay, summary_of
from emafusion.learn.panel.figures import auc

sys.path.insert(0, str(Path(__file__).parent))
from cascade import TABLES, halves

Bools = npt.NDArray[np.bool_]

FOLDS, ROWS, RIGHT, RIDGE = 3, 30_000, 0.99, 30.0
VOTERS = ("ChatGPT", "GPT-4", "PaLM2", "LLaMA2", "Falcon")
HEDGES = re.compile(r"\b(?:maybe|perhaps|possibly|might|unsure|unclear|assume|likely)\b")
TURNS = re.compile(r"\b(?:wait|however|actually|instead|mistake|correction|let me re)")
ENDS = re.compile(r"answer is|answer:|\\boxed|####|therefore|thus|final")
WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """N answers. `told`: float64[N], the panel's probability; `own`: float64[N, k], features."""

    frame: pl.DataFrame
    right: Floats
    told: Floats
    own: Floats

    @property
    def kind(self) -> list[str]:
        """Data set of each."""
        return self.frame["dataset"].to_list()


def main() -> None:
    """Print AUC on unseen kinds, then points of accuracy at equal cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    print("| table | answers | free | and verifier | and panel | verifier fitted on the truth |")
    print("| --- | --- | --- | --- | --- | --- |")
    for table in ("zeroeval", "mmlu_pro", "reasoning_gym", "llmbar"):
        rank(table, read(folder, table, most=ROWS))
    text = "The answer is 42 since 6 * 7 = 42. " * 60
    begun = time.process_time()
    for _ in range(200):
        features("What is 6 times 7?", text, "42")
    print(f"\n{(time.process_time() - begun) / 200 * 1e6:.0f} us for an answer of 500 words\n")
    for name in ("zeroeval gsm", "zeroeval crux", "reasoning_gym"):
        decide(folder, name)


def rank(table: str, answers: Answers) -> None:
    """One row: mean AUC over held-out kinds of task."""
    found = chances(answers)
    rows = list(folds(answers.kind))
    figures = {
        name: float(np.mean([auc(answers.right[held], chance[held]) for held in rows]))
        for name, chance in found.items()
    }
    free = figures["free"]
    more = (f"{100 * (figures[name] - free):+.1f}" for name in ("distilled", "panel", "truth"))
    print(f"| {table} | {len(answers.right):,} | {free:.3f} | {' | '.join(more)} |", flush=True)


def decide(folder: Path, name: str) -> None:
    """Points over the best single model by the code that serves, without and with the verifier."""
    answers = read(folder, TABLES[name][0], most=None)
    value = 1 / (1 + np.exp(-chances(answers, names=("distilled",))["distilled"]))
    grades = answers.frame.select("query_id", "model").with_columns(
        judge=pl.lit("verifier"), repeat=pl.lit(0), judge_score=value, cost_usd=pl.lit(0.0)
    )
    first, second = halves(folder, name, 1)
    for what, judges in (("without", None), ("with", grades)):
        artifact = fit(first, Wish(name=name), judges=judges)
        summary = summary_of(replay(second, artifact, Asked(), judges=judges))
        points = [
            f"{b.share:g} B {100 * b.over_best.mean:+.2f}"
            for b in summary.budgets[::-1]
            if b.over_best is not None
        ]
        print(f"{name}, {what} the verifier: {', '.join(points)}", flush=True)


def chances(
    answers: Answers, names: tuple[str, ...] = ("distilled", "panel", "truth")
) -> dict[str, Floats]:
    """Log-odds of each answer by what was fitted on other kinds of task."""
    found = {name: np.zeros(len(answers.right)) for name in ("free", *names)}
    unread = answers.frame["answer"].is_null().to_numpy().astype(float)[:, None]
    for held in folds(answers.kind):
        seen = ~held
        able = logit(ability(answers, seen))
        plain = fitted(unread[seen], answers.told[seen], able[seen])
        free = able + plain[0] + unread[:, 0] * plain[1]
        mean, spread = answers.own[seen].mean(axis=0), answers.own[seen].std(axis=0) + 1e-9
        own = np.clip((answers.own - mean) / spread, -4, 4)
        inputs = {
            "distilled": (own, answers.told),
            "panel": (logit(answers.told)[:, None], answers.right),
            "truth": (own, answers.right),
        }
        found["free"][held] = free[held]
        for name in names:
            x, target = inputs[name]
            weights = fitted(x[seen], target[seen], free[seen])
            found[name][held] = free[held] + weights[0] + x[held] @ weights[1:]
    return found


def folds(kind: list[str]) -> Iterator[Bools]:
    """Whole kinds of task at a time."""
    names = sorted(set(kind))
    count = min(FOLDS, len(names))
    drawn = np.random.default_rng(0).permutation(len(names))
    place = {name: int(drawn[i]) % count for i, name in enumerate(names)}
    own = np.array([place[each] for each in kind])
    for fold in range(count):
        yield own == fold


def ability(answers: Answers, seen: Bools) -> Floats:
    """What the panel says of each one's model on what was seen, drawn to the mean."""
    mean = float(answers.told[seen].mean())
    some = answers.frame.with_columns(told=pl.Series(answers.told)).filter(pl.Series(seen))
    by_model = some.group_by("model").agg(pl.col("told").sum(), pl.len().alias("n"))
    known = {name: (told + 10 * mean) / (n + 10) for name, told, n in by_model.iter_rows()}
    return np.array([known.get(name, mean) for name in answers.frame["model"]])


def fitted(x: Floats, target: Floats, base: Floats) -> Floats:
    """Bias and weights of a logistic regression on top of known log-odds; soft targets."""
    design = np.column_stack((np.ones(len(x)), x))
    weights = np.zeros(design.shape[1])
    ridge = np.diag([1e-3, *[RIDGE] * x.shape[1]])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(base + design @ weights)))
        step = np.linalg.solve(
            design.T @ (design * (p * (1 - p))[:, None]) + ridge,
            design.T @ (target - p) - ridge @ weights,
        )
        weights += step
        if abs(step).max() < 1e-6:
            break
    return weights


def logit(chance: Floats) -> Floats:
    """Log-odds, held within 5."""
    held = np.clip(chance, 0.0067, 0.9933)
    return np.log(held / (1 - held))


def features(prompt: str, text: str, answer: str | None) -> list[float]:
    """Numbers of an answer and its query."""
    lower = text.lower()
    words, asked = WORD.findall(lower), set(WORD.findall(prompt.lower()))
    n, lines, tail = max(len(words), 1), text.splitlines() or [""], lower[-200:]
    own = set(words)
    return [
        math.log1p(len(text)), math.log1p(len(text)) ** 2, math.log1p(len(prompt)),
        math.log1p(len(HEDGES.findall(lower))), math.log1p(len(TURNS.findall(lower))),
        float(bool(ENDS.search(tail))), math.log1p(len(answer or "")),
        sum(map(text.count, "0123456789")) / max(len(text), 1), text.count("=") / n,
        len(own) / n, len(own & asked) / max(len(asked), 1), len(own & asked) / max(len(own), 1),
        len(set(lines)) / len(lines), math.log1p(len(lines)), float("```" in text),
        float("?" in tail), float(text.rstrip()[-1:] in ".!}]`)"), math.log1p(text.count("*")),
    ]  # fmt: skip


def read(folder: Path, table: str, *, most: int | None) -> Answers:
    """The answers of a table with what its panel says of each; `most`: drawn by chance."""
    frame = pl.read_parquet(folder / f"{table}.parquet").filter(pl.col("response").is_not_null())
    if table == "llmbar":
        frame = frame.join(by_judges(folder), on=["query_id", "model"])
    else:
        frame = by_peers(frame)
    frame = frame.unique(("query_id", "model"), keep="first", maintain_order=True)
    frame = frame if most is None else frame.sample(min(most, frame.height), seed=0)
    made = [features(*row) for row in frame.select("prompt", "response", "answer").iter_rows()]
    return Answers(
        frame=frame.select("query_id", "dataset", "model", "answer"),
        right=(frame["score"].to_numpy() >= RIGHT).astype(float),
        told=frame["told"].to_numpy(),
        own=np.array(made),
    )


def by_peers(frame: pl.DataFrame) -> pl.DataFrame:
    """The share of the other models that gave the same answer; none where it cannot be read."""
    same = pl.len().over("query_id", "answer") - 1
    all_of_them = pl.len().over("query_id") - 1
    share = pl.when(pl.col("answer").is_null()).then(0.0).otherwise(same / all_of_them)
    return frame.with_columns(told=share.cast(pl.Float64)).filter(pl.col("told").is_not_nan())


def by_judges(folder: Path) -> pl.DataFrame:
    """The mean preference of five judges, each in both orders."""
    grades = pl.read_parquet(folder / "llmbar.judges.parquet")
    voters = pl.col("judge").is_in([f"{name}/Vanilla" for name in VOTERS])
    mean = pl.col("judge_score").cast(pl.Float64).mean().alias("told")
    return grades.filter(voters).group_by("query_id", "model").agg(mean)


if __name__ == "__main__":
    main()
