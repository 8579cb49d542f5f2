"""Logs of evaluation harnesses as tables."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.tables.importing import Import, put, put_lines

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.found import Wish

TIME = "2025-03-04T05-06-07.123456"


def _generated(doc: int, named: str, score: float, answer: str) -> Mapping[str, object]:
    return {
        "doc_id": doc,
        "doc": {"question": "2 + 2?"},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": "Q: 2 + 2?\nA:", "arg_1": {"until": ["Q:"]}}},
        "resps": [["It is 4."]],
        "filtered_resps": [answer],
        "filter": named,
        "metrics": ["exact_match"],
        "doc_hash": "d",
        "prompt_hash": "p",
        "target_hash": "t",
        "exact_match": score,
    }


def _samples(folder: Path, rows: list[Mapping[str, object]], *, task: str = "sums") -> Path:
    return put_lines(folder / f"samples_{task}_{TIME}.jsonl", rows)


def test_lm_eval_generations_have_the_model_of_the_results_beside_them(tmp_path: Path) -> None:
    """Of two filters the first counts, or the one that is asked for."""
    folder = tmp_path / "org__tiny"
    _samples(folder, [_generated(0, "strict-match", 0.0, "[invalid]"),
                      _generated(0, "flexible-extract", 1.0, "4")])  # fmt: skip
    put(folder / f"results_{TIME}.json", {"model_name": "org/tiny-it", "results": {}})
    imported = Import(tmp_path, "lm-eval", tmp_path)
    assert imported.rows == [
        {"query_id": "sums/0", "prompt": "Q: 2 + 2?\nA:", "dataset": "sums", "model": "org/tiny-it",
         "response": "It is 4.", "answer": "[invalid]", "score": 0.0, "gold": "4"},
    ]  # fmt: skip
    assert imported.done.left_out == {"readings by another filter than strict-match": 1}
    flexible = Import(tmp_path, "lm-eval", folder, wish=Wish(chosen_filter="flexible-extract"))
    assert [(row["answer"], row["score"]) for row in flexible.rows] == [("4", 1.0)]


def test_lm_eval_choices_are_answered_by_the_likeliest_one(tmp_path: Path) -> None:
    """Each choice was a call of its own; without results the folder names the model."""
    row = {
        "doc_id": 3,
        "target": 1,
        "arguments": [["Sky is", " red"], ["Sky is", " blue"]],
        "resps": [[[-4.5, False]], [[-0.5, True]]],
        "filtered_resps": [[-4.5, False], [-0.5, True]],
        "acc": 1.0,
        "acc_norm": 0.0,
    }
    path = _samples(tmp_path / "org__tiny", [row], task="sky")
    assert Import(tmp_path, "lm-eval", path).rows == [
        {"query_id": "sky/3", "prompt": "Sky is", "dataset": "sky", "model": "org/tiny",
         "response": " blue", "answer": "blue", "score": 1.0, "gold": "1"},
    ]  # fmt: skip
    named = Import(tmp_path, "lm-eval", path, wish=Wish(metric="acc_norm", model="mine"))
    assert [(each["model"], each["score"]) for each in named.rows] == [("mine", 0.0)]


def test_lm_eval_chats_become_messages(tmp_path: Path) -> None:
    """A chat template was applied: the context is a conversation as JSON."""
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    row = {**_generated(0, "none", 1.0, "4"),
           "arguments": {"gen_args_0": {"arg_0": [json.dumps(turns)], "arg_1": {}}}}  # fmt: skip
    read = Import(tmp_path, "lm-eval", _samples(tmp_path / "a__b", [row])).rows[0]
    assert (read["prompt"], json.loads(str(read["messages"]))) == ("2 + 2?", turns)


def test_lm_eval_without_a_model_is_refused_with_what_would_do(tmp_path: Path) -> None:
    """The folder's name says nothing, and there are no results."""
    path = _samples(tmp_path / "runs", [_generated(0, "none", 1.0, "4")])
    with pytest.raises(BadInput, match=r"put results_\*\.json beside it, or use --model"):
        Import(tmp_path, "lm-eval", path)


def test_lm_eval_tells_which_metrics_there_are(tmp_path: Path) -> None:
    """Where the one that was asked for is none of them."""
    path = _samples(tmp_path / "a__b", [_generated(0, "none", 1.0, "4")])
    with pytest.raises(BadInput, match="line 1: has no metric 'acc'; there are doc_id, target, ex"):
        Import(tmp_path, "lm-eval", path, wish=Wish(metric="acc"))


def test_lm_eval_sources_that_are_none_are_told(tmp_path: Path) -> None:
    """A folder without samples, and JSON that is no results file."""
    with pytest.raises(BadInput, match=r"no samples_.* lm_eval writes them with --log_samples"):
        Import(tmp_path, "lm-eval", tmp_path)
    with pytest.raises(BadInput, match="is no results file of lm-evaluation-harness"):
        Import(tmp_path, "lm-eval", put(tmp_path / "x.json", {}))


SPEC = {"run_id": "r", "task": "sums", "model": "mockllm/tiny", "dataset": {"name": "sums"}}
SAMPLE: Mapping[str, object] = {
    "id": 7,
    "epoch": 2,
    "input": "2 + 2?",
    "target": "4",
    "messages": [
        {"role": "system", "content": "attachment://a1"},
        {"role": "user", "content": "2 + 2?", "source": "input"},
        {"role": "assistant", "content": "It is 4.", "source": "generate"},
    ],
    "output": {
        "model": "tiny",
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning", "reasoning": "hm"},
                        {"type": "text", "text": "It is 4."},
                    ],
                },
                "stop_reason": "stop",
                "logprobs": {"content": [{"token": "4", "logprob": -0.5}, {"logprob": -1.5}]},
            }
        ],
        "usage": {"input_tokens": 20, "output_tokens": 4, "total_tokens": 24},
        "time": 0.75,
    },
    "scores": {
        "match": {"value": "C", "answer": "4"},
        "model_graded_qa": {"value": "P", "answer": "It is 4.", "explanation": "GRADE: P"},
    },
    "attachments": {"a1": "Be brief."},
}
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
READ = {
    "query_id": "sums/7", "prompt": "2 + 2?", "dataset": "sums", "model": "mockllm/tiny",
    "response": "It is 4.", "answer": "4", "score": 1.0, "gold": "4", "prompt_tokens": 20,
    "completion_tokens": 4, "latency_s": 0.75, "mean_logprob": -1.0, "sample": 1,
}  # fmt: skip


def _eval_log(path: Path, samples: list[object]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": SPEC}))
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps({"version": 2, "eval": SPEC}))
    return path


@pytest.mark.parametrize("form", ["eval", "json"])
def test_inspect_logs_have_what_the_model_saw_and_grades_of_other_scorers(
    tmp_path: Path, form: str
) -> None:
    """The first scorer counts, the others are judges; epochs are samples."""
    failed = {**SAMPLE, "error": {"message": "timed out"}}
    path = tmp_path / f"log.{form}"
    if form == "eval":
        _eval_log(path, [SAMPLE, failed])
    else:
        put(path, {"version": 2, "status": "success", "eval": SPEC, "samples": [SAMPLE, failed]})
    imported = Import(tmp_path, "inspect", path)
    row = dict(imported.rows[0])
    assert json.loads(str(row.pop("messages"))) == TURNS
    assert row == READ
    assert imported.done.left_out == {"samples that ended in an error": 1}
    assert imported.grades == [
        {"query_id": "sums/7", "model": "mockllm/tiny", "judge": "model_graded_qa", "repeat": 1,
         "judge_score": 0.5},
    ]  # fmt: skip
    other = Import(tmp_path, "inspect", path, wish=Wish(metric="model_graded_qa"))
    assert [row["score"] for row in other.rows] == [0.5]


def test_inspect_tool_calls_and_images_are_messages_that_can_be_read(tmp_path: Path) -> None:
    """A conversation that was given as input, in the form of inspect_ai."""
    given = [
        {"role": "user", "content": [{"type": "text", "text": "And in Rome?"},
                                     {"type": "image", "image": "map.png"}]},
        {"role": "assistant", "content": "",
         "tool_calls": [{"id": "c1", "function": "weather", "arguments": {"city": "Rome"}}]},
        {"role": "tool", "content": "rain", "tool_call_id": "c1", "function": "weather"},
    ]  # fmt: skip
    sample = {**SAMPLE, "input": given, "messages": []}
    read = Import(tmp_path, "inspect", _eval_log(tmp_path / "x.eval", [sample])).rows[0]
    turns = json.loads(str(read["messages"]))
    assert turns[1]["tool_calls"][0]["function"] == {
        "name": "weather", "arguments": '{"city":"Rome"}',
    }  # fmt: skip
    assert read["prompt"] == "And in Rome?"


def test_a_broken_sample_of_inspect_is_a_bad_row(tmp_path: Path) -> None:
    """The others are read."""
    path = _eval_log(tmp_path / "x.eval", [SAMPLE])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("samples/broken.json", "{")
    with pytest.raises(BadInput, match=r"x\.eval: sample 2: is not JSON"):
        Import(tmp_path, "inspect", path)
    assert len(Import(tmp_path, "inspect", path, skip_bad=True).rows) == 1
    wrong = Wish(metric="exact")
    with pytest.raises(BadInput, match="has no scorer 'exact'; there are match, model_graded_qa"):
        Import(tmp_path, "inspect", path, wish=wrong)


def test_an_inspect_log_compressed_otherwise_says_what_to_do(tmp_path: Path) -> None:
    """Newer versions of inspect_ai use what Python's zip does not know."""
    path = _eval_log(tmp_path / "x.eval", [SAMPLE])
    stored = zipfile.ZIP_DEFLATED.to_bytes(2, "little")
    zstd = (93).to_bytes(2, "little")
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.find(magic)
        while at >= 0:
            assert data[at + place : at + place + 2] == stored
            data[at + place : at + place + 2] = zstd
            at = data.find(magic, at + 1)
    path.write_bytes(data)
    with pytest.raises(BadInput, match="`inspect log convert` to json first"):
        Import(tmp_path, "inspect", path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"{}", b"plain"])
def test_what_is_no_log_of_inspect_is_told(tmp_path: Path, content: bytes) -> None:
    """In one line with the file's name."""
    for name in ("x.eval", "x.json"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=f"{name}: is no"):
            Import(tmp_path, "inspect", tmp_path / name)
