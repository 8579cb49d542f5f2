"""The level of confidence is set by what the policy gave to queries that were held out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.lab.recorded import recorded

from emafusion.judge.state import PanelState
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.rehearsing import Stops, levelled


def test_a_panel_that_claims_too_much_is_set_right() -> None:
    """Answers given at 0.9 that were right in 0.7 of cases are given at about 0.7 from then on."""
    rng = np.random.default_rng(0)
    stops = Stops(confidence=np.full(900, 0.9), score=(rng.random(900) < 0.7).astype(np.float64))
    panel = levelled(PanelState.default(), stops)
    claimed = panel.shift + panel.slope * np.log(9.0)
    assert 1.0 / (1.0 + np.exp(-claimed)) == pytest.approx(0.7, abs=0.05)
    assert panel.slope >= 0.0


def test_a_few_stops_change_nothing() -> None:
    """Too few to tell."""
    stops = Stops(confidence=np.full(50, 0.9), score=np.zeros(50))
    assert levelled(PanelState.default(), stops) == PanelState.default()


def test_fit_sets_the_level_only_where_labels_may_be_read() -> None:
    """An artifact keeps it; without labels there is none."""
    frame = recorded()
    found = PanelState.from_arrays(
        {k: a.astype(np.float64) for k, a in fit(frame).arrays.items() if k.startswith("panel/")}
    )
    assert (found.shift, found.slope) != (0.0, 1.0)
    assert "panel/level" not in fit(frame, Wish(labels="none")).arrays
