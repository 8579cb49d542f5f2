"""What is left of rate limits, by every provider's headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.upstream.budget import RetryBudget
from emafusion.upstream.headroom import KNOWN_FOR_S, headroom_of


@pytest.mark.parametrize(
    ("headers", "share"),
    [
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "30"}, 0.5),
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "30",
                "x-ratelimit-limit-tokens": "1000",
                "x-ratelimit-remaining-tokens": "100",
            },
            0.1,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "1000",
                "anthropic-ratelimit-input-tokens-remaining": "250",
            },
            0.25,
        ),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "99"}, 0.99),
        ({"x-ratelimit-remaining-requests": "0"}, 0.0),
        ({"x-ratelimit-remaining-requests": "7"}, None),
        ({"x-ratelimit-limit-requests": "x", "x-ratelimit-remaining-requests": "?"}, None),
        ({"content-type": "application/json"}, None),
    ],
)
def test_the_tightest_limit_counts(headers: dict[str, str], share: float | None) -> None:
    """Each limit with a size; where nothing is left, also one without."""
    room = headroom_of(headers, clock_s=100.0)
    assert (None if room is None else room.share) == share


def test_what_is_used_up_is_so_until_its_reset() -> None:
    """As the provider says, a minute at most; for a second where it does not say."""
    told = {"x-ratelimit-limit-tokens": "9", "x-ratelimit-remaining-tokens": "0"}
    for reset, until in (("6s", 106.0), ("1h", 100.0 + KNOWN_FOR_S), (None, 101.0)):
        headers = told if reset is None else {**told, "x-ratelimit-reset-tokens": reset}
        room = headroom_of(headers, clock_s=100.0)
        assert room is not None
        assert room.until == until


@given(st.lists(st.booleans(), max_size=300), st.floats(0.0, 1.0), st.floats(0.0, 20.0))
def test_a_budget_is_never_overdrawn(life: list[bool], share: float, most: float) -> None:
    """However answers and retries come, no more is taken than there was and came back."""
    budget = RetryBudget(share=share, most=most)
    answers = 0
    for is_answer in life:
        if is_answer:
            answers += 1
            budget.answered()
        else:
            budget.take()
    assert budget.taken <= most + share * answers + 1e-6
    assert budget.taken + budget.refused == len(life) - answers
