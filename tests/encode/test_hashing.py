"""Hashed words: stable, bounded, of norm 1."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emafusion.encode.hashing import BUCKETS, clip, hash_words, split_words

GOLDEN = [971, 3715, 8700, 12783, 21336, 22444, 22657, 23475, 26934, 27214, 27533]


def test_buckets_never_change() -> None:
    """Stored weights are worth nothing if a word's bucket moves."""
    indices, _ = hash_words(((split_words("What is the capital of France?"), 1.0),))
    assert indices.tolist() == GOLDEN


@given(st.text(max_size=400))
def test_any_text_gives_a_vector_of_norm_one_or_nothing(text: str) -> None:
    """Whatever the script, buckets are distinct, ascending and in range."""
    indices, weights = hash_words(((split_words(text), 1.0),))
    assert np.all(np.diff(indices) > 0)
    assert np.all((indices >= 0) & (indices < BUCKETS))
    assert np.all(weights > 0)
    assert len(weights) == 0 or np.isclose(weights @ weights, 1.0)


def test_numbers_are_one_word_by_their_length() -> None:
    """Prompts that differ in their numbers only are the same prompt to the router."""
    assert split_words("add 12 and 37") == split_words("add 90 and 11")


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    """A Chinese sentence is more than one word."""
    assert len(split_words("今天天气很好")) == 6


@given(st.integers(1, 10**6))
def test_long_texts_are_cut(size: int) -> None:
    """Work is bounded: the start and the end of a long text stand for it."""
    assert len(clip("x" * size)) == (size if size <= 9000 else 9001)


def test_a_text_counts_less_when_its_weight_is_less() -> None:
    """Context of an earlier turn is heard, more softly."""
    now, before = split_words("yes"), split_words("prove")
    indices, weights = hash_words(((now, 1.0), (before, 0.5)))
    by_bucket = dict(zip(indices.tolist(), weights.tolist(), strict=True))
    loud = by_bucket[hash_words(((now, 1.0),))[0].item()]
    soft = by_bucket[hash_words(((before, 1.0),))[0].item()]
    assert soft < loud
