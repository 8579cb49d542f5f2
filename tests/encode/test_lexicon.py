"""Words that have a place of their own: found whole or in pieces, and weighed to a sum of one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.domain.query import ask
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.hashing import BUCKETS
from emafusion.encode.lexicon import Lexicon

WORDS = ("sum", "treat", "treaty", "##y", "##ise", "gene")
LEXICON = Lexicon(words=WORDS, rarity=np.array([1.0, 2.0, 4.0, 1.0, 1.0, 3.0]))
PLAIN = HashEncoder(ClassifierState.blank())


def named(*words: str) -> list[str]:
    """What is found of these words."""
    places, _ = LEXICON.look_up([word.encode() for word in words])
    return [WORDS[place - BUCKETS] for place in places.tolist()]


def test_a_word_is_found_whole_before_its_pieces() -> None:
    """The longest known piece is taken first; what begins nothing is passed over."""
    assert named("treaty") == ["treaty"]
    assert named("geney") == ["##y", "gene"]
    assert named("sumise", "qqq") == ["sum", "##ise"]
    assert named("qqq", "") == []


def test_rare_words_weigh_more_and_weights_sum_to_one() -> None:
    """Twice as rare is twice the weight; a word met again weighs a little more."""
    _, weights = LEXICON.look_up([b"sum", b"gene"])
    assert weights.tolist() == pytest.approx([0.25, 0.75])
    _, again = LEXICON.look_up([b"sum", b"sum", b"gene"])
    assert 0.25 < again[0] < 0.5


@given(st.text(max_size=200))
def test_any_text_keeps_its_hashed_words_and_places_stay_ascending(text: str) -> None:
    """Known words come after all buckets and change nothing else."""
    plain, knowing = (each.encode(ask(text)) for each in (PLAIN, PLAIN.knowing(LEXICON)))
    hashed = len(plain.indices)
    np.testing.assert_array_equal(knowing.indices[:hashed], plain.indices)
    np.testing.assert_array_equal(knowing.weights[:hashed], plain.weights)
    assert np.all(np.diff(knowing.indices) > 0)
    assert np.all(knowing.indices[hashed:] >= BUCKETS)
    np.testing.assert_array_equal(knowing.labels.task, plain.labels.task)


def test_it_is_the_same_after_it_was_written_and_read() -> None:
    """Places follow the order of the words; no lexicon stores nothing."""
    again = Lexicon.from_arrays(LEXICON.to_arrays())
    assert again.words == WORDS
    np.testing.assert_allclose(again.rarity, LEXICON.rarity)
    assert Lexicon.none().to_arrays() == {}
    assert Lexicon.from_arrays({}).words == ()


def test_a_word_too_long_to_be_one_costs_nothing() -> None:
    """A megabyte without a space is not cut into pieces."""
    assert named("y" * 1_000_000) == []


def test_words_and_weights_must_fit_together() -> None:
    """One weight a word."""
    with pytest.raises(BadInput, match="2 known words have 1 weights"):
        Lexicon(words=("a", "b"), rarity=np.ones(1))
