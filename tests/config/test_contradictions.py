"""What one place of a config undoes in another is refused with one line, never ignored."""

from __future__ import annotations

import pytest

from emafusion.config import ConfigError, parse

MODEL = "models: [{name: a, provider: groq}, {name: b, provider: groq}]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "objective: {certificate: c.json, budget_usd_per_day: 5}",
            "objective.budget_usd_per_day: turns the dial, and so does certificate",
        ),
        (
            "objective: {answer_value_usd: 1, budget_usd_per_day: 5}",
            "objective.answer_value_usd: turns the dial, and so does budget_usd_per_day",
        ),
        (
            "objective: {certificate: c.json, quality_weight: 0.9}",
            "objective.quality_weight: is said by certificate",
        ),
        ("policy: {mode: threshold, max_looks: 2}", "policy.max_looks: is not for mode threshold"),
        (
            "policy: {mode: paper, explore_share: 0.1}",
            "policy.explore_share: is not for mode paper",
        ),
        ("cache: {similarity: 0.9}", "cache.similarity: is of no use: nothing is cached without"),
        ("cache: {max_mb: 9}", "cache.max_mb: is of no use"),
        ("admin: {host: 10.0.0.1}", "admin.host: is of no use: there is no admin API without port"),
        ("admin: {token_env: T}", "admin.token_env: is of no use"),
        ("fusion: {checker_timeout_s: 5}", "fusion.checker_timeout_s: is of no use"),
        ("reliability: {rest_s: 60}", "reliability.most_rest_s: is less than rest_s, 60"),
        (f"reliability: {{hedge_after_s: 1}}\n{MODEL}", "hedge_after_s: has nobody to ask"),
        ("keys: {path: k.db}\nstate: {postgres_env: P}", "keys.path: is of no use"),
    ],
)
def test_a_contradiction_is_refused_in_one_line(text: str, told: str) -> None:
    """The line names the key that would have been ignored."""
    with pytest.raises(ConfigError) as caught:
        parse(text, source="emafusion.yaml")
    (line,) = str(caught.value).splitlines()
    assert told in line


@pytest.mark.parametrize(
    "text",
    [
        "objective: {budget_usd_per_day: 5, quality_weight: 0.9}",
        "policy: {mode: threshold, explore_share: 0}",
        "policy: {mode: induction, max_looks: 2, explore_share: 0.1}",
        "cache: {ttl_s: 5, similarity: 0.9, max_mb: 9}",
        "admin: {port: 1, host: 10.0.0.1}",
        "reliability: {rest_s: 60, most_rest_s: 60}",
        "reliability: {hedge_after_s: 1}",
        f"reliability: {{hedge_after_s: 1}}\n{MODEL[:-2]}, fallbacks: [a]}}]",
    ],
)
def test_what_goes_together_is_taken(text: str) -> None:
    """A target for the day begins at a weight; hedging may count on what is found."""
    parse(text, source="emafusion.yaml")
