"""Who knows the vectors of prompts: the encoders of a config, and what was kept of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from emafusion.cli.configured import HERE, read_config
from emafusion.config import Config
from emafusion.domain.query import Query
from emafusion.home import home
from emafusion.lab.meanings import Vectors, VectorsOf, asking

FOLDER = "embeddings"
"""Where vectors are kept, in the folder of the package's data."""


def vectors_by(config: str | None) -> VectorsOf:
    """Ask the embedding models of a config, the one in this folder where none is named.

    The config is read when the first vector is wanted.
    """

    def vectors_of(name: str, queries: Sequence[Query]) -> Vectors:
        named = HERE if config is None and Path(HERE).is_file() else config
        read = Config() if named is None else read_config(named)
        return asking(home(os.environ) / FOLDER, read, os.environ)(name, queries)

    return vectors_of
