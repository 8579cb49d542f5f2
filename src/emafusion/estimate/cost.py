"""What an answer will cost and how long it will take, before it is asked for.

Length: log completion tokens are a line in the query's length head for each model; the mean is
`exp(mu + sigma^2 / 2)` (smearing of a log-normal). Money: expected tokens at the candidate's price.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from emafusion.domain.attempt import Usage
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate, Price
from emafusion.domain.ports import Pricer
from emafusion.estimate.arrays import AnyArray, Arrays, floats

REASONING_FACTOR = 5.0
"""How much longer a model that reasons writes, where nothing was recorded of it."""

LONGEST_TOKENS = 32_000.0
PROBE_TOKENS = 1000
LINEAR_UP_TO = 30_000
"""Prompts up to this are priced by rates taken at PROBE_TOKENS; beyond, tiers may apply."""

FIRST_TOKEN_S, TOKENS_PER_S = 0.6, 60.0
"""Typical of hosted models, where nothing was recorded."""

CPU_S_PER_TOKEN_B, PROMPT_DISCOUNT = 0.25, 0.15
"""CPU seconds per completion token and billion parameters; a prompt token takes this share."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lengths:
    """Lengths and speeds of recorded models.

    `lines`: float64[n, 3], intercept, slope on the length head, residual sd of log tokens;
    `cpu`: float64[n, 3], CPU seconds a call, a prompt token, a completion token, NaN where none;
    `shared`: float64[3], line for models never recorded; `habits`: float64[n, r], each model's
    share in each direction in which lengths differ.
    """

    lines: Floats
    cpu: Floats
    shared: Floats
    habits: Floats

    @classmethod
    def stated(cls) -> Lengths:
        """For use before anything was recorded."""
        none, shared = np.zeros((0, 3)), np.array([0.0, 1.0, 0.8])
        return cls(lines=none, cpu=none, shared=shared, habits=np.zeros((0, 0)))

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_models: int) -> Lengths:
        """Read `router/lengths/...` of an artifact."""
        return cls(
            lines=floats(arrays, "router/lengths/lines_or_nan", (n_models, 3)),
            cpu=floats(arrays, "router/lengths/cpu_or_nan", (n_models, 3)),
            shared=floats(arrays, "router/lengths/shared", (3,)),
            habits=floats(arrays, "router/lengths/habits", (n_models, -1)),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        return {
            "router/lengths/lines_or_nan": self.lines,
            "router/lengths/cpu_or_nan": self.cpu,
            "router/lengths/shared": self.shared,
            "router/lengths/habits": self.habits,
        }

    def line_for(self, row: int, candidate: Candidate) -> Floats:
        """Line of a candidate: its own where recorded, else the shared one."""
        if row >= 0 and np.isfinite(self.lines[row]).all():
            own: Floats = self.lines[row]
            return own
        reasons = "reasoning" in candidate.model.abilities
        longer = np.log(REASONING_FACTOR) if reasons else 0.0
        shared: Floats = self.shared + np.array([longer, 0.0, 0.0])
        return shared

    def cpu_for(self, row: int, candidate: Candidate) -> Floats:
        """CPU rates of a candidate, zeros where it does not run on this machine."""
        if row >= 0 and np.isfinite(self.cpu[row]).all():
            rates: Floats = self.cpu[row]
            return rates
        price, size = candidate.model.price, candidate.model.size_b
        if price is None or price.cpu_usd_per_hour is None:
            return np.zeros(3)
        rate = CPU_S_PER_TOKEN_B * (size or 0.0)
        return np.array([0.01, PROMPT_DISCOUNT * rate, rate])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars of one candidate: a call, a prompt token, a completion token, a CPU second.

    NaN where unknown.
    """

    call: float
    prompt: float
    completion: float
    cpu_s: float


def rates_of(pricer: Pricer, price: Price | None) -> Rates:
    """Take rates from a pricer by asking what small usages cost."""
    cpu_s = 0.0 if price is not None and price.cpu_usd_per_hour is not None else None

    def ask(prompt: int = 0, completion: int = 0, more_s: float = 0.0) -> float:
        seconds = None if cpu_s is None else cpu_s + more_s
        usage = Usage(prompt_tokens=prompt, completion_tokens=completion, cpu_s=seconds)
        usd = pricer(usage, price)
        return float("nan") if usd is None else usd

    call = ask()
    return Rates(
        call=call,
        prompt=(ask(prompt=PROBE_TOKENS) - call) / PROBE_TOKENS,
        completion=(ask(completion=PROBE_TOKENS) - call) / PROBE_TOKENS,
        cpu_s=0.0 if cpu_s is None else (ask(more_s=3600.0) - call) / 3600.0,
    )


def expected_tokens(lines: Floats, head: Floats, habits: Floats) -> Floats:
    """Expected completion tokens.

    `lines`: float64[n, 3]; `head`: float64[...], the length head; `habits`: float64[..., n], by how
    much models differ on this query, in log tokens. Returns float64[..., n], from 1 to
    LONGEST_TOKENS.
    """
    mean = np.multiply.outer(head, lines[:, 1]) + (lines[:, 0] + lines[:, 2] ** 2 / 2) + habits
    # Not np.clip: this is on the request path, where its wrapper costs as much as all the rest.
    return np.exp(np.minimum(np.maximum(mean, 0.0), log(LONGEST_TOKENS)))


def expected_latency(cpu_s: Floats, completion_tokens: Floats, stated: Floats) -> Floats:
    """Expected seconds: CPU time where it runs here, else as stated, else by typical speed.

    All float64[..., n]; `stated` is NaN where the candidate has no typical latency.
    """
    typical = FIRST_TOKEN_S + completion_tokens / TOKENS_PER_S
    hosted = np.where(np.isnan(stated), typical, stated)
    return np.where(cpu_s > 0, cpu_s, hosted)
