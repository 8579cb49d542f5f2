"""What an artifact holds, and what another one changes: read from arrays that are made here."""

from __future__ import annotations

import numpy as np
import pytest

from emafusion.domain.errors import BadInput
from emafusion.estimate.arrays import AnyArray
from emafusion.lab.class_tables import chosen, class_tables
from emafusion.lab.comparing import compare
from emafusion.lab.describing import artifact_named, describe
from emafusion.replay.tasks import fit_tasks
from emafusion.store.artifact import Artifact, Card


def made(models: tuple[str, ...], ability: list[float], **figures: float) -> Artifact:
    """An artifact of which only the abilities and the means by data set are there."""
    n = len(models)
    score = np.array([ability, ability, [float("nan")] * n])
    arrays: dict[str, AnyArray] = {
        "router/models": np.array(models),
        "router/ability": np.array(ability),
        "router/ability_sd": np.full(n, 0.1),
        "router/outcomes": np.full(n, 2.0),
        **fit_tasks(["sums", "sums", "new"], models, score=score, cost_usd=score).to_arrays(),
    }
    card = Card(title="made", created="2025-01-01", version="0", models=models, figures=figures)
    return Artifact(arrays=arrays, card=card)


OLD = made(("a", "b", "gone"), [0.5, 0.25, 0.0], kept=1.0, lost=2.0)
NEW = made(("b", "a", "fresh"), [1.0, 0.5, 0.0], kept=1.5, won=3.0)


def test_models_are_told_apart_by_name_not_by_place() -> None:
    """Order is no difference; who came and who went is."""
    told = compare(OLD, NEW)
    assert (told.added, told.removed, set(told.common)) == (("fresh",), ("gone",), {"a", "b"})


def test_the_largest_change_comes_first() -> None:
    """Abilities and scores of models that both know."""
    told = compare(OLD, NEW)
    assert [(each.model, each.change) for each in told.abilities] == [("b", 0.75), ("a", 0.0)]
    assert [each.model for each in told.scores[:2]] == ["b", "b"]
    assert {(each.dataset, each.model) for each in told.scores} == {
        (dataset, model) for dataset in ("", "sums") for model in ("a", "b")
    }


def test_a_figure_of_one_alone_is_unknown_in_the_other() -> None:
    """Never 0."""
    pairs = {each.name: (each.before, each.after) for each in compare(OLD, NEW).figures}
    assert pairs == {"kept": (1.0, 1.5), "won": (None, 3.0), "lost": (2.0, None)}


def test_decisions_that_cannot_be_compared_say_why() -> None:
    """Half an artifact is no router, and no model in common is no pool."""
    told = compare(OLD, NEW)
    assert told.decisions is None
    assert told.undecided is not None
    assert "is missing" in told.undecided
    strangers = compare(OLD, made(("z",), [0.0]))
    assert strangers.undecided == "they have no model in common"


def test_a_description_has_the_ablest_first_and_says_what_cannot_be_served() -> None:
    """Nothing is hidden of an artifact that is not whole."""
    told = describe(NEW)
    assert [each.model for each in told.models] == ["b", "a", "fresh"]
    assert told.refused is not None
    assert {held.name: held.shape for held in told.arrays}["router/ability"] == (3,)


def test_means_by_dataset_are_dashes_where_nothing_was_recorded() -> None:
    """The data set `new` has no answer: its row is unknown, as are its counts."""
    (table,) = class_tables(NEW.arrays)
    assert (table.name, table.holds, table.classes) == ("data set", "score", ("all", "new", "sums"))
    assert np.isnan(table.values[1]).all()
    np.testing.assert_array_equal(table.outcomes[0], [2.0, 2.0, 2.0])
    assert table.ranked(0) == [0, 1, 2]


def test_gains_of_hardly_any_outcomes_are_not_told() -> None:
    """A learned class with 3 answers of one model and 30 of the other."""
    arrays = dict(NEW.arrays) | {
        "router/classes/names": np.array(["sums", ""]),
        "router/classes/values": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
        "router/classes/outcomes": np.array([[30.0, 3.0], [30.0, 30.0], [3.0, 30.0]]),
    }
    scores, gains = class_tables(arrays)
    assert gains.classes == ("sums", "cluster 2")
    assert np.isnan(gains.values).tolist() == [[False, False, True], [True, False, False]]
    np.testing.assert_allclose(gains.expected[0, 0], 1 / (1 + np.exp(-1.0)) + 0.1)
    # The same counts stand behind the means of the data set of that name.
    np.testing.assert_array_equal(scores.outcomes[2], [30.0, 30.0, 3.0])


def test_models_are_chosen_however_they_are_spelled() -> None:
    """And a name that is none is refused with the nearest."""
    (table,) = chosen(class_tables(NEW.arrays), ["vendor/A", "B"])
    assert table.models == ("a", "b")
    with pytest.raises(BadInput, match="did you mean 'fresh'"):
        chosen(class_tables(NEW.arrays), ["frsh"])


def test_the_default_has_a_name() -> None:
    """`default` and no name at all are the artifact that ships."""
    assert artifact_named("default").digest == artifact_named(None).digest
    with pytest.raises(BadInput, match="no artifact"):
        artifact_named("nowhere")
