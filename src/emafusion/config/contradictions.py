"""What is said in one place of a config and undone in another: refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.config.cache_section import UNCACHED
from emafusion.config.fusion_section import WHERE_ASKED
from emafusion.config.keys_section import NO_ADMIN
from emafusion.config.tree import Config, ObjectiveSection, PolicySection

_USUAL_DIAL = ObjectiveSection().quality_weight
_USUAL = PolicySection()
_LOOKING = frozenset({"auto", "gain", "induction"})
"""Modes that ask as often as `max_looks` says."""

_EXPLORING = _LOOKING | {"agreement"}
"""Modes that try another model now and then."""


def contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """Each as the path of a key and what takes its meaning from it."""
    yield from _dial(config.objective)
    yield from _mode(config.policy)
    yield from _switched_off(config)
    rest = config.reliability
    if rest.most_rest_s < rest.rest_s:
        yield "reliability.most_rest_s", f"is less than rest_s, {rest.rest_s:g}: make it as long"
    if rest.hedge_after_s is not None and config.models and not _has_spares(config):
        what = "has nobody to ask: give a model deployments or fallbacks, or leave it out"
        yield "reliability.hedge_after_s", what
    if config.keys.path is not None and config.state.postgres_env is not None:
        yield "keys.path", "is of no use: keys are kept where state.postgres_env says"


def _dial(objective: ObjectiveSection) -> Iterator[tuple[str, str]]:
    """Who turns the dial: one of the four."""
    turns = {
        "certificate": objective.certificate is not None,
        "budget_usd_per_day": objective.budget_usd_per_day is not None,
        "answer_value_usd": objective.answer_value_usd is not None,
    }
    said = [name for name, is_said in turns.items() if is_said]
    if len(said) > 1:
        what = f"turns the dial, and so does {said[0]}: leave one of the two out"
        yield f"objective.{said[1]}", what
    elif said not in ([], ["budget_usd_per_day"]) and objective.quality_weight != _USUAL_DIAL:
        what = f"is said by {said[0]}: leave one of the two out"
        yield "objective.quality_weight", what


def _mode(policy: PolicySection) -> Iterator[tuple[str, str]]:
    if policy.max_looks != _USUAL.max_looks and policy.mode not in _LOOKING:
        yield "policy.max_looks", f"is not for mode {policy.mode}: leave it out"
    if policy.explore_share not in {0.0, _USUAL.explore_share} and policy.mode not in _EXPLORING:
        yield "policy.explore_share", f"is not for mode {policy.mode}, which never explores"


def _switched_off(config: Config) -> Iterator[tuple[str, str]]:
    """Details of what is off."""
    cache, admin, fusion = config.cache, config.admin, config.fusion
    if cache.ttl_s is None and cache != UNCACHED:
        name = "similarity" if cache.similarity is not None else "max_mb"
        yield f"cache.{name}", "is of no use: nothing is cached without ttl_s"
    if admin.port is None and admin != NO_ADMIN:
        name = "host" if admin.host != NO_ADMIN.host else "token_env"
        yield f"admin.{name}", "is of no use: there is no admin API without port"
    if not fusion.checker and fusion.checker_timeout_s != WHERE_ASKED.checker_timeout_s:
        yield "fusion.checker_timeout_s", "is of no use: there is no checker"


def _has_spares(config: Config) -> bool:
    """Whether anybody can be asked besides whoever is silent."""
    return any(entry.fallbacks or entry.deployments for entry in config.models)
