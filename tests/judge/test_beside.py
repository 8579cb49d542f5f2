"""An answer beside the other answers to its query."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.judge.beside import NOTHING, PREFIX, Beside, besides_of

ODDS = st.floats(min_value=-6.0, max_value=6.0)
BESIDE = Beside(shift=-0.2, slope=2.0, rival=1.5, least=2, most=4)


@given(low=ODDS, more=st.floats(min_value=0.0, max_value=3.0), others=st.lists(ODDS, max_size=5))
def test_more_of_its_own_never_tells_against_an_answer(
    low: float, more: float, others: list[float]
) -> None:
    """Whatever the others have."""
    assert BESIDE.odds(low + more, others) >= BESIDE.odds(low, others)


@given(own=ODDS, others=st.lists(ODDS, min_size=1, max_size=3), more=ODDS)
def test_a_better_rival_never_tells_for_it(own: float, others: list[float], more: float) -> None:
    """And the order of the others does not matter."""
    raised = [max(others) + abs(more), *others[1:]]
    assert BESIDE.odds(own, raised) <= BESIDE.odds(own, [max(others), *others[1:]])
    assert BESIDE.odds(own, others) == BESIDE.odds(own, others[::-1])


def test_it_says_nothing_where_it_was_not_learned() -> None:
    """An answer by itself, and one among more answers than any query had."""
    assert BESIDE.odds(0.7, []) == 0.7
    assert BESIDE.odds(0.7, [0.1] * 4) == 0.7
    assert NOTHING.odds(0.7, [3.0]) == 0.7


def test_it_is_kept_in_an_artifact_as_it_was() -> None:
    """Wrong shapes and weights below 0 are refused."""
    key = f"{PREFIX}dataset/maths"
    assert besides_of({key: BESIDE.as_array(), "task/": np.ones(3)}) == {"dataset/maths": BESIDE}
    for wrong in (np.ones(4), np.array([0.0, -1.0, 0.0, 2.0, 2.0])):
        with pytest.raises(BadInput, match="beside/dataset/maths"):
            besides_of({key: wrong})
