"""How the gateway deals with providers that fail and clients that are slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilitySection(Section):
    """What is done where a call fails or stays silent, and how long clients are waited for."""

    retries: Annotated[
        int,
        Key(
            "times that a model which a client named is called again after a failure",
            low=0,
            high=10,
        ),
    ] = 2
    retry_wait_s: Annotated[
        float,
        Key("seconds before the first of them; each further one waits twice as long", above=0),
    ] = 0.25
    retry_budget: Annotated[
        float,
        Key(
            "retries, fallbacks and hedges at most, for all requests, before answers come again",
            low=0,
        ),
    ] = 6.0
    retry_share: Annotated[
        float, Key("retries, fallbacks and hedges that each answer allows besides", low=0, high=1)
    ] = 0.2
    hedge_after_s: Annotated[
        float | None,
        Key(
            "seconds of silence after which somebody else is asked as well", above=0, unset="never"
        ),
    ] = None
    failures: Annotated[
        int, Key("failures in a row after which a deployment is left alone for a while", low=1)
    ] = 5
    rest_s: Annotated[
        float, Key("seconds for which it is; twice as long each time it fails again", above=0)
    ] = 2.0
    most_rest_s: Annotated[float, Key("the longest that it is left alone", above=0)] = 30.0
    connect_s: Annotated[float, Key("seconds until a connection to a provider stands", above=0)] = (
        5.0
    )
    first_byte_s: Annotated[float, Key("seconds until a provider begins to answer", above=0)] = (
        120.0
    )
    silence_s: Annotated[
        float, Key("seconds of silence in the middle of a provider's answer", above=0)
    ] = 60.0
    client_head_s: Annotated[
        float, Key("seconds that a client may take for the head of a request", above=0)
    ] = 10.0
    client_body_s: Annotated[
        float, Key("seconds that a client may take for the body of a request", above=0)
    ] = 60.0
    client_stall_s: Annotated[
        float,
        Key(
            "seconds in which a client sends nothing of a body or takes nothing of an answer",
            above=0,
        ),
    ] = 30.0
    drain_s: Annotated[
        float, Key("seconds that requests have to finish when the gateway is stopped", low=0)
    ] = 30.0


USUAL = ReliabilitySection()
