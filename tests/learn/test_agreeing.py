"""Quality without labels: what equal answers of several models say."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emafusion.learn.agreeing import NOT_ASKED, UNREADABLE, agreed_quality


def drawn(rates: list[float], queries: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Groups and truth of models that are right at these rates; the right answer is group 0."""
    rng = np.random.default_rng(4)
    right = rng.random((queries, len(rates))) < np.array(rates)
    wrong = rng.integers(1, 4, right.shape)
    return np.where(right, 0, wrong), right


def test_models_are_ranked_without_a_single_label() -> None:
    """The order of the abilities is that of the true rates."""
    rates = [0.85, 0.75, 0.65, 0.55, 0.45]
    ability = agreed_quality(drawn(rates)[0]).ability
    assert ability.argsort().tolist() == [4, 3, 2, 1, 0]


def test_right_answers_are_told_from_wrong_ones() -> None:
    """Right answers get a far higher quality than wrong ones of the same model."""
    groups, right = drawn([0.8, 0.7, 0.7, 0.6, 0.6])
    quality = agreed_quality(groups).quality
    assert quality[right].mean() > quality[~right].mean() + 0.4


def test_what_could_not_be_read_is_taken_as_wrong_and_what_was_not_asked_as_unknown() -> None:
    """Unreadable answers count against a model, queries it never saw do not."""
    groups = np.zeros((20, 3), np.int64)
    groups[:10, 1] = UNREADABLE
    groups[:10, 2] = NOT_ASKED
    found = agreed_quality(groups)
    assert (found.quality[:10, 1] == 0).all()
    assert np.isnan(found.quality[:10, 2]).all()
    assert found.ability[1] < found.ability[2]


@settings(max_examples=30)
@given(st.permutations(range(4)), st.integers(0, 2**32 - 1))
def test_neither_the_order_of_models_nor_of_groups_matters(order: list[int], seed: int) -> None:
    """Renumbering groups and reordering models gives the same numbers."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(-2, 4, (30, 4))
    renamed = np.where(groups < 0, groups, 3 - groups)
    one, other = agreed_quality(groups), agreed_quality(renamed[:, order])
    np.testing.assert_allclose(one.quality[:, order], other.quality, atol=1e-9)
    np.testing.assert_allclose(one.ability[order], other.ability, atol=1e-9)
