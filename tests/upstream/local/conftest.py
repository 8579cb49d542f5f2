"""The embedded model's real weights, for tests marked `local_model`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emafusion.upstream.local.engine import Engine
from emafusion.upstream.local.errors import WeightsError
from emafusion.upstream.local.genai_pipeline import EngineOptions, load_pipeline
from emafusion.upstream.local.weights import find_embedded, models_dir


@pytest.fixture(scope="session")
def weights() -> Path:
    """The weights in EMAFUSION_WEIGHTS_DIR or where `models --fetch embedded` puts them."""
    folder = os.environ.get("EMAFUSION_WEIGHTS_DIR") or models_dir(os.environ)
    try:
        return find_embedded(Path(folder))
    except WeightsError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def engine(weights: Path) -> Iterator[Engine]:
    """The real model in exact arithmetic, loaded once."""
    engine = Engine(lambda: load_pipeline(weights, EngineOptions(exact=True)))
    yield engine
    engine.close()
