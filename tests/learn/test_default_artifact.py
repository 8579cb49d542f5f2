"""The artifact that ships with the package: there, whole, used, and open about what it is."""

from __future__ import annotations

from emafusion.build.opening import candidates_of, parts_of
from emafusion.build.parts import learned_from
from emafusion.config import Config
from emafusion.config.discover import embedded_pool
from emafusion.domain.query import ask
from emafusion.flow.parts import Parts, Task
from emafusion.gateway.explanation import planned
from emafusion.store.artifact import load_default

CONFIG = Config(models=embedded_pool())


def test_card_says_from_what() -> None:
    """Sources with licences, hashes and rows, figures, and what it is not good for."""
    artifact = load_default()
    assert artifact is not None
    card = artifact.card
    assert {source.name for source in card.sources} >= {"mmlu_pro", "reasoning_gym"}
    assert all(source.licence != "unknown" and len(source.sha256) == 64 for source in card.sources)
    assert not any("bfcl" in source.name or "arena" in source.name for source in card.sources)
    assert card.caveats
    assert card.figures


def test_first_request_is_decided_on_evidence() -> None:
    """Recorded outcomes of the embedded models decide, not priors."""
    candidates = candidates_of(CONFIG)
    plan = planned(Task(query=ask("What is 12 times 7?"), candidates=candidates), _parts())
    assert plan.route in {"learned", "taxonomy"}
    assert plan.first == "call calculator"
    assert all("outcomes" in each.basis for each in plan.candidates)


def test_program_is_not_expected_to_write() -> None:
    """A program that answers sums is not expected to answer anything else."""
    candidates = candidates_of(CONFIG)
    query = ask("Write a Python function that merges two sorted lists.")
    plan = planned(Task(query=query, candidates=candidates), _parts())
    quality = {each.model: each.quality for each in plan.candidates}
    assert quality["calculator"] < 0.02
    assert plan.first != "call calculator"


def test_reference_queries_set_the_dial() -> None:
    """There are enough typical queries for what a pool is worth on the whole."""
    assert len(learned_from(load_default()).reference) >= 100


def _parts() -> Parts:
    return parts_of(CONFIG, candidates_of(CONFIG))
