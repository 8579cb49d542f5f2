"""What it takes to judge an answer of 500 words beside another one, by everything that is free.

    python benchmarks/judging/speed.py

Grouping, hard checks, log-probabilities, agreement and the panel; every answer is new.
"""

from __future__ import annotations

import random
import statistics
import time

from emafusion.build.judging import FREE_JUDGES
from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.evidence import Case, Evidence
from emafusion.domain.query import Query, ask
from emafusion.judge.grouping import group
from emafusion.judge.panel import LogOddsPanel
from emafusion.replay.driver import run

ROUNDS, SENTENCES = 500, 20
WORDS = ("the", "model", "because", "energy", "answer", "is", "force", "value", "42", "so", "get")


def main() -> None:
    """Print the median and the 90th percentile."""
    panel, judges = LogOddsPanel(), [make() for make in FREE_JUDGES.values()]
    taken: list[float] = []
    for i in range(ROUNDS):
        query = ask(f"How many apples are there in basket {i}? Explain.")
        attempts = tuple(answer(name, f"{name}{i}", i % 3) for name in ("a", "b"))
        started = time.perf_counter()
        case = case_of(query, Evidence(attempts=attempts, groups=group(query, attempts)))
        said = tuple(run(judge.judge(case), lambda _call: attempts[0]) for judge in judges)  # noqa: B023  # run at once
        whole = Evidence(attempts=attempts, groups=case.evidence.groups, judgements=said)
        panel.confidences((0.5, 0.5), case_of(query, whole))
        taken.append(time.perf_counter() - started)
    tenth = statistics.quantiles(taken, n=10)[-1]
    print(f"{1e6 * statistics.median(taken):.0f} us, nine of ten within {1e6 * tenth:.0f} us")


def answer(name: str, seed: str, number: int) -> Attempt:
    """Five hundred words and a number."""
    rng = random.Random(seed)  # words, no secret
    text = ". ".join(" ".join(rng.choices(WORDS, k=25)) for _ in range(SENTENCES))
    choice = Choice(text=f"{text}.\n\nThe answer is {number}.")
    return Attempt(candidate=name, reply=Reply(choices=(choice,), model=name))


def case_of(query: Query, evidence: Evidence) -> Case:
    """The first answer is judged."""
    return Case(query=query, evidence=evidence, attempt=0, candidates=())


if __name__ == "__main__":
    main()
