"""What one replica keeps for clients any other finds: by `emafusion serve`, as users start it."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion
from tests.cli.conftest import empty, listing, provider, serve, shell  # noqa: F401 - fixtures
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider
from tests.gateway.test_batches import begun, content, ended, line
from tests.state_servers.servers import ValkeyServer

Serve = Callable[..., Serving]
LINES = 30


@pytest.fixture
def sharing(shell: Shell, url: str) -> Shell:  # noqa: F811 - a fixture
    """A config that names PostgreSQL."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(f"{config.read_text()}\nstate: {{postgres_env: EMA_POSTGRES}}\n")
    shell.env.update(EMA_POSTGRES=url)
    return shell


def client_of(gateway: Serving) -> openai.OpenAI:
    """The official client."""
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=2)


def asked(
    client: openai.OpenAI, text: str = "Where?", **headers: str
) -> tuple[ChatCompletion, dict[str, str]]:
    """A question; the answer, and the headers it came with."""
    raw = client.chat.completions.with_raw_response.create(
        model="cheap", messages=[{"role": "user", "content": text}], extra_headers=headers
    )
    return raw.parse(), dict(raw.headers)


def asked_at_once(
    clients: list[openai.OpenAI], **headers: str
) -> list[tuple[ChatCompletion, dict[str, str]]]:
    """The same question to all of them at the same time."""
    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(lambda client: asked(client, **headers), clients))


def test_what_one_keeps_the_other_finds(
    sharing: Shell,
    serve: Serve,  # noqa: F811 - a fixture
    provider: Provider,  # noqa: F811 - a fixture
) -> None:
    """Responses, files, answers under a key; and what people say reaches the tables of learning."""
    one, two = (client_of(serve()) for _ in range(2))
    first = one.responses.create(model="cheap", input="Where?")
    assert two.responses.retrieve(first.id).output_text == first.output_text
    more = two.responses.create(model="cheap", input="Why?", previous_response_id=first.id)
    assert [item.id for item in one.responses.input_items.list(more.id)]
    file = one.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    assert two.files.content(file.id).content == b"{}"
    provider.seen.clear()
    provider.script = {"cheap": "later:0.4"}
    (said, told), (again, _) = asked_at_once([one, two], **{"idempotency-key": "k"})
    assert len(provider.seen) == 1
    assert said == again
    assert asked(two, **{"idempotency-key": "k"})[1]["x-emafusion-replayed"] == "true"
    with pytest.raises(openai.UnprocessableEntityError):
        asked(two, "Another?", **{"idempotency-key": "k"})
    decision = told["x-emafusion-decision-id"]
    two.post("/feedback", body={"decision_id": decision, "verdict": "wrong"}, cast_to=object)
    with pytest.raises(openai.NotFoundError):
        two.post("/feedback", body={"decision_id": "no\0", "score": 1}, cast_to=object)
    drawn = sharing.run("label", "--json", "-n", "9")
    assert decision in [json.loads(each)["decision_id"] for each in drawn.out.splitlines()]
    assert sharing.run("label", decision, "0.75").code == 0
    done = sharing.run("import", "log", "postgres:EMA_POSTGRES", "--out", "t.jsonl")
    assert done.code == 0, done.err
    rows = [json.loads(each) for each in Path(sharing.folder, "t.jsonl").read_text().splitlines()]
    assert [row["score"] for row in rows if row["score"] is not None] == [0.75]


def test_the_cache_is_one_for_all_by_valkey(
    sharing: Shell,
    serve: Serve,  # noqa: F811 - a fixture
    provider: Provider,  # noqa: F811 - a fixture
    valkey_server: ValkeyServer,
) -> None:
    """What one was told the other gives again; nothing is lost but time where Valkey is gone."""
    config = sharing.folder / "emafusion.yaml"
    both = "postgres_env: EMA_POSTGRES, valkey_env: EMA_VALKEY"
    text = config.read_text().replace("postgres_env: EMA_POSTGRES", both)
    config.write_text(f"{text}\ncache: {{ttl_s: 60}}\n")
    sharing.env.update(EMA_VALKEY=valkey_server.url)
    one, two = (client_of(serve()) for _ in range(2))
    said, told = asked(one, "How many?")
    assert told["x-emafusion-cache"] == "miss"
    end = time.monotonic() + 10
    while (found := asked(two, "How many?"))[1]["x-emafusion-cache"] == "miss":
        assert time.monotonic() < end
    assert found[0].choices == said.choices
    count = len(provider.seen)
    valkey_server.stop()
    try:
        assert asked(one, "And now?", **{"idempotency-key": "k"})[1]["x-emafusion-cache"] == "miss"
    finally:
        valkey_server.start()
    assert len(provider.seen) == count + 1


@pytest.mark.usefixtures("sharing")
def test_a_batch_goes_on_where_another_replica_died(
    serve: Serve,  # noqa: F811 - a fixture
    provider: Provider,  # noqa: F811 - a fixture
) -> None:
    """`kill -9` in the middle: every line is answered, only those under way may be asked twice."""
    provider.script = {"cheap": "later:0.05"}
    one = serve()
    batch = begun(client_of(one), [line(f"n{n}") for n in range(LINES)])
    while len(provider.seen) < LINES // 3:
        time.sleep(0.02)
    one.stop(signal.SIGKILL)
    assert len(provider.seen) < LINES
    client = client_of(serve())
    batch = ended(client, batch, 60.0)
    assert batch.status == "completed"
    assert set(content(client, batch.output_file_id)) == {f"n{n}" for n in range(LINES)}
    times = Counter(body["messages"][0]["content"] for body in provider.seen)
    assert sum(times.values()) - LINES <= 4
