"""A certificate: what is promised and on which evidence; or why not, and what would do."""

from __future__ import annotations

from msgspec import Struct


class Certificate(Struct, frozen=True, kw_only=True, tag="certificate"):
    """A promise that holds with probability `confidence`, whatever the data look like.

    "Served at `quality_weight`, answers keep at least `min_quality` of the quality of
    `reference`", for queries drawn as those labelled were. `queries`: labelled ones it rests on;
    `kept`: share seen on them; `cost_usd`, `reference_cost_usd`: mean of a query, None if unknown.
    `data_sha256`, `artifact_sha256`, `prices_sha256`: of what it was made from; it is void as soon
    as one of them or a model's version changes. `artifact`: digest by which a gateway knows the
    artifact; `date`: UTC, answers given from then on are audited; `reference_score`: mean score of
    the reference on those queries, what an audit in service measures against. `left_out`: queries
    of the table that the artifact was fitted on; `unlabelled`: answers of the next cheaper setting,
    at which the test ended, that have no score and so count as wrong.
    """

    min_quality: float
    confidence: float
    reference: str
    policy: str
    quality_weight: float
    queries: int
    kept: float
    p_value: float
    cost_usd: float | None
    reference_cost_usd: float | None
    models: tuple[str, ...]
    date: str
    version: str
    seed: int
    data_sha256: str
    artifact_sha256: str
    prices_sha256: str
    artifact: str | None = None
    reference_score: float | None = None
    left_out: int = 0
    unlabelled: int = 0

    @property
    def promise(self) -> str:
        """The promise in one sentence."""
        return (
            f"at quality_weight {self.quality_weight:g} answers keep at least "
            f"{self.min_quality:.1%} of the quality of {self.reference}, "
            f"with {self.confidence:.0%} confidence"
        )


class Refusal(Struct, frozen=True, kw_only=True, tag="refusal"):
    """No promise: `reason`, and the numbers that would do.

    `kept`: share of the reference's quality seen at the safest setting; `queries`: labelled ones;
    `queries_needed`: about how many would do at what was seen, None where no number would;
    `min_quality_within_reach`: share that these labels do support, None if none;
    `left_out`: queries of the table that the artifact was fitted on; `unlabelled`: answers at the
    safest setting that have no score and so count as wrong.
    """

    reason: str
    min_quality: float
    confidence: float
    reference: str
    kept: float | None
    queries: int
    queries_needed: int | None
    min_quality_within_reach: float | None
    left_out: int = 0
    unlabelled: int = 0
