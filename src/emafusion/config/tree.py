"""The config as one frozen tree: names, types, bounds, defaults and meanings of every key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from emafusion.config.batches_section import IN_THE_BACKGROUND, BatchesSection
from emafusion.config.cache_section import UNCACHED, CacheSection
from emafusion.config.embeddings_section import EmbeddingEntry
from emafusion.config.fusion_section import WHERE_ASKED, FusionSection
from emafusion.config.keys import Key, Section
from emafusion.config.keys_section import (
    BESIDE_THE_LOG,
    NO_ADMIN,
    AdminSection,
    KeysSection,
)
from emafusion.config.models import ModelEntry
from emafusion.config.reliability_section import USUAL, ReliabilitySection
from emafusion.config.state_section import ALONE, StateSection
from emafusion.config.telemetry_section import QUIET, TelemetrySection
from emafusion.domain.model import Objective

JudgeName: TypeAlias = str
"""A judge that ships, or one that an installed package brings (`build.judging`)."""
PromptLog = Literal["full", "hash"]
PolicyMode = Literal["auto", "gain", "agreement", "induction", "threshold", "paper"]
Decompose = Literal["off", "rules", "llm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSection(Section):
    """What is wanted of an answer where a request does not say."""

    quality_weight: Annotated[
        float, Key("0 = cheapest acceptable, 1 = best answers", low=0, high=1)
    ] = 0.5
    answer_value_usd: Annotated[
        float | None,
        Key("US dollars that one right answer is worth, instead of quality_weight", above=0),
    ] = None
    max_cost_usd: Annotated[
        float | None, Key("US dollars a query may cost, judges included", above=0, unset="no limit")
    ] = None
    max_latency_s: Annotated[
        float | None, Key("seconds a query may take", above=0, unset="no limit")
    ] = None
    min_quality: Annotated[
        float | None,
        Key(
            "predicted quality below which a model is not considered",
            low=0,
            high=1,
            unset="no limit",
        ),
    ] = None
    certificate: Annotated[
        str | None,
        Key(
            "file of a certificate (emafusion certify --out): its setting is served and audited",
            unset="nothing is promised",
        ),
    ] = None

    budget_usd_per_day: Annotated[
        float | None,
        Key(
            "US dollars to end each day (UTC) on: turns quality_weight by what was spent so far; "
            "a target, not a wall",
            above=0,
            unset="quality_weight stays as it is",
        ),
    ] = None

    def objective(self) -> Objective:
        """Give the same as the noun that policies read."""
        return Objective(
            quality_weight=self.quality_weight,
            answer_value_usd=self.answer_value_usd,
            max_cost_usd=self.max_cost_usd,
            max_latency_s=self.max_latency_s,
            min_quality=self.min_quality,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySection(Section):
    """Where the gateway listens and what it admits."""

    host: Annotated[str, Key("address to listen on; 0.0.0.0 = every interface")] = "127.0.0.1"
    port: Annotated[int, Key("port to listen on; 0 = any free one", low=0, high=65_535)] = 8080
    keys_required: Annotated[
        bool | None,
        Key("whether clients must show a key", unset="only if host is not this machine alone"),
    ] = None
    keys_env: Annotated[
        str,
        Key("environment variable with the clients' keys, separated by commas", env_name=True),
    ] = "EMAFUSION_KEYS"
    max_body_mb: Annotated[
        float, Key("megabytes that a request's body may have", above=0, high=1024)
    ] = 32.0
    max_bodies_mb: Annotated[
        float,
        Key(
            "megabytes that the bodies of all requests may have together, in each worker; those "
            "up to 64 KiB are taken all the same",
            above=0,
        ),
    ] = 256.0
    max_concurrent: Annotated[
        int, Key("requests that are worked on at once; more are told to come back", low=1)
    ] = 512
    workers: Annotated[
        int, Key("processes that answer requests, behind one port", low=1, high=256)
    ] = 1
    request_timeout_s: Annotated[
        float, Key("seconds until a request is given up, every try included", above=0, high=86_400)
    ] = 600.0

    @property
    def needs_keys(self) -> bool:
        """Whether clients must show a key: as stated, else unless only this machine can call."""
        return not is_loopback(self.host) if self.keys_required is None else self.keys_required


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySection(Section):
    """How models are chosen."""

    mode: Annotated[
        PolicyMode,
        Key(
            "rule that decides: gain, or agreement where nothing was learned (auto); the others "
            "are baselines and options"
        ),
    ] = "auto"
    decompose: Annotated[
        Decompose,
        Key(
            "whether a query of several tasks is split where that is cheaper: by rules, by a model"
        ),
    ] = "off"
    max_looks: Annotated[
        int, Key("answers that may be asked for per query; 1 = never escalate", low=1, high=8)
    ] = 4
    samples: Annotated[
        int,
        Key(
            "answers that one model may give to a query, where the client leaves room for chance",
            low=1,
            high=8,
        ),
    ] = 1
    explore_share: Annotated[
        float,
        Key("share of queries that try another plausible model, to learn from", low=0, high=0.5),
    ] = 0.02
    slow_labels: Annotated[
        bool, Key("whether a cheap model is asked what kind of query it is, where that may pay")
    ] = False
    artifact: Annotated[
        str | None, Key("folder of a fitted artifact", unset="the one that ships with the package")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgesSection(Section):
    """Who reads a cheap answer before it is given."""

    use: Annotated[
        tuple[JudgeName, ...],
        Key("judges to ask, by name: rules, logprob, agreement, llm, pairs, or an installed one"),
    ] = (
        "rules",
        "logprob",
        "agreement",
        "llm",
    )
    llm_models: Annotated[
        tuple[str, ...],
        Key(
            "names of the models that judge, each a judge of its own; one of a family reads an "
            "answer, never of its own family",
            unset="the two cheapest families of the better half of the pool",
        ),
    ] = ()
    llm_model: Annotated[str | None, Key("the same for one model", unset="as llm_models says")] = (
        None
    )

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that judge, empty where they are chosen from the pool."""
        return self.llm_models or (() if self.llm_model is None else (self.llm_model,))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSection(Section):
    """The log of outcomes, on this machine."""

    path: Annotated[
        str | None,
        Key(
            "file of the log",
            unset="log.sqlite in the folder EMAFUSION_HOME, or else in the user's data folder",
        ),
    ] = None
    retention_days: Annotated[float, Key("days that an outcome is kept", above=0)] = 30.0
    max_mb: Annotated[float, Key("megabytes that the log may have; the oldest go first", low=1)] = (
        1024.0
    )
    prompts: Annotated[
        PromptLog, Key("full = prompts and answers are kept, hash = only their digests")
    ] = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSection(Section):
    """Models that run on this machine in a process of ours."""

    threads: Annotated[int, Key("processor threads for each local model", low=1, high=1024)] = 1
    weights_dir: Annotated[
        str | None,
        Key(
            "folder for prepared weights",
            unset="models in the folder EMAFUSION_HOME, or else in the user's data folder",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Section):
    """Everything that can be set, checked. Parts take plain arguments, never this tree."""

    objective: Annotated[ObjectiveSection, Key("what is wanted of an answer")] = ObjectiveSection()
    models: Annotated[
        tuple[ModelEntry, ...], Key("the pool", unset="found in the environment")
    ] = ()
    embeddings: Annotated[
        tuple[EmbeddingEntry, ...], Key("models that make embeddings", unset="none")
    ] = ()
    batches: Annotated[BatchesSection, Key("requests in the background")] = IN_THE_BACKGROUND
    gateway: Annotated[GatewaySection, Key("where to listen, whom to admit")] = GatewaySection()
    policy: Annotated[PolicySection, Key("how models are chosen")] = PolicySection()
    judges: Annotated[JudgesSection, Key("who reads a cheap answer")] = JudgesSection()
    log: Annotated[LogSection, Key("what is kept of each request")] = LogSection()
    local: Annotated[LocalSection, Key("models on this machine")] = LocalSection()
    fusion: Annotated[FusionSection, Key("several answers made into one")] = WHERE_ASKED
    keys: Annotated[KeysSection, Key("keys with limits of their own")] = BESIDE_THE_LOG
    admin: Annotated[AdminSection, Key("administration by HTTP")] = NO_ADMIN
    reliability: Annotated[ReliabilitySection, Key("what is done about faults")] = USUAL
    state: Annotated[StateSection, Key("what several replicas share")] = ALONE
    cache: Annotated[CacheSection, Key("answers given again")] = UNCACHED
    telemetry: Annotated[TelemetrySection, Key("what the gateway tells of itself")] = QUIET


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address to listen on.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    plain = host.strip("[]").casefold()
    return plain in {"localhost", "::1"} or plain.startswith("127.")
