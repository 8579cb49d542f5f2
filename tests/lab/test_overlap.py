"""A replay on what was fitted on says so."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emafusion.lab.overlap import MARKS, marks_of, seen_among


@given(st.lists(st.text(max_size=30), max_size=8), st.lists(st.text(max_size=30), max_size=8))
def test_every_prompt_that_was_fitted_on_is_known_again(known: list[str], new: list[str]) -> None:
    """However it is written: case and punctuation do not make another prompt."""
    marks = marks_of(known)
    assert seen_among(marks, known) == len(known)
    assert seen_among(marks, [f" {prompt}?! " for prompt in known]) == len(known)
    assert seen_among({}, new) == 0


def test_marks_are_numbers_from_which_nothing_can_be_read() -> None:
    """64 bits each, in no order of the table's."""
    marks = marks_of(["b secret", "a secret"])[MARKS]
    assert marks.dtype == np.uint64
    assert (np.diff(marks.astype(object)) > 0).all()
