"""A table of word vectors at fit: what it teaches of words never met, how it must look."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emafusion.build.parts import learned_from
from emafusion.domain.errors import BadInput
from emafusion.domain.query import ask
from emafusion.encode.hashing import BUCKETS
from emafusion.estimate.seen import see
from emafusion.lab.encoding import check_encoders
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.reading import whole
from emafusion.learn.word_vectors import read_word_vectors
from emafusion.store.artifact import load, save

ENDINGS = "abcdefghijklmnopqrstuvwxyz"
SEA = tuple(f"sea{a}{b}" for a in ENDINGS[:6] for b in ENDINGS[:10])
LAND = tuple(f"land{a}{b}" for a in ENDINGS[:6] for b in ENDINGS[:10])


def vectors_file(folder: Path) -> Path:
    """Words of the sea mean nearly the same, words of the land as well."""
    rng = np.random.default_rng(0)
    vectors = np.vstack((np.tile([1.0, 0, 0], (60, 1)), np.tile([0, 1.0, 0], (60, 1))))
    vectors += rng.normal(0, 0.05, vectors.shape)
    path = folder / "words.npz"
    np.savez(path, words=np.array(SEA + LAND), vectors=vectors)
    return path


def answers() -> pl.DataFrame:
    """Sailors answer of the sea, farmers of the land; only half of the words are ever used."""
    rng = np.random.default_rng(1)
    rows: list[dict[str, object]] = []
    for i in range(320):
        at_sea = i % 2 == 0
        prompt = " ".join(rng.choice((SEA if at_sea else LAND)[:30], 4))
        for model, home in (("sailor", at_sea), ("farmer", not at_sea)):
            score = float(rng.random() < (0.9 if home else 0.2))
            rows.append(
                {"query_id": f"q{i}", "prompt": prompt, "model": model, "score": score,
                 "dataset": "sea" if at_sea else "land", "cost_usd": 0.001}
            )  # fmt: skip
    return whole(pl.DataFrame(rows))


def test_what_was_learned_of_a_word_holds_for_words_that_mean_the_same(tmp_path: Path) -> None:
    """Words never met get their class from their vectors; without a table nothing tells."""
    table = vectors_file(tmp_path)
    unmet = ask(" ".join(SEA[40:46]))
    shares: dict[str, float] = {}
    for name in ("hashed", f"static:{table}"):
        artifact = fit(answers(), Wish(encoders=(name,)))
        save(tmp_path / "fitted", artifact.arrays, artifact.card)
        learned = learned_from(load(tmp_path / "fitted"))
        seen = see(learned.router, (learned.encoder.encode(unmet),))
        place = learned.router.classes.names.index("sea")
        shares[name.partition(":")[0]] = float(seen.shares[0, place])
        assert artifact.card.encoder.startswith(name.partition(":")[0])
    assert abs(shares["hashed"] - 0.5) < 0.2
    assert shares["static"] > 0.8


def test_of_several_encoders_the_card_tells_what_each_brought(tmp_path: Path) -> None:
    """The first is kept where another is not surely better; what it needs is in the artifact."""
    names = ("hashed", f"static:{vectors_file(tmp_path)}")
    artifact = fit(answers(), Wish(encoders=names))
    told = [name for name in artifact.card.figures if name.startswith("encoder, ")]
    assert len(told) == 2
    knows = "encoder/lexicon/words" in artifact.arrays
    assert knows == artifact.card.encoder.startswith("static:")
    rows = artifact.arrays["router/heads/words/bytes"].shape[0]
    assert rows == BUCKETS + (120 if knows else 0)


def test_tables_of_other_makers_are_read(tmp_path: Path) -> None:
    """One matrix with a tokenizer beside it, as static embedding models are shipped."""
    names = [f"\u0120word{a}{b}" for a in ENDINGS for b in ENDINGS[:5]] + ["ing", "7", "Word"]
    vectors = np.arange(len(names) * 2, dtype=np.float32).reshape(-1, 2)
    head = json.dumps(
        {"embeddings": {"dtype": "F32", "shape": list(vectors.shape),
                        "data_offsets": [0, vectors.nbytes]}}
    ).encode()  # fmt: skip
    size = len(head).to_bytes(8, "little")
    (tmp_path / "model.safetensors").write_bytes(size + head + vectors.tobytes())
    vocabulary = {name: i for i, name in enumerate(names)}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    found = read_word_vectors(tmp_path)
    assert {"wordaa", "##ing", "##word"} <= set(found.words)
    assert len(found.words) == len(names) - 1
    assert found.vectors[found.words.index("wordaa")].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", ["static", "hashed:x", "word2vec:x", ""])
def test_a_name_that_is_no_encoder_is_refused(name: str) -> None:
    """Before any work is done."""
    with pytest.raises(BadInput, match="is no encoder"):
        check_encoders((name,))


def test_a_table_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Absent, of another kind, without its arrays, or with hardly a word."""
    with pytest.raises(BadInput, match="no such file"):
        read_word_vectors(tmp_path / "absent.npz")
    (tmp_path / "table.txt").write_text("x")
    with pytest.raises(BadInput, match=r"is none of \.npz"):
        read_word_vectors(tmp_path / "table.txt")
    np.savez(tmp_path / "other.npz", rows=np.ones(3))
    with pytest.raises(BadInput, match="no arrays"):
        read_word_vectors(tmp_path / "other.npz")
    np.savez(tmp_path / "few.npz", words=np.array(["a", "b"]), vectors=np.ones((2, 3)))
    with pytest.raises(BadInput, match="2 words of letters"):
        read_word_vectors(tmp_path / "few.npz")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="no single matrix"):
        read_word_vectors(tmp_path / "bad.safetensors")
