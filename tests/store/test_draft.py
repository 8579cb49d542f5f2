"""What is written down while a provider works is what would have been written down after."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.store.outcomes import outcome

from emafusion.domain.model import Objective
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import ask
from emafusion.store.draft import MOST_WAITING, Known
from emafusion.store.estimates import LabelNames
from emafusion.store.recording import Recorder
from emafusion.store.texts import Prompts, Texts


def recorder(prompts: Prompts = "full") -> Recorder:
    """One that has drafted nothing yet."""
    return Recorder(texts=Texts(prompts=prompts), names=LabelNames())


def known(of: Outcome) -> Known:
    """What was known of an outcome before its answer."""
    return Known(
        query=of.query,
        objective=of.objective,
        features=of.answer.features,
        estimates=of.answer.estimates,
    )


@pytest.mark.parametrize("prompts", ["full", "hash"])
def test_a_draft_changes_nothing(prompts: Prompts) -> None:
    """The record is the same with a draft made ahead and without."""
    given, ahead = outcome("em-1"), recorder(prompts)
    ahead.drafts.ahead(known(given))
    assert ahead.record(given) == recorder(prompts).record(given)


def test_a_draft_of_something_else_is_not_used() -> None:
    """Where the query or the objective changed meanwhile, the record says what holds."""
    given, ahead = outcome("em-1"), recorder()
    for other in (
        replace(given, query=ask("Something else?", query_id="em-1")),
        replace(given, objective=Objective(quality_weight=0.1)),
    ):
        ahead.drafts.ahead(known(other))
        assert ahead.record(given) == recorder().record(given)


def test_drafts_whose_outcome_never_comes_do_not_pile_up() -> None:
    """Memory is bounded whatever happens to requests, and later ones are recorded all the same."""
    ahead, given = recorder(), outcome("em-1")
    for n in range(MOST_WAITING + 2):
        ahead.drafts.ahead(known(replace(given, query=ask("Hello", query_id=f"em-{n}"))))
    assert len(ahead.drafts) <= MOST_WAITING
    assert ahead.record(given) == recorder().record(given)
