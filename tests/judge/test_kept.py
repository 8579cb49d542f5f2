"""What was asked in words: how long, and as what."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Choice, Reply
from emafusion.domain.query import ask
from emafusion.judge.kept import form_kept, length_asked, length_kept


def outcome(prompt: str, text: str) -> tuple[str, str]:
    """What both checks say of an answer to a prompt."""
    query, reply = ask(prompt), Reply(choices=(Choice(text=text),), model="m")
    return length_kept(query, reply).outcome, form_kept(query, reply).outcome


@pytest.mark.parametrize(
    ("prompt", "text", "said"),
    [
        ("Summarize this in at most 10 words.", "word " * 10, "ok"),
        ("Summarize this in at most 10 words.", "word " * 14, "bad"),
        ("Write at least 50 words on rain.", "word " * 20, "bad"),
        ("Explain it in exactly three bullet points.", "- a\n- b\n- c", "ok"),
        ("Explain it in exactly three bullet points.", "- a\n- b", "bad"),
        ("Please give a one-word answer.", "Blue", "ok"),
        ("Please give a one-word answer.", "It is blue.", "bad"),
        ("Describe it in 2 sentences.", "So. And so. And on. And on. And on.", "bad"),
        ("Write about 200 words on rain.", "Rain falls.", "abstain"),
        ("Ann read 40 pages in 30 words a minute.", "Yes.", "abstain"),
        ("Write at most 10 words, or at least 3 lines.", "No.", "abstain"),
        ("What is rain?", "Water.", "abstain"),
    ],
)
def test_a_length_that_was_asked_for_is_kept_or_not(prompt: str, text: str, said: str) -> None:
    """Only a plain wish, told to somebody, that stands alone."""
    assert outcome(prompt, text)[0] == said


@pytest.mark.parametrize(
    ("prompt", "text", "said"),
    [
        ("Is it so? Answer with yes or no.", "Yes, it is.", "ok"),
        ("Is it so? Answer with yes or no.", "Perhaps.", "bad"),
        ("Return only valid JSON.", '{"a": 1}', "ok"),
        ("Return only valid JSON.", 'Here:\n```json\n{"a": 1}\n```', "ok"),
        ("Return only valid JSON.", "So <answer>[1, 2]</answer> it is", "ok"),
        ("Return only valid JSON.", "I would rather not.", "bad"),
        ("What is JSON?", "A format.", "abstain"),
    ],
)
def test_a_form_that_was_asked_for_is_kept_or_not(prompt: str, text: str, said: str) -> None:
    """Yes or no; JSON asked for in words."""
    assert outcome(prompt, text)[1] == said


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_breaks_them(prompt: str, text: str) -> None:
    """Whatever is asked and answered."""
    assert outcome(prompt, text)[0] in {"ok", "bad", "abstain"}


def test_a_long_prompt_costs_little() -> None:
    """Only its end is read."""
    started = time.process_time()
    assert length_asked("in at most " * 200_000) is None
    outcome("in 1 words " * 200_000, "{" * 100_000)
    assert time.process_time() - started < 1.0
