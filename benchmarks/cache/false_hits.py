"""How often a like request is another question: the cache by similarity, on questions with answers.

    python benchmarks/cache/false_hits.py TABLE...

Each table (parquet; columns `prompt`, `gold`) is a stream of its distinct questions. A hit is false
where the question that would lend its answer has another gold. Then each question comes again in
other dress (case, spaces, a full stop, one letter wrong): how often it is known again.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import polars as pl

from emafusion.build.parts import learned_from, load_artifact
from emafusion.domain.query import ask
from emafusion.encode.encoder import HashEncoder
from emafusion.gateway.reuse.similar import LONGEST, Alike, Similar

LEAST = (0.6, 0.8, 0.9, 0.95, 0.98)
MOST = 4_000


def alike(encoder: HashEncoder, text: str) -> Alike:
    """A question as the cache compares it."""
    return Alike(frame=b"", text=text, features=encoder.encode(ask(text)))


def dressed(text: str, chance: random.Random) -> str:
    """The same question, typed by somebody else."""
    kind = chance.randrange(4)
    if kind == 0:
        return text.lower()
    if kind == 1:
        return text.replace(" ", "  ", 3) + " "
    if kind == 2:
        return text[:1].lower() + text[1:]
    letters = [i for i, c in enumerate(text[:400]) if c.isalpha()]
    i = chance.choice(letters) if letters else 0
    return text[:i] + "e" + text[i + 1 :]


def measure(rows: list[tuple[str, str]], least: float, encoder: HashEncoder) -> str:
    """One line: false hits on distinct questions, hits on dressed ones."""
    chance, similar = random.Random(0), Similar(least=least)
    hits = false = known = 0
    for n, (text, gold) in enumerate(rows):
        asked = alike(encoder, text)
        found = similar.nearest(asked)
        if found is not None:
            hits += 1
            false += rows[int.from_bytes(found)][1] != gold
        similar.add(n.to_bytes(4), asked)
    again = chance.sample(range(len(rows)), min(400, len(rows)))
    for n in again:
        found = similar.nearest(alike(encoder, dressed(rows[n][0], chance)))
        known += found is not None and rows[int.from_bytes(found)][1] == rows[n][1]
    share = 100 * false / len(rows)
    return f"{least:.2f}  {hits:6d}  {false:6d}  {share:6.2f} %  {100 * known / len(again):6.1f} %"


def main(paths: list[str]) -> None:
    """Measure every table."""
    encoder = learned_from(load_artifact(None)).encoder
    for path in paths:
        frame = pl.read_parquet(path, columns=["prompt", "gold"]).drop_nulls()
        frame = frame.unique("prompt", maintain_order=True).head(MOST)
        rows = [(p, g) for p, g in frame.iter_rows() if len(p) <= LONGEST]
        print(f"\n{Path(path).stem}: {len(rows)} distinct questions")
        print("alike    hits   false    false   known again")
        for least in LEAST:
            print(measure(rows, least, encoder))


if __name__ == "__main__":
    main(sys.argv[1:])
