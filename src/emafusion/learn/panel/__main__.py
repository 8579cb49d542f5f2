"""Fit the panel: `python -m emafusion.learn.panel --data DIR [--embedded FILE] --out DIR`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import click

from emafusion.judge.asked import FORMS
from emafusion.judge.state import PanelState
from emafusion.learn.panel.assess import assess, fit_forms, samples
from emafusion.learn.panel.embedded import fit_logprob
from emafusion.learn.panel.grades import GradeFit, fit_grades, read_grades
from emafusion.learn.panel.looks import Looks, read_looks
from emafusion.learn.panel.vote import fit_caps, form_state
from emafusion.store.artifact import Card, Source, save
from emafusion.version import __version__

TABLES = (
    ("mmlu_pro", "", "Apache-2.0"),
    ("zeroeval", "gsm", "Apache-2.0"),
    ("zeroeval", "crux", "Apache-2.0"),
    ("reasoning_gym", "", "Apache-2.0"),
)
"""Outcome tables with answers to compare: file, datasets, licence of the source."""
PLAIN = ("claude-haiku-4.5", "claude-sonnet-4.6", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano")
OLD = "^(GPT-4|ChatGPT)/Rating$"
CAVEATS = (
    "Right means the source's own verdict; prose without a checkable answer is not among it.",
    "All peers count as strangers in the fit; a sibling's vote is discounted in service.",
    "Log-probabilities: measured on one small model only, shrunk for others.",
    "A model judge that is not measured gets the pooled curve times its discount.",
)


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--embedded", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--queries", type=click.IntRange(min=100), default=3_000, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
def main(*, data: Path, embedded: Path | None, out: Path, queries: int, seed: int) -> None:
    """Fit the panel of judges on recorded answers and write it as an artifact."""
    tables = [
        read_looks(data / f"{file}.parquet", part, queries=queries, seed=seed)
        for file, part, _ in TABLES
    ]
    state, told = _fit_tables(tables)
    grades = _fit_grades(data)
    told |= grades.figures
    curves = dict(state.curves) | {"llm": grades.curve}
    logprob = fit_logprob(embedded) if embedded else None
    if logprob is not None:
        curves |= {"logprob": logprob.curve}
        told |= logprob.figures
    state = replace(state, curves=MappingProxyType(curves), correlation=grades.correlation)
    save(out, state.to_arrays(), _card(data, tables, told, seed=seed))
    for name, value in told.items():
        click.echo(f"{value:10.4f}  {name}")


def _fit_tables(tables: Sequence[Looks]) -> tuple[PanelState, dict[str, float]]:
    """Vote, caps by that vote, the vote again; then figures on held-out answers."""
    state = PanelState.default()
    caps = fit_caps(fit_forms(tables, state.caps)[-1], samples(tables), state.caps)
    thetas = fit_forms(tables, caps)
    forms = {
        form: form_state(thetas.get(place, thetas[-1]), state.forms[form])
        for place, form in enumerate(FORMS)
    }
    fitted = replace(state, forms=MappingProxyType(forms), caps=MappingProxyType(caps))
    return fitted, assess(tables, caps)


def _fit_grades(data: Path) -> GradeFit:
    known = read_grades(data / "rewardbench2.parquet", data / "rewardbench2.judges.parquet")
    old = read_grades(data / "llmbar.parquet", data / "llmbar.judges.parquet", OLD)
    return fit_grades(known, [old], PLAIN)


def _card(data: Path, tables: Sequence[Looks], told: dict[str, float], *, seed: int) -> Card:
    sources = [
        Source(
            name=table.name,
            rows=int(table.right.size),
            queries=len(table.form),
            sha256=_digest(data / f"{file}.parquet"),
            licence=licence,
        )
        for table, (file, _, licence) in zip(tables, TABLES, strict=True)
    ]
    return Card(
        title="Panel of judges",
        created=dt.datetime.now(dt.UTC).date().isoformat(),
        version=__version__,
        sources=tuple(sources),
        folds="five by normalised prompt; and each table left out",
        seed=seed,
        figures=told,
        caveats=CAVEATS,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
