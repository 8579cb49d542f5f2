"""Names -> parts in one visible table, and how a pool's parts are put together.

To add a policy: its file, a row in `build.modes`, a line in the docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emafusion.build.checking import checker_of
from emafusion.build.fusing import fusing_of, fusion_of, with_samples, with_writing
from emafusion.build.judging import build_judges
from emafusion.build.labelling import build_slow
from emafusion.build.modes import Ground, mode_of, policy_of
from emafusion.build.splitting import splitter_of
from emafusion.build.unsupported import unsupported_of
from emafusion.catalog import cost_usd
from emafusion.config import Config
from emafusion.domain.features import Features, Floats
from emafusion.domain.model import Candidate
from emafusion.domain.query import ask
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.lexicon import Lexicon
from emafusion.encode.taxonomy import AXES
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.hybrid import Mode
from emafusion.estimate.names import canonical
from emafusion.estimate.reference import reference_features
from emafusion.estimate.state import RouterState
from emafusion.flow.parts import Parts
from emafusion.judge.ahead import read_ahead
from emafusion.judge.explain import explain_confidence
from emafusion.judge.grouping import group
from emafusion.judge.mean_panel import MeanPanel
from emafusion.judge.panel import LogOddsPanel
from emafusion.judge.state import PanelState
from emafusion.policy.dial import Dial, fit_dial
from emafusion.policy.gain import GainPolicy
from emafusion.policy.reading import Reader
from emafusion.policy.spread import make_spread
from emafusion.policy.vote import Vote
from emafusion.store.artifact import Artifact, load, load_default

BLIND_K, SCORED_K = 60.0, 6.0
"""How much the free judges tell of an answer without and with token log-probabilities, as the k
of a Beta distribution (see `policy.spread`): a belief of 0.5 moves by some 0.06 and 0.19."""

EMBEDDING = "encoder/embedding"
"""Array that names the encoder outside the package, where an artifact needs one."""

SAME = 0.95
"""Chance that two right answers are found equal, at most: models share errors, so what a further
answer will say is less sure than their records, one by one, make it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """What an artifact gives to the parts; stated defaults where it has nothing.

    `artifact`: its digest, None for defaults alone; `embedding`: name of the encoder outside the
    package that queries are read by besides, None where none is needed; `trust`: weight of slow
    labels by axis, where it was fitted.
    """

    encoder: HashEncoder
    router: RouterState
    panel: PanelState
    reference: tuple[Features, ...]
    artifact: str | None = None
    embedding: str | None = None
    trust: Mapping[str, float] = field(default_factory=dict[str, float])


def learned_from(artifact: Artifact | None) -> Learned:
    """Read the states of all parts from an artifact."""
    arrays: Mapping[str, npt.NDArray[np.generic]] = {} if artifact is None else artifact.arrays
    panel = _panel(arrays)
    return Learned(
        encoder=HashEncoder(ClassifierState.from_arrays(arrays), Lexicon.from_arrays(arrays)),
        router=RouterState.from_arrays(arrays),
        panel=PanelState.from_arrays(panel) if panel else PanelState.default(),
        reference=reference_features(arrays),
        artifact=None if artifact is None else artifact.digest,
        embedding=str(arrays[EMBEDDING][0]) if EMBEDDING in arrays else None,
        trust=_trust(arrays),
    )


def _trust(arrays: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, float]:
    """Weights of slow labels by axis; empty where none were fitted."""
    if "labels/trust" not in arrays:
        return {}
    shares = arrays["labels/trust"].astype(np.float64).tolist()
    return dict(zip(map(str, arrays["labels/axes"].tolist()), shares, strict=True))


def _panel(arrays: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, Floats]:
    """The panel's arrays, as the numbers that they are."""
    own = {name: array for name, array in arrays.items() if name.startswith("panel/")}
    return {name: array.astype(np.float64) for name, array in own.items()}


def load_artifact(path: str | None) -> Artifact | None:
    """The artifact of the config, else the one that ships with the package."""
    return load_default() if path is None else load(Path(path))


def build_parts(
    config: Config,
    candidates: tuple[Candidate, ...],
    learned: Learned,
    *,
    estimator: HybridEstimator | None = None,
) -> Parts:
    """Choose an implementation for each port.

    `estimator`: another one than the config's, such as a single view of the same router.
    """
    mode = mode_of(config.policy.mode, is_learned=learned.artifact is not None)
    view: Mode = "paper" if mode == "paper" else "blend"
    estimator = estimator or HybridEstimator(learned.router, cost_usd, mode=view)
    estimates = estimator.estimate_many(reference_of(learned), candidates)
    quality = np.array([e.quality for e in estimates])
    costs = np.array([e.cost_usd for e in estimates])
    dial, names = fit_dial(quality, costs), tuple(c.name for c in candidates)
    means, classes = quality.mean(axis=0), {axis.name: axis.classes for axis in AXES}
    slow = None
    if config.policy.slow_labels:
        slow = build_slow(candidates, means, classes, quality_per_usd=dial.quality_per_usd)
        slow = slow and replace(slow, trust=learned.trust)
    gain = _gain(config, learned.panel, dial)
    ground = Ground(
        gain=gain,
        explore=config.policy.explore_share,
        names=names,
        quality=means,
        cost_usd=costs.mean(axis=0),
    )
    policy = policy_of(mode, ground)
    panel = LogOddsPanel(learned.panel, {c.name: canonical(c.model.name) for c in candidates})
    is_mean = mode == "paper"
    return Parts(
        encoder=learned.encoder,
        estimator=estimator,
        policy=with_samples(with_writing(policy, dial, config.fusion), config.policy.samples),
        judges=build_judges(config, candidates, means, measured=frozenset(learned.panel.curves)),
        panel=MeanPanel() if is_mean else panel,
        group=group,
        classes=classes,
        unsupported=unsupported_of(config),
        best_single=names[int(means.argmax())],
        artifact=learned.artifact,
        slow=slow,
        fusion=with_samples(fusion_of(gain, dial, config.fusion), config.fusion.samples),
        fusing=fusing_of(candidates, means),
        explain=None if is_mean else partial(explain_confidence, panel),
        splitter=splitter_of(config.policy.decompose, candidates, means),
        checker=checker_of(config.fusion),
        relative=learned.panel.relative,
        ahead=read_ahead,
    )


def _gain(config: Config, panel: PanelState, dial: Dial) -> GainPolicy:
    """The policy that weighs every step by what it gains, as far ahead as the config lets it."""
    return GainPolicy(
        dial=dial,
        spread=make_spread(BLIND_K, SCORED_K),
        max_looks=config.policy.max_looks,
        vote=Vote(same=min(SAME, panel.same), collide=panel.collide),
        reader=Reader(measured=panel.heads, correlation=panel.correlation),
    )


def reference_of(learned: Learned) -> tuple[Features, ...]:
    """Typical queries, for what a pool is worth on the whole; a plain one if none are known."""
    return learned.reference or (learned.encoder.encode(ask("What is the capital of Norway?")),)
