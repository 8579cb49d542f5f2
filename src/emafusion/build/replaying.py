"""Policies of a replay by name, and the served parts over recorded answers.

To add a policy: a row of `POLICIES`, and a row of `RULES` where it decides in a new way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from emafusion.build.labelling import recorded_slow
from emafusion.build.parts import Learned, build_parts, reference_of
from emafusion.build.replay_reading import RecordedGrouper
from emafusion.catalog import cost_usd
from emafusion.config import Config, FusionSection
from emafusion.config.tree import JudgeName, JudgesSection, PolicyMode, PolicySection
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Judge, Policy
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.hybrid import Mode
from emafusion.flow.parts import Parts, everything_said
from emafusion.flow.slow import SlowLabels
from emafusion.judge.mean_panel import MeanPanel
from emafusion.policy.dial import fit_dial
from emafusion.policy.single import SinglePolicy
from emafusion.replay.known import KnownEstimates, KnownFeatures
from emafusion.replay.labelled import SlowRecords
from emafusion.replay.reading import RecordedJudge, RecordedPanel
from emafusion.replay.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a policy of a replay is made.

    `told`: what it is, in words; `policy`: mode of the served policy; `rule`: row of `RULES`, where
    another one decides; `mode`: view of the router; `looks`: most answers of one query, None for
    the served number; `judged`: whether answers are read; `mean`:
    the plain mean of judges in place of the panel; `route`: name of the route where no estimate
    decides.
    """

    told: str
    policy: PolicyMode = "gain"
    rule: str = "served"
    mode: Mode = "blend"
    looks: int | None = None
    judged: bool = False
    mean: bool = False
    route: str | None = None


POLICIES: Mapping[str, Recipe] = {
    "hybrid": Recipe(told="everything: both views, gain rule, judges", judged=True),
    "router": Recipe(told="both views, one call", looks=1),
    "taxonomy": Recipe(told="taxonomy view alone, one call", mode="taxonomy", looks=1),
    "learned": Recipe(told="learned view alone, one call", mode="learned", looks=1),
    "cascade": Recipe(
        told="cheapest first up to a confidence", policy="threshold", judged=True
    ),
    "threshold": Recipe(
        told="cheapest first up to a confidence", policy="threshold", judged=True
    ),
    "agreement": Recipe(
        told="two cheap ones, the strong one where they disagree", policy="agreement", judged=True
    ),
    "induction": Recipe(
        told="as hybrid, by backward induction over all that may follow", policy="induction",
        judged=True,
    ),
    "fusion": Recipe(
        told="several at once, then their vote or the best of them", rule="fusion", judged=True
    ),
    "paper": Recipe(
        told="our reading of EMAFusion: hard switch, cheapest first, mean of judges",
        policy="paper", mode="paper", judged=True, mean=True,
    ),
    "single": Recipe(told="single:NAME, always that model", rule="single", route="direct"),
    "task-table": Recipe(told="the best model of the data set", rule="chosen", route="table"),
    "random-mix": Recipe(told="random-mix:A,B, a draw by lot", rule="chosen", route="random"),
    "oracle": Recipe(told="the best model of each query", rule="chosen", route="oracle"),
}  # fmt: skip
"""Every policy of a replay. `single`, `random-mix` carry names after a colon."""

FREE: tuple[JudgeName, ...] = ("rules", "logprob", "agreement")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """What a replay stands on, whatever the policy.

    `features`: of each query; `graded`: judges whose grades were recorded; `chosen`: the policy of
    a choice made beforehand, where the recipe asks for one; `explore_share`: as served.
    """

    records: Records
    candidates: tuple[Candidate, ...]
    learned: Learned
    features: tuple[Features, ...]
    graded: tuple[Judge, ...] = ()
    chosen: Policy | None = None
    explore_share: float = 0.0
    slow: SlowRecords | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsed:
    """Parts over recorded answers. `forget`: to be called when a query is done with."""

    parts: Parts
    estimates: tuple[Estimates, ...]
    forget: Callable[[], None]


def recipe_of(policy: str) -> tuple[Recipe, str]:
    """The recipe of a policy's name, and the names after its colon.

    >>> recipe_of("single:gpt-4o")[1]
    'gpt-4o'
    """
    name, _, rest = policy.partition(":")
    recipe = POLICIES.get(name)
    if recipe is None:
        raise BadInput(
            f"no policy '{policy[:80]}'; there are {', '.join(POLICIES)}", where="--policy"
        )
    if (name in {"single", "random-mix"}) != bool(rest):
        wanted = "single:NAME" if name == "single" else "random-mix:A,B"
        told = f"names its models, as in {wanted}" if not rest else "takes no names"
        raise BadInput(f"'{name}' {told}", where="--policy")
    return recipe, rest


def rehearse(policy: str, stage: Stage) -> Rehearsed:
    """Make the parts of a policy. Raises `BadInput` for a name that is none."""
    return prepare(*recipe_of(policy), stage)


def prepare(recipe: Recipe, names: str, stage: Stage) -> Rehearsed:
    """Make the parts of a recipe. `names`: of the models that it is about, if it is about any."""
    estimator = estimator_of(stage, recipe.mode)
    served = build_parts(
        _config(recipe, stage), stage.candidates, stage.learned, estimator=estimator
    )
    estimates = estimator.estimate_many(stage.features, stage.candidates)
    if recipe.route is not None:
        estimates = tuple(structs.replace(each, route=recipe.route) for each in estimates)
    judges = _judges(served, stage) if recipe.judged else {}
    grouper = RecordedGrouper(stage.records)
    rule = RULES[recipe.rule](served, stage, names)
    panel = RecordedPanel(MeanPanel() if recipe.mean else served.panel)
    parts = replace(
        served,
        encoder=_encoder(stage),
        estimator=_estimator(stage, estimates, estimator),
        policy=rule,
        judges=judges,
        panel=panel,
        group=grouper,
        unsupported=everything_said,
        slow=_slow(stage, estimator, served.classes),
        explain=None,
        splitter=None,
    )

    def forget() -> None:
        grouper.forget()
        panel.forget()
        for judge in judges.values():
            if isinstance(judge, RecordedJudge):
                judge.forget()

    return Rehearsed(parts=parts, estimates=estimates, forget=forget)


def estimator_of(stage: Stage, mode: Mode) -> HybridEstimator:
    """The served estimator; a candidate without a price costs what its recorded answers did."""
    return HybridEstimator(stage.learned.router, cost_usd, mode=mode, recorded_costs=True)


def _config(recipe: Recipe, stage: Stage) -> Config:
    """The served defaults, as the recipe has them."""
    default = PolicySection()
    section = replace(
        default,
        mode=recipe.policy,
        max_looks=default.max_looks if recipe.looks is None else recipe.looks,
        explore_share=stage.explore_share,
    )
    return Config(
        policy=section,
        judges=JudgesSection(use=FREE if recipe.judged else ()),
        fusion=FusionSection(samples=1),  # of a model one answer is replayed
    )


def _slow(
    stage: Stage, estimator: HybridEstimator, axes: Mapping[str, tuple[str, ...]]
) -> SlowLabels | None:
    """The labeller whose replies were recorded, None where there are none."""
    if stage.slow is None:
        return None
    reference = estimator.estimate_many(reference_of(stage.learned), stage.candidates)
    quality = np.array([each.quality for each in reference])
    dial = fit_dial(quality, np.array([each.cost_usd for each in reference]))
    trust = stage.learned.trust
    return recorded_slow(stage.slow, axes, trust, quality_per_usd=dial.quality_per_usd)


def _encoder(stage: Stage) -> KnownFeatures:
    pairs = zip(stage.records.queries, stage.features, strict=True)
    return KnownFeatures({query.query_id: each for query, each in pairs})


def _estimator(
    stage: Stage, estimates: tuple[Estimates, ...], others: HybridEstimator
) -> KnownEstimates:
    pairs = zip(stage.features, estimates, strict=True)
    return KnownEstimates(
        {id(features): each for features, each in pairs}, stage.candidates, others
    )


def _judges(served: Parts, stage: Stage) -> dict[str, Judge]:
    """The free judges over recorded answers, then those whose grades were recorded."""
    pairs = stage.records.unread, stage.records.answered
    free = {
        name: RecordedJudge(judge, *pairs) if name == "rules" else RecordedJudge(judge)
        for name, judge in served.judges.items()
    }
    return {**free, **{judge.card.name: judge for judge in stage.graded}}


def _served(served: Parts, _stage: Stage, _names: str) -> Policy:
    return served.policy


def _fusion(served: Parts, _stage: Stage, _names: str) -> Policy:
    return served.policy if served.fusion is None else served.fusion


def _single(_served: Parts, stage: Stage, names: str) -> Policy:
    stage.records.place(names)
    return SinglePolicy(candidate=names)


def _chosen(_served: Parts, stage: Stage, _names: str) -> Policy:
    if stage.chosen is None:
        raise BadInput("was not chosen beforehand", where="--policy")
    return stage.chosen


RULES: Mapping[str, Callable[[Parts, Stage, str], Policy]] = {
    "served": _served,
    "fusion": _fusion,
    "single": _single,
    "chosen": _chosen,
}
"""How a policy decides: (the served parts, the stage, names after the colon) -> policy."""
