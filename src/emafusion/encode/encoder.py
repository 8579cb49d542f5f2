"""The encoder: a query in, features out."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np

from emafusion.domain.features import Features, Floats, Labels
from emafusion.domain.query import Format, Message, Query
from emafusion.encode.classify import ClassifierState, SparseWords, carry_depth, classify
from emafusion.encode.counts import count_features
from emafusion.encode.hashing import Words, clip, hash_words, split_words
from emafusion.encode.lexicon import Lexicon
from emafusion.encode.tokens import prompt_tokens

TURNS = 3
"""User turns that are looked at, counted from the last."""

SHORT_WORDS = 12
"""A last turn shorter than this is read together with the turn before it."""

CONTEXT_WEIGHT = 0.5
"""What a word of the turn before counts then."""

KEPT, KEPT_MESSAGES, KEPT_CHARS = 512, 16, 4_000
"""Queries whose features are kept, and messages and characters of those that are, at most: retries,
agents and tests ask the same again."""


class HashEncoder:
    """Hashed words, counts and labels of a query; implements `Encoder`.

    `lexicon`: words that have a place of their own besides. The last short queries are kept, by all
    that is looked at in them.

    >>> from emafusion.domain.query import ask
    >>> encoder = HashEncoder(ClassifierState.blank())
    >>> features = encoder.encode(ask("What is the capital of France?"))
    >>> len(features.indices), features.prompt_tokens
    (11, 10)
    """

    def __init__(self, state: ClassifierState, lexicon: Lexicon | None = None) -> None:
        self._state = state
        self._lexicon = lexicon if lexicon is not None and lexicon.words else None
        self._kept = lru_cache(KEPT)(self._features_of)

    def knowing(self, lexicon: Lexicon) -> HashEncoder:
        """The same encoder with other known words."""
        return HashEncoder(self._state, lexicon)

    def encode(self, query: Query, /) -> Features:
        """Turn a query into numbers and labels; work is bounded whatever its length."""
        if query.embedding is not None or not _is_short(query.messages) or query.tools:
            return self._features(query)
        return self._kept(query.messages, query.format, query.dataset)

    def _features_of(
        self, messages: tuple[Message, ...], shape: Format, dataset: str | None
    ) -> Features:
        return self._features(Query(query_id="", messages=messages, format=shape, dataset=dataset))

    def _features(self, query: Query) -> Features:
        texts = _recent_texts(query)
        turns = [split_words(text) for text in texts]
        tokens = prompt_tokens(query)
        counts = count_features(query, texts[0], turns[0], tokens=tokens)
        near = _with_context(turns)
        words = hash_words(near)
        labels = classify(self._state, words, counts)
        if self._lexicon is not None:
            words = _beside(words, self._lexicon.look_up([w for part, _ in near for w in part]))
        return Features(
            indices=words[0],
            weights=words[1],
            counts=counts,
            labels=self._carry(labels, turns[1:], counts),
            prompt_tokens=tokens,
            prompt_hash=_digest(query.prompt),
            dataset=query.dataset,
            embedding=query.embedding,
        )

    def _carry(self, labels: Labels, earlier: list[Words], counts: Floats) -> Labels:
        """Let the depth of earlier turns carry over."""
        if not earlier:
            return labels
        state = self._state
        depths = tuple(
            classify(state, hash_words(((words, 1.0),)), counts).depth for words in earlier
        )
        return Labels(
            task=labels.task,
            domain=labels.domain,
            format=labels.format,
            depth=carry_depth(labels.depth, depths),
        )


def _is_short(messages: tuple[Message, ...]) -> bool:
    few = len(messages) <= KEPT_MESSAGES
    return few and sum([len(message.text) for message in messages]) <= KEPT_CHARS


def _recent_texts(query: Query) -> list[str]:
    """Clipped texts of the last user turns, latest first; at least one, maybe empty."""
    users = [m for m in reversed(query.messages) if m.role == "user"][:TURNS]
    chosen = users or list(query.messages[-1:])
    return [clip(message.text) for message in chosen] or [""]


def _with_context(turns: list[Words]) -> tuple[tuple[Words, float], ...]:
    """The last turn, and the one before it where the last is short."""
    if len(turns) > 1 and len(turns[0]) < SHORT_WORDS:
        return (turns[0], 1.0), (turns[1], CONTEXT_WEIGHT)
    return ((turns[0], 1.0),)


def _beside(words: SparseWords, known: SparseWords) -> SparseWords:
    """Hashed words, then known ones, whose places come after all buckets."""
    return np.concatenate((words[0], known[0])), np.concatenate((words[1], known[1]))


def _digest(prompt: str) -> str:
    """Hash of the prompt, 32 hex digits."""
    return blake2b(prompt.encode("utf-8", "replace"), digest_size=16).hexdigest()
