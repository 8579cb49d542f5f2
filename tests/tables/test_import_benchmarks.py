"""Benchmarks of routers as tables: each in the shape that its makers publish."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from tests.tables.importing import Import, put, put_lines

from emafusion.domain.errors import BadInput
from emafusion.tables.marks import refuse_test_only
from emafusion.tables.read import read_outcomes

WIDE = {
    "sample_id": "grade-school-math.dev.1",
    "prompt": "['How many legs have two dogs?']",
    "eval_name": "grade-school-math",
    "oracle_model_to_route_to": "tiny",
    "tiny": 1.0,
    "big": 0.25,
    "tiny|model_response": "['Eight.']",
    "big|model_response": "['Six, it\\'s odd.', 'Twice.']",
    "tiny|total_cost": 0.00001,
    "big|total_cost": 0.002,
}


def _csv(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "jsonl"])
def test_routerbench_has_three_columns_a_model(tmp_path: Path, form: str) -> None:
    """Its texts are printed Python lists; the table has the texts."""
    path = tmp_path / f"wide.{form}"
    if form == "parquet":
        pl.DataFrame([WIDE]).write_parquet(path)
    elif form == "csv":
        _csv(path, [WIDE])
    else:
        (put if form == "json" else put_lines)(path, [WIDE])
    common = {"query_id": WIDE["sample_id"], "prompt": "How many legs have two dogs?"}
    assert Import(tmp_path, "routerbench", path).rows == [
        {**common, "dataset": "grade-school-math", "model": "tiny", "response": "Eight.",
         "score": 1.0, "cost_usd": 0.00001},
        {**common, "dataset": "grade-school-math", "model": "big",
         "response": "Six, it's odd.\n\nTwice.", "score": 0.25, "cost_usd": 0.002},
    ]  # fmt: skip


def test_a_pickle_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Reading one would run whatever code is in it."""
    path = tmp_path / "routerbench_0shot.pkl"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(BadInput, match=r"export it as parquet, CSV or JSON first"):
        Import(tmp_path, "routerbench", path)


ARENA = {
    "global_index": "MusicTheory_12",
    "question": "How many keys has a piano?",
    "llm_selected": "tiny-1",
    "generated_answer": "\\boxed{88}",
    "token_usage": {"input_tokens": 12, "output_tokens": 4, "total_tokens": 16},
    "success": True,
    "provider": "local",
    "error": None,
    "evaluation_result": {
        "extracted_answer": "88",
        "ground_truth": "88",
        "score": 1.0,
        "metric": "math_metric",
        "inference_cost": 0.0001,
    },
}
PREDICTED = {
    "global index": "MusicTheory_13",
    "prompt": "How many strings has a violin?",
    "prediction": "big-1",
    "generated_result": {
        "generated_answer": "Four",
        "success": True,
        "token_usage": {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10},
        "model_used": "big-1",
    },
    "cost": None,
    "accuracy": 0.5,
    "for_optimality": False,
}


def test_routerarena_carries_its_mark_and_is_never_fitted(tmp_path: Path) -> None:
    """Its questions are for testing only, and the table says so in any format."""
    cached = put_lines(tmp_path / "cached" / "tiny-1.jsonl", [ARENA, {**ARENA, "success": False}])
    predicted = put(tmp_path / "predictions" / "mine.json", [PREDICTED])
    imported = Import(tmp_path, "routerarena", cached, predicted.parent)
    assert imported.rows == [
        {"query_id": "routerarena/MusicTheory_12", "prompt": "How many keys has a piano?",
         "dataset": "routerarena/MusicTheory", "model": "tiny-1", "response": "\\boxed{88}",
         "score": 1.0, "gold": "88", "prompt_tokens": 12, "completion_tokens": 4,
         "cost_usd": 0.0001},
        {"query_id": "routerarena/MusicTheory_13", "prompt": "How many strings has a violin?",
         "dataset": "routerarena/MusicTheory", "model": "big-1", "response": "Four", "score": 0.5,
         "prompt_tokens": 9, "completion_tokens": 1},
    ]  # fmt: skip
    assert imported.done.left_out == {"questions without an answer": 1}
    frame = read_outcomes([tmp_path / "out.parquet"]).frame
    with pytest.raises(BadInput, match=r"2 rows of RouterArena are for testing only"):
        refuse_test_only(frame)
    refuse_test_only(frame.with_columns(dataset=pl.lit("other")))


def _bench(folder: Path, model: str, time: str, *, score: float, demo: bool = False) -> Path:
    record = {
        "index": 1,
        "origin_query": "2 + 2?",
        "prompt": "Question: 2 + 2?\nAnswer:",
        "prediction": "4",
        "ground_truth": "4",
        "score": score,
        "prompt_tokens": 15,
        "completion_tokens": 5,
        "cost": 0.0,
        "raw_output": "It is 4.",
        "extra_fields": {},
    }
    path = folder / "bench" / "sums" / "test" / model / f"sums-test-{model}-{time}.json"
    run = {
        "performance": score,
        "counts": 1,
        "model_name": model,
        "dataset_name": "sums",
        "split": "test",
        "demo": demo,
        "records": [record],
    }
    return put(path, run)


def test_llmrouterbench_counts_the_latest_run_of_each_model(tmp_path: Path) -> None:
    """A cost of 0 is a cost that was not known."""
    for model in ("tiny", "big"):
        _bench(tmp_path, model, "20250102_030405", score=0.0)
        _bench(tmp_path, model, "20250203_040506", score=1.0)
    rows = Import(tmp_path, "llmrouterbench", tmp_path / "bench").rows
    assert rows[0] == {
        "query_id": "sums/test/1",
        "prompt": "Question: 2 + 2?\nAnswer:",
        "dataset": "sums",
        "model": "big",
        "response": "It is 4.",
        "answer": "4",
        "score": 1.0,
        "gold": "4",
        "prompt_tokens": 15,
        "completion_tokens": 5,
    }
    assert [(row["model"], row["score"]) for row in rows] == [("big", 1.0), ("tiny", 1.0)]


def test_a_demonstration_of_llmrouterbench_is_left_out(tmp_path: Path) -> None:
    """Nothing else is there, so nothing is written."""
    path = _bench(tmp_path, "tiny", "20250102_030405", score=1.0, demo=True)
    with pytest.raises(BadInput, match=r"has no rows, only records of demonstrations \(1\)"):
        Import(tmp_path, "llmrouterbench", path)
    assert not (tmp_path / "out.parquet").exists()


def test_routereval_router_data_sets_are_read_at_any_depth(tmp_path: Path) -> None:
    """Pools overlap, and the same score of the same model is one row."""
    pool = {"model": ["a", "b"], "data": {"train_score": [[1, 0], [0, 1]], "test_score": [[1, 1]]}}
    export = {
        "prompt": {"train_prompt": ["p0", "p1"], "test_prompt": ["t0"]},
        "easy": {"3": {"all_strong": pool, "all_weak": pool}},
    }
    path = put(tmp_path / "arc_router_dataset.json", export)
    imported = Import(tmp_path, "routereval", path)
    assert [(row["query_id"], row["prompt"], row["model"], row["score"]) for row in imported.rows]\
        == [("arc/train/0", "p0", "a", 1.0), ("arc/train/0", "p0", "b", 0.0),
            ("arc/train/1", "p1", "a", 0.0), ("arc/train/1", "p1", "b", 1.0),
            ("arc/test/0", "t0", "a", 1.0), ("arc/test/0", "t0", "b", 1.0)]  # fmt: skip
    assert imported.done.outcomes.repeats == 6


def test_routereval_leaderboard_scores_find_their_prompts(tmp_path: Path) -> None:
    """The prompts of each subset are in a file of their own."""
    scores = {"models": ["a", "b"], "data": {"sums": {"correctness": [[1, 0], [0.5, 1]]}}}
    rows = Import(
        tmp_path, "routereval",
        put(tmp_path / "scores.json", scores), put(tmp_path / "prompts.json", {"sums": ["x", "y"]}),
    ).rows  # fmt: skip
    assert [(row["prompt"], row["model"], row["score"]) for row in rows] == [
        ("x", "a", 1.0), ("x", "b", 0.0), ("y", "a", 0.5), ("y", "b", 1.0),
    ]  # fmt: skip


def test_any_table_of_questions_by_models_is_a_score_matrix(tmp_path: Path) -> None:
    """What is no known column is a model."""
    matrix = [
        {"id": "q1", "prompt": "x", "category": "sums", "tiny": 1, "big": 0.5},
        {"id": "q2", "prompt": "y", "category": "sums", "tiny": "", "big": 1},
    ]
    rows = Import(tmp_path, "routereval", _csv(tmp_path / "matrix.csv", matrix)).rows
    assert [(row["query_id"], row["model"], row["score"], row["dataset"]) for row in rows] == [
        ("q1", "tiny", 1.0, "sums"), ("q1", "big", 0.5, "sums"), ("q2", "big", 1.0, "sums"),
    ]  # fmt: skip


def test_a_matrix_whose_rows_do_not_fit_its_models_is_told(tmp_path: Path) -> None:
    """With the row and both numbers."""
    path = put(tmp_path / "x.json", {"model": ["a", "b"], "data": {"train_score": [[1, 0], [1]]},
                                     "prompt": {"train_prompt": ["p", "q"]}})  # fmt: skip
    with pytest.raises(BadInput, match=r"x/train row 2: has 1 scores, there are 2 models"):
        Import(tmp_path, "routereval", path)
