"""What the config's section `reliability` means to each part."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from emafusion.config import Config
from emafusion.domain.model import Candidate
from emafusion.flow.hedge import Hedge
from emafusion.flow.retry import Patience
from emafusion.gateway.limits import ClientLimits
from emafusion.gateway.mercies import Mercies
from emafusion.upstream.breaker import BreakerRules
from emafusion.upstream.budget import RetryBudget
from emafusion.upstream.health import Health
from emafusion.upstream.timeouts import Timeouts


def client_limits(config: Config) -> ClientLimits:
    """How long clients are waited for; a body never longer than a request may take."""
    section = config.reliability
    return ClientLimits(
        head_s=section.client_head_s,
        body_s=min(section.client_body_s, config.gateway.request_timeout_s),
        stall_s=section.client_stall_s,
    )


def timeouts(config: Config) -> Timeouts:
    """How long each part of a call may take."""
    section = config.reliability
    return Timeouts(
        connect_s=section.connect_s,
        first_byte_s=section.first_byte_s,
        between_bytes_s=section.silence_s,
        total_s=config.gateway.request_timeout_s,
    )


def open_health(config: Config) -> Health:
    """A breaker for each deployment, none tripped."""
    section = config.reliability
    rules = BreakerRules(
        failures=section.failures, cool_s=section.rest_s, max_cool_s=section.most_rest_s
    )
    return Health(rules, groups={name: place_names(name, n) for name, n in _several(config)})


def place_names(model: str, count: int) -> tuple[str, ...]:
    """Names of the deployments of a model.

    >>> place_names("gpt", 2)
    ('gpt#1', 'gpt#2')
    """
    return tuple(f"{model}#{number + 1}" for number in range(count))


def same_names(before: Config, after: Config) -> tuple[str, ...]:
    """Names in the health of all that two configs call in the same way."""
    models = tuple(entry for entry in after.models if entry in before.models)
    places = (place_names(entry.name, len(entry.deployments)) for entry in models)
    vectors = (entry.name for entry in after.embeddings if entry in before.embeddings)
    return (*(entry.name for entry in models), *chain.from_iterable(places), *vectors)


def mercies(config: Config, candidates: tuple[Candidate, ...]) -> Mercies:
    """What is done where a call fails or stays silent."""
    section = config.reliability
    known = {candidate.name: candidate for candidate in candidates}
    return Mercies(
        budget=RetryBudget(share=section.retry_share, most=section.retry_budget),
        hedge=_hedge(config, known),
        direct=Patience(
            retries=section.retries, first_wait_s=section.retry_wait_s, max_wait_s=20.0
        ),
        routed=Patience(
            retries=min(1, section.retries), first_wait_s=section.retry_wait_s, max_wait_s=2.0
        ),
        places=dict(_several(config)),
        fallbacks={
            entry.name: tuple(known[name] for name in entry.fallbacks)
            for entry in config.models
            if entry.fallbacks
        },
    )


def _several(config: Config) -> tuple[tuple[str, int], ...]:
    """Models that are served at several places, with their number."""
    return tuple((e.name, len(e.deployments)) for e in config.models if len(e.deployments) > 1)


def _hedge(config: Config, known: Mapping[str, Candidate]) -> Hedge | None:
    """Whom to ask besides: another deployment of the model, else its first fallback."""
    after_s = config.reliability.hedge_after_s
    if after_s is None:
        return None
    spare = {entry.name: known[entry.fallbacks[0]] for entry in config.models if entry.fallbacks}
    spare |= {name: known[name] for name, _ in _several(config)}
    return Hedge(after_s=after_s, spare=spare)
