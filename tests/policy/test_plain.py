"""Plain floats for one query: the very numbers of the arrays that serve many."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.policy.ahead import ahead, bench
from emafusion.policy.plain import nets, seats
from emafusion.policy.vote import Vote

CHANCES = st.floats(0.01, 0.99)
FEES = st.one_of(st.floats(0.0, 0.3), st.just(inf))


@given(
    st.lists(st.tuples(CHANCES, FEES), min_size=1, max_size=6),
    CHANCES,
    st.floats(0.0, 1.0),
    st.integers(2, 4),
    st.integers(-1, 5),
)
def test_one_query_alone_gains_what_it_would_among_many(
    pool: list[tuple[float, float]], held: float, comparable: float, looks: int, own: int
) -> None:
    """Whatever the pool, the first answer and who gave it."""
    own = own if own < len(pool) else -1
    quality, fee = (list(column) for column in zip(*pool, strict=True))
    vote = Vote()
    shut = np.array([[inf if k == own else 0.0 for k in range(len(pool))]])
    then = bench(np.array(quality), np.array(fee), vote)
    part = np.full((1, 1), comparable)
    many = ahead(np.array([held]), then, looks=looks, shut=shut, comparable=part)[0]
    alone = nets(held, seats(quality, fee, vote), looks=looks, comparable=comparable, own=own)
    assert alone == pytest.approx(many.tolist(), abs=1e-9)


@given(
    st.lists(st.tuples(CHANCES, st.floats(0.0, 0.1)), min_size=2, max_size=5),
    st.sampled_from([2, 3]),
)
def test_whoever_begins_two_calls_end_alike(pool: list[tuple[float, float]], looks: int) -> None:
    """Both asked, in either order, two models give the same quality in the end."""
    (p, _), (q, _) = pool[:2]
    vote, free = Vote(), [0.0, 0.0]
    then = seats([p, q], free, vote)
    first, second = (
        then[i].quality
        + max(nets(then[i].quality, then, looks=looks, comparable=1.0, own=i)[1 - i], 0.0)
        for i in (0, 1)
    )
    assert first == pytest.approx(second, abs=0.05)
