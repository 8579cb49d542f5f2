"""An artifact by its name, and what is in it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from emafusion.build.parts import learned_from
from emafusion.domain.errors import BadInput
from emafusion.estimate.arrays import Arrays, floats, words
from emafusion.store.artifact import CARD, Artifact, Card, load, load_default

DEFAULT = "default"
"""What a user writes for the artifact that ships with the package; a folder of that name that holds
an artifact comes first."""


class Known(Struct, frozen=True, kw_only=True):
    """What an artifact knows of a model, by its canonical name.

    `ability`: logit of its mean score on queries of difficulty 0, with its standard deviation;
    `outcomes`: recorded answers behind it.
    """

    model: str
    ability: float
    ability_sd: float
    outcomes: float


class Held(Struct, frozen=True, kw_only=True):
    """One array: its type as numpy spells it, and its bytes in memory."""

    name: str
    shape: tuple[int, ...]
    type: str
    bytes: int


class Description(Struct, frozen=True, kw_only=True):
    """Everything that is to be told of an artifact.

    `models`: the ablest first; `refused`: why this version cannot serve it, None where it can.
    """

    digest: str
    card: Card
    models: tuple[Known, ...]
    arrays: tuple[Held, ...]
    refused: str | None = None


def artifact_named(name: str | None) -> Artifact:
    """Read the artifact in a folder; for None or `default` the one that ships with the package.

    Raises:
        BadInput: there is none, or it is wrong.
    """
    if name is not None and (name != DEFAULT or (Path(name) / CARD).is_file()):
        return load(Path(name))
    found = load_default()
    if found is None:
        raise BadInput("this package comes without an artifact: name a folder", where=DEFAULT)
    return found


def describe(artifact: Artifact) -> Description:
    """Say what is in an artifact.

    Raises:
        BadInput: its abilities do not fit together.
    """
    return Description(
        digest=artifact.digest,
        card=artifact.card,
        models=tuple(sorted(known_models(artifact.arrays), key=lambda each: -each.ability)),
        arrays=tuple(
            Held(name=name, shape=array.shape, type=str(array.dtype), bytes=array.nbytes)
            for name, array in sorted(artifact.arrays.items())
        ),
        refused=refusal(artifact),
    )


def known_models(arrays: Arrays) -> tuple[Known, ...]:
    """What the router knows of each model, in its own order; empty where it knows none."""
    if "router/models" not in arrays:
        return ()
    names = words(arrays, "router/models")
    figures = (
        floats(arrays, f"router/{name}", (len(names),)).tolist()
        for name in ("ability", "ability_sd", "outcomes")
    )
    return tuple(
        Known(model=name, ability=ability, ability_sd=ability_sd, outcomes=outcomes)
        for name, ability, ability_sd, outcomes in zip(names, *figures, strict=True)
    )


def refusal(artifact: Artifact) -> str | None:
    """Why this version cannot serve an artifact; None where it can."""
    try:
        learned_from(artifact)
    except BadInput as error:
        return str(error)
    return None
