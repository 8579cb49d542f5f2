"""Logs of gateways and clients as tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.tables.importing import Import, put, put_lines

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.found import Wish

ASKED = [{"role": "user", "content": "2 + 2?"}]
TALK = [{"role": "system", "content": "Be brief."}, *ASKED]
COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "model": "tiny-2025-01-01",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "4"},
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "4", "logprob": -0.25}]},
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}

SPENT: Mapping[str, object] = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
    "spend": 0.00042,
    "total_tokens": 10,
    "prompt_tokens": 9,
    "completion_tokens": 1,
    "startTime": "2025-03-04T05:06:07.000Z",
    "endTime": "2025-03-04T05:06:08.250Z",
    "model": "tiny",
    "model_group": "small-models",
    "cache_hit": "False",
    "status": "success",
    "messages": ASKED,
    "response": COMPLETION,
    "proxy_server_request": {},
}


@pytest.mark.parametrize("form", ["json", "csv"])
def test_litellm_spend_logs_are_answers_by_question(tmp_path: Path, form: str) -> None:
    """Calls have ids, questions have none: equal ones get an equal name."""
    others = [
        {**SPENT, "model": "big", "spend": 0.0},
        {**SPENT, "status": "failure"},
        {**SPENT, "cache_hit": "True"},
        {**SPENT, "call_type": "aembedding"},
    ]
    rows = [SPENT, *others]
    path = tmp_path / f"spend.{form}"
    if form == "json":
        put(path, {"data": rows, "total": len(rows)})
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(SPENT))
            writer.writeheader()
            writer.writerows(
                {name: json.dumps(cell) if isinstance(cell, list | dict) else cell
                 for name, cell in row.items()} for row in rows
            )  # fmt: skip
    imported = Import(tmp_path, "litellm", path)
    first, second = imported.rows
    assert first["query_id"] == second["query_id"]
    assert {name: value for name, value in first.items() if name != "query_id"} == {
        "prompt": "2 + 2?", "model": "tiny", "response": "4", "prompt_tokens": 9,
        "completion_tokens": 1, "cost_usd": 0.00042, "latency_s": 1.25, "mean_logprob": -0.25,
    }  # fmt: skip
    assert (second["model"], second.get("cost_usd")) == ("big", None)
    assert imported.done.left_out == {
        "failed calls": 1, "answers from a cache": 1, "calls of type aembedding": 1,
    }  # fmt: skip


def test_litellm_without_texts_says_which_setting_keeps_them(tmp_path: Path) -> None:
    """They are off by default; the request as it came in will do."""
    path = put(tmp_path / "a.json", [{**SPENT, "messages": {}, "response": {}}])
    with pytest.raises(BadInput, match=r"row 1: has no messages; .*store_prompts_in_spend_logs"):
        Import(tmp_path, "litellm", path)
    request = {"model": "tiny", "messages": TALK, "tools": [
        {"type": "function", "function": {"name": "add"}}]}  # fmt: skip
    put(path, [{**SPENT, "messages": "{}", "proxy_server_request": json.dumps(request)}])
    kept = json.loads(str(Import(tmp_path, "litellm", path).rows[0]["messages"]))
    assert kept == {"messages": TALK, "tools": request["tools"]}


def _request(named: str, **body: object) -> Mapping[str, object]:
    whole = {"model": "tiny", "messages": ASKED, **body}
    return {"custom_id": named, "method": "POST", "url": "/v1/chat/completions", "body": whole}


def _answer(named: str, body: object = COMPLETION, status: int = 200) -> Mapping[str, object]:
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": named, "response": response, "error": None}


def test_openai_batch_files_are_joined_by_custom_id(tmp_path: Path) -> None:
    """The answers come in any order, and the files too."""
    requests = put_lines(tmp_path / "in.jsonl", [_request("a"), _request("b", messages=TALK)])
    two = {**COMPLETION, "choices": [{"message": {"content": "4"}}, {"message": {"content": "5"}}]}
    answers = put_lines(tmp_path / "out.jsonl", [_answer("b", two), _answer("a"),
                                                 _answer("a", {}, 500)])  # fmt: skip
    imported = Import(tmp_path, "openai-batch", answers, requests)
    assert [(row["query_id"], row["model"], row["response"], row.get("sample"))
            for row in imported.rows] == [
        ("b", "tiny", "4", 0), ("b", "tiny", "5", 1), ("a", "tiny", "4", None),
    ]  # fmt: skip
    assert imported.rows[2]["prompt_tokens"] == 9
    assert "prompt_tokens" not in imported.rows[0]
    assert imported.done.left_out == {"requests that failed": 1}


def test_openai_batches_of_the_responses_api_are_read_too(tmp_path: Path) -> None:
    """Their texts are called otherwise."""
    request = {
        "custom_id": "a",
        "url": "/v1/responses",
        "body": {
            "model": "tiny",
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "2 + 2?"}]}],
        },
    }
    reply = {"output": [{"type": "reasoning"}, {"type": "message", "content": [
        {"type": "output_text", "text": "4"}]}],
        "usage": {"input_tokens": 9, "output_tokens": 1}}  # fmt: skip
    rows = Import(
        tmp_path, "openai-batch",
        put_lines(tmp_path / "in.jsonl", [request]),
        put_lines(tmp_path / "out.jsonl", [_answer("a", reply)]),
    ).rows  # fmt: skip
    assert (rows[0]["prompt"], rows[0]["response"], rows[0]["prompt_tokens"]) == ("2 + 2?", "4", 9)


def test_openai_batch_files_that_do_not_pair_are_refused(tmp_path: Path) -> None:
    """Answers without their requests, and ids that nobody asked."""
    answers = put_lines(tmp_path / "out.jsonl", [_answer("a")])
    with pytest.raises(BadInput, match="0 files of requests and 1 of answers"):
        Import(tmp_path, "openai-batch", answers)
    requests = put_lines(tmp_path / "in.jsonl", [_request("z")])
    with pytest.raises(BadInput, match="line 1: custom_id 'a' is in no file of requests"):
        Import(tmp_path, "openai-batch", requests, answers)


def _attributes(**named: object) -> list[object]:
    def held(value: object) -> object:
        if isinstance(value, list):
            return {"arrayValue": {"values": [held(each) for each in value]}}
        if isinstance(value, dict):
            return {"kvlistValue": {"values": [{"key": k, "value": held(v)}
                                               for k, v in value.items()]}}  # fmt: skip
        if isinstance(value, int):
            return {"intValue": str(value)}
        return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}

    return [
        {"key": f"gen_ai.{name.replace('__', '.')}", "value": held(value)}
        for name, value in named.items()
    ]


NEW = {"operation__name": "chat", "request__model": "tiny", "usage__input_tokens": 9,
       "usage__output_tokens": 1}  # fmt: skip
OLD = {"operation__name": "chat", "request__model": "tiny", "usage__prompt_tokens": 9,
       "usage__completion_tokens": 1}  # fmt: skip
PARTS = [{"role": "user", "parts": [{"type": "text", "content": "2 + 2?"}]}]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "4"}], "finish_reason": "stop"}]


def _span(attributes: list[object], **more: object) -> object:
    span = {
        "traceId": "t1",
        "spanId": "s1",
        "name": "chat tiny",
        "kind": 3,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000500000000",
        "attributes": attributes,
        "status": {},
        **more,
    }
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}


def _logs(*records: Mapping[str, object]) -> object:
    placed = [{"traceId": "t1", "spanId": "s1", **record} for record in records]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": placed}]}]}


def _event(name: str, **attributes: object) -> Mapping[str, object]:
    return {"name": f"gen_ai.{name}", "attributes": _attributes(**attributes)}


SPANS = {
    "since 1.37, structured": [
        _span(_attributes(**NEW, input__messages=PARTS, output__messages=SAID))],
    "since 1.37, as JSON": [
        _span(_attributes(**NEW, input__messages=json.dumps(PARTS),
                          output__messages=json.dumps(SAID)))],
    "since 1.37, in a log record": [
        _logs({"eventName": "gen_ai.client.inference.operation.details",
               "attributes": _attributes(input__messages=PARTS, output__messages=SAID)}),
        _span(_attributes(**NEW))],
    "1.30, events of the span": [
        _span(_attributes(**NEW), events=[
            _event("user.message", event__content='{"role": "user", "content": "2 + 2?"}'),
            _event("choice", event__content='{"index": 0, "message": {"content": "4"}}')])],
    "1.36, log records": [
        _span(_attributes(**NEW)),
        _logs({"eventName": "gen_ai.user.message", "body": {"kvlistValue": {"values": [
                  {"key": "content", "value": {"stringValue": "2 + 2?"}}]}}},
              {"eventName": "gen_ai.choice", "body": {"kvlistValue": {"values": [
                  {"key": "message", "value": {"kvlistValue": {"values": [
                      {"key": "content", "value": {"stringValue": "4"}}]}}}]}}})],
    "1.26, content events": [
        _span(_attributes(**OLD), events=[
            _event("content.prompt", prompt=json.dumps(ASKED)),
            _event("content.completion",
                   completion='[{"role": "assistant", "content": "4"}]')])],
    "flat attributes": [
        _span(_attributes(**OLD, prompt__0__role="user", prompt__0__content="2 + 2?",
                          completion__0__role="assistant", completion__0__content="4"))],
}  # fmt: skip


@pytest.mark.parametrize("form", list(SPANS))
def test_spans_of_every_age_say_the_same(tmp_path: Path, form: str) -> None:
    """Names of attributes changed, and messages moved about."""
    rows = Import(tmp_path, "otel", put_lines(tmp_path / "traces.jsonl", SPANS[form])).rows
    assert [{name: value for name, value in row.items() if name != "query_id"} for row in rows] == [
        {"prompt": "2 + 2?", "model": "tiny", "response": "4", "prompt_tokens": 9,
         "completion_tokens": 1, "latency_s": 0.5},
    ]  # fmt: skip


def test_spans_in_a_file_named_json_may_stand_a_line_each(tmp_path: Path) -> None:
    """So a collector writes them; one request in one piece is read as well."""
    lines = [_span(_attributes(**NEW, input__messages=PARTS))] * 2
    assert (
        Import(tmp_path, "otel", put_lines(tmp_path / "a.json", lines)).done.outcomes.repeats == 1
    )
    (tmp_path / "a.json").write_text(json.dumps(lines[0], indent=2))
    assert len(Import(tmp_path, "otel", tmp_path / "a.json").rows) == 1


def test_spans_of_agents_and_failed_calls_are_left_out(tmp_path: Path) -> None:
    """They are no answers of a model; a call without texts is a bad row."""
    lines = [
        _span(_attributes(operation__name="execute_tool")),
        _span(_attributes(**NEW), status={"code": 2}),
        _span(_attributes(**NEW, input__messages=PARTS)),
    ]
    imported = Import(tmp_path, "otel", put_lines(tmp_path / "traces.jsonl", lines))
    assert len(imported.rows) == 1
    assert imported.done.left_out == {
        "spans that are no call of a model": 1,
        "calls that failed": 1,
    }
    put_lines(tmp_path / "traces.jsonl", [*lines, _span(_attributes(**NEW))])
    with pytest.raises(BadInput, match="line 4: span 'chat tiny' has no messages; switch on"):
        Import(tmp_path, "otel", tmp_path / "traces.jsonl")


def test_tool_calls_of_spans_are_messages_that_can_be_read(tmp_path: Path) -> None:
    """With the tools that were offered, and a system instruction."""
    talk = [
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Rome?"}]},
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Rome"}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "rain"}]},
    ]  # fmt: skip
    span = _span(_attributes(
        **NEW, input__messages=talk, output__messages=SAID,
        system_instructions=[{"type": "text", "content": "Be brief."}],
        tool__definitions=[{"type": "function", "name": "weather",
                            "parameters": {"type": "object"}}],
    ))  # fmt: skip
    row = Import(tmp_path, "otel", put_lines(tmp_path / "traces.jsonl", [span])).rows[0]
    kept = json.loads(str(row["messages"]))
    assert [turn["role"] for turn in kept["messages"]] == ["system", "user", "assistant", "tool"]
    assert kept["tools"][0]["function"]["name"] == "weather"
    assert row["prompt"] == "Weather in Rome?"


def test_evaluations_of_spans_are_grades_or_the_score(tmp_path: Path) -> None:
    """Whichever is asked for."""
    graded = {"eventName": "gen_ai.evaluation.result", "attributes": _attributes(
        evaluation__name="relevance", evaluation__score__value=0.75)}  # fmt: skip
    path = put_lines(tmp_path / "traces.jsonl",
                     [_span(_attributes(**NEW, input__messages=PARTS)), _logs(graded)])  # fmt: skip
    imported = Import(tmp_path, "otel", path)
    assert [(row["judge"], row["judge_score"]) for row in imported.grades] == [("relevance", 0.75)]
    assert "score" not in imported.rows[0]
    scored = Import(tmp_path, "otel", path, wish=Wish(metric="relevance"))
    assert (scored.rows[0]["score"], scored.grades) == (0.75, [])


def test_any_jsonl_is_read_by_a_map(tmp_path: Path) -> None:
    """A dot goes into an object; what has our name already needs no map."""
    lines = [{"id": 1, "req": {"text": "2 + 2?"}, "by": [{"name": "tiny"}], "score": "0.5"}]
    wish = Wish(columns={"query_id": "id", "prompt": "req.text", "model": "by.0.name"})
    rows = Import(tmp_path, "jsonl", put_lines(tmp_path / "a.jsonl", lines), wish=wish).rows
    assert rows == [{"query_id": "1", "prompt": "2 + 2?", "model": "tiny", "score": 0.5}]


def test_a_map_to_what_no_row_has_is_told(tmp_path: Path) -> None:
    """A misspelt name must not become an empty column."""
    path = put_lines(tmp_path / "a.jsonl", [{"query_id": 1, "prompt": "a", "model": "m"}])
    with pytest.raises(BadInput, match="no row has 'cost', which --map gives for cost_usd"):
        Import(tmp_path, "jsonl", path, wish=Wish(columns={"cost_usd": "cost"}))


def test_a_source_that_is_not_there_or_has_no_files_is_told(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(BadInput, match="none: cannot be read: No such file"):
        Import(tmp_path, "jsonl", tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"folder: no file in it ends in \.json, \.jsonl"):
        Import(tmp_path, "otel", tmp_path / "folder")


def test_litellm_prompts_may_be_texts_and_times_numbers(tmp_path: Path) -> None:
    """Completions have a text for messages; some exports have the duration itself."""
    row = {**SPENT, "call_type": "text_completion", "messages": "2 + 2?", "response": "4",
           "request_duration_ms": 250}  # fmt: skip
    read = Import(tmp_path, "litellm", put(tmp_path / "a.json", [row])).rows[0]
    assert (read["prompt"], read["response"], read["latency_s"]) == ("2 + 2?", "4", 0.25)
    row = {**SPENT, "endTime": "soon", "response": {"type": "message", "content": [
        {"type": "text", "text": "4"}]}}  # fmt: skip
    read = Import(tmp_path, "litellm", put(tmp_path / "a.json", [row])).rows[0]
    assert (read["response"], "latency_s" in read) == ("4", False)
