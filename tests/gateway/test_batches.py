"""Files and batches, by the official client and by hand, against a real gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import openai
import pytest
from openai.types import Batch
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Body, rows, send

EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""


def line(custom_id: str, url: str = "/v1/chat/completions", **body: object) -> Body:
    """A line that asks a model."""
    asked = {"model": "cheap", "messages": [{"role": "user", "content": custom_id}], **body}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": asked}


def uploaded(client: openai.OpenAI, lines: Iterable[object]) -> str:
    """Upload lines; the id of the file."""
    data = "".join(json.dumps(each) + "\n" for each in lines).encode()
    return client.files.create(file=("in.jsonl", data), purpose="batch").id


def begun(client: openai.OpenAI, lines: Iterable[object], url: str = "") -> Batch:
    """Begin a batch of lines."""
    return client.batches.create(
        input_file_id=uploaded(client, lines),
        endpoint=url or "/v1/chat/completions",  # type: ignore[arg-type] # a plain text
        completion_window="24h",
    )


def ended(client: openai.OpenAI, batch: Batch, seconds: float = 20.0) -> Batch:
    """Wait until a batch is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        batch = client.batches.retrieve(batch.id)
        if batch.status in {"completed", "failed", "cancelled", "expired"}:
            return batch
        time.sleep(0.05)
    raise AssertionError(batch)


def content(client: openai.OpenAI, file_id: str | None) -> dict[str, Body]:
    """Lines of a file by their own ids."""
    assert file_id is not None
    read = [json.loads(each) for each in client.files.content(file_id).text.splitlines()]
    return {each["custom_id"]: each for each in read}


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    """The official client."""
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)


def test_a_file_is_kept(client: openai.OpenAI) -> None:
    """Uploaded, told of, listed, read, forgotten."""
    data = b'{"custom_id": "a"}\r\n--boundary?\r\n'
    made = client.files.create(
        file=("my file.jsonl", data),
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (made.filename, made.bytes, made.status) == ("my file.jsonl", len(data), "processed")
    assert made.expires_at == made.created_at + 3600
    other = client.files.create(file=("b.jsonl", b"{}"), purpose="batch")
    assert client.files.retrieve(made.id) == made
    assert [file.id for file in client.files.list()] == [other.id, made.id]
    assert [file.id for file in client.files.list(order="asc", limit=1)] == [made.id, other.id]
    assert client.files.content(made.id).content == data
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(made.id)


def test_a_batch_is_answered(client: openai.OpenAI, provider: Provider, gateway: Gateway) -> None:
    """Every line as if it had been asked alone; what failed is in a file of its own."""
    provider.script["cheap"] = "Oslo"
    lines = [line("one"), line("two"), line("bad", messages=[]), line("live", stream=True)]
    batch = begun(client, lines)
    assert batch.status in {"validating", "in_progress"}
    batch = ended(client, batch)
    assert batch.status == "completed"
    counts = batch.request_counts
    assert counts is not None
    assert (counts.total, counts.completed, counts.failed) == (4, 2, 2)
    assert batch.usage is not None
    assert (batch.usage.input_tokens, batch.usage.output_tokens) == (200, 2)
    good = content(client, batch.output_file_id)
    assert set(good) == {"one", "two"}
    response = good["one"]["response"]
    assert response["status_code"] == 200
    assert response["body"]["choices"][0]["message"]["content"] == "Oslo"
    bad = content(client, batch.error_file_id)
    assert bad["bad"]["response"]["status_code"] == 400
    assert bad["live"]["response"]["body"]["error"]["param"] == "stream"
    assert response["request_id"] in rows(gateway, "select decision_id from outcomes")
    assert client.batches.list().data[0].id == batch.id


def test_all_endpoints(start_gateway: StartGateway, provider: Provider) -> None:
    """Chat is not all that a batch may be of."""
    gateway = start_gateway(EMBEDDINGS.replace("URL", provider.url))
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    bodies: dict[str, Body] = {
        "/v1/responses": {"model": "cheap", "input": "?"},
        "/v1/completions": {"model": "cheap", "prompt": "?"},
        "/v1/embeddings": {"model": "small", "input": "?"},
    }
    for url, body in bodies.items():
        asked = {"custom_id": "one", "method": "POST", "url": url, "body": body}
        batch = ended(client, begun(client, [asked], url))
        assert batch.status == "completed"
        answer = content(client, batch.output_file_id)["one"]["response"]["body"]
        assert answer["object"] in {"response", "text_completion", "list"}


def test_a_file_with_a_fault_fails_as_a_whole(client: openai.OpenAI, provider: Provider) -> None:
    """Nothing of it is asked; each fault is told with its line."""
    wrong = {
        "invalid_json_line": "no object",
        "invalid_method": {**line("a"), "method": "GET"},
        "mismatched_url": line("b", "/v1/embeddings"),
        "duplicate_custom_id": line("fine"),
    }
    batch = ended(client, begun(client, [line("fine"), *wrong.values()]))
    assert batch.status == "failed"
    assert batch.errors is not None
    assert [(fault.line, fault.code) for fault in batch.errors.data or ()] == list(
        enumerate(wrong, start=2)
    )
    assert not provider.seen


def test_a_batch_can_be_cancelled(client: openai.OpenAI, provider: Provider) -> None:
    """What is under way is finished; what was not asked is told as such."""
    provider.script["cheap"] = "later:0.5"
    batch = begun(client, [line(f"n{n}") for n in range(40)])
    while not provider.seen:
        time.sleep(0.02)
    assert client.batches.cancel(batch.id).status == "cancelling"
    batch = ended(client, batch)
    assert batch.status == "cancelled"
    counts = batch.request_counts
    assert counts is not None
    assert counts.completed + counts.failed == 40
    assert len(provider.seen) < 40
    left_out = content(client, batch.error_file_id)
    assert left_out["n39"]["error"]["code"] == "batch_cancelled"
    with pytest.raises(openai.BadRequestError):
        client.batches.cancel(ended(client, begun(client, [line("a")])).id)


def test_what_one_key_keeps_no_other_sees(start_gateway: StartGateway) -> None:
    """Files and batches belong to the key that made them."""
    gateway = start_gateway(keys=("one", "two"))
    one, two = (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
        for key in ("one", "two")
    )
    batch = ended(one, begun(one, [line("a")]))
    for wrong in (
        lambda: two.batches.retrieve(batch.id),
        lambda: two.batches.cancel(batch.id),
        lambda: two.files.content(batch.output_file_id or ""),
        lambda: two.files.delete(batch.input_file_id),
        lambda: two.batches.create(
            input_file_id=batch.input_file_id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
        ),
    ):
        with pytest.raises(openai.NotFoundError):
            wrong()
    assert not two.files.list().data
    assert not two.batches.list().data


FORM = (
    b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n--x--\r\n'
)
WRONG_FORMS: list[tuple[bytes, str]] = [
    (b"", "multipart/form-data; boundary=x"),
    (b"{}", "application/json"),
    (FORM, "multipart/form-data"),
    (FORM, "multipart/form-data; boundary=y"),
    (FORM[:-8], "multipart/form-data; boundary=x"),
    (FORM + b"more", "multipart/form-data; boundary=x"),
    (b"before" + FORM, "multipart/form-data; boundary=x"),
    (FORM.replace(b"\r\n", b"\n"), "multipart/form-data; boundary=x"),
    (FORM.replace(b'name="file"', b'name="purpose"'), "multipart/form-data; boundary=x"),
    (FORM.replace(b"purpose", b"porpoise"), "multipart/form-data; boundary=x"),
    (FORM.replace(b"batch", b"assistants"), "multipart/form-data; boundary=x"),
    (FORM.replace(b'; filename="a"', b""), "multipart/form-data; boundary=x"),
    (FORM.replace(b"{}", b" "), "multipart/form-data; boundary=x"),
    (FORM.replace(b"form-data", b"file"), "multipart/form-data; boundary=x"),
]


def test_what_is_no_form_is_refused(gateway: Gateway) -> None:
    """A clear 400, or 415 for what does not even say that it is one; nothing is kept."""
    fine = send(gateway, "POST", "/v1/files", FORM, {"content-type": WRONG_FORMS[0][1]})
    assert fine.status == 200
    for body, kind in WRONG_FORMS:
        said = send(gateway, "POST", "/v1/files", body, {"content-type": kind})
        assert said.status == (400 if kind.startswith("multipart/") else 415), (body, said.raw)
        assert said.error["message"]
    assert len(send(gateway, "GET", "/v1/files").body["data"]) == 1


def test_what_is_no_batch_is_refused(gateway: Gateway) -> None:
    """By the name of its field."""
    fine = send(gateway, "POST", "/v1/files", FORM, {"content-type": WRONG_FORMS[0][1]})
    right: Body = {
        "input_file_id": fine.body["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    wrong: dict[str, object] = {
        "input_file_id": "file-none",
        "endpoint": "/v1/models",
        "completion_window": "1h",
        "metadata": {"a": 1},
        "output_expires_after": {"anchor": "created_at", "seconds": 1},
        "priority": "high",
    }
    for name, value in wrong.items():
        body = json.dumps({**right, name: value}).encode()
        said = send(gateway, "POST", "/v1/batches", body)
        assert said.status in {400, 404}, said.raw
        assert said.error["param"].startswith(name)
    for path in ("/v1/batches?limit=0", "/v1/batches?after=no", "/v1/files?order=up"):
        assert send(gateway, "GET", path).status in {400, 404}


def test_a_failure_that_passes_costs_no_line(client: openai.OpenAI, provider: Provider) -> None:
    """A line is asked again while its model is down."""
    provider.script["cheap"] = "status:503"
    batch = begun(client, [line("a")])
    while len(provider.seen) < 2:
        time.sleep(0.02)
    provider.script["cheap"] = "Oslo"
    batch = ended(client, batch)
    assert batch.status == "completed"
    assert set(content(client, batch.output_file_id)) == {"a"}


def test_a_file_that_is_gone_fails_its_batch(client: openai.OpenAI, provider: Provider) -> None:
    """With the reason."""
    provider.script["cheap"] = "hang"
    file_id = uploaded(client, [line("a")])
    batch = client.batches.create(
        input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    client.files.delete(file_id)
    batch = client.batches.retrieve(batch.id)
    if batch.status != "in_progress":  # it may have been read before it was deleted
        batch = ended(client, batch)
        assert batch.errors is not None
        assert [fault.code for fault in batch.errors.data or ()] == ["file_not_found"]
