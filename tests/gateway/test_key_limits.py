"""Keys with limits of their own: who is let in, to what, for how much."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai import OpenAI, PermissionDeniedError, RateLimitError
from tests.gateway.keyed import Keyed, bearer
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import QUESTION, chat, connection, rows, send, until

from emafusion.gateway.key_desk import Made


@pytest.fixture
def keyed(provider: Provider, tmp_path: Path) -> Iterator[Keyed]:
    """Keys in a folder, and gateways on it."""
    made = Keyed(tmp_path, provider.url)
    yield made
    for end in made.ends:
        end()


@pytest.fixture
def gateway(keyed: Keyed) -> Gateway:
    """A gateway that wants keys."""
    return keyed.start()


def test_a_limited_key_reads_no_metrics(keyed: Keyed, gateway: Gateway) -> None:
    """They tell of everybody's money: a tenant's key gets a 403, the owner's the page."""
    tenant, owner = keyed.make("tenant", models=["cheap"]), keyed.make("owner")
    said = send(gateway, "GET", "/metrics", None, bearer(tenant))
    assert (said.status, said.error["code"]) == (403, "not_allowed")
    assert send(gateway, "GET", "/metrics", None, bearer(owner)).status == 200
    fixed = {"authorization": "Bearer of-the-environment"}
    assert send(gateway, "GET", "/metrics", None, fixed).status == 200


def test_a_made_key_lets_in_by_either_header(keyed: Keyed, gateway: Gateway) -> None:
    """At once, without a restart; the log knows its id and tags, never itself."""
    made = keyed.make(tags={"team": "search"})
    assert chat(gateway, bearer(made)).status == 200
    assert chat(gateway, {"x-api-key": f"  {made.secret} "}).status == 200
    assert rows(gateway, "select distinct key_id from outcomes") == [made.key.id]
    tags = rows(gateway, "select tags from details limit 1")[0]
    assert ["team", "search"] in json.loads(tags)


def test_keys_of_the_environment_go_on(keyed: Keyed, gateway: Gateway) -> None:
    """They have no limits, and nothing of them is counted."""
    assert chat(gateway, {"authorization": "Bearer of-the-environment"}).status == 200
    assert not (keyed.folder / "keys.sqlite").exists()


WRONG: tuple[str | Callable[[str], str], ...] = (
    "",
    "ema_" + "0" * 42,
    "ema_' OR 1=1 --",
    "k\u00e9y",
    "\u00ff" * 46,
    "of-the-environment\u00a0x",
    "x" * 60_000,
    "%00",
    "ema_" + "\u0661" * 42,
    lambda secret: secret[:-1],
    lambda secret: secret + "0",
    lambda secret: secret[:-1] + ("0" if secret[-1] != "0" else "1"),
    lambda secret: secret.swapcase(),
    lambda secret: secret.replace("ema_", "EMA_"),
    lambda secret: f"{secret[:20]} {secret[20:]}",
    lambda secret: f"{secret},of-the-environment",
    lambda secret: f"' OR '1'='1' -- {secret}",
)
"""What is no key, or is made of one."""


def test_nothing_but_the_key_lets_in(keyed: Keyed, gateway: Gateway) -> None:
    """Neither a part of it, nor what is like it, nor what a database could obey."""
    made = keyed.make()
    for wrong in WRONG:
        text = wrong if isinstance(wrong, str) else wrong(made.secret)
        _is_denied(gateway, text.encode("utf-8", "replace").decode("latin-1"), made)


def _is_denied(gateway: Gateway, text: str, made: Made) -> None:
    for headers in ({"authorization": f"Bearer {text}"}, {"x-api-key": text}):
        said = chat(gateway, headers)
        assert said.status == 401
        assert said.error["code"] == "invalid_api_key"
        assert made.secret not in said.raw.decode()


def test_a_key_elsewhere_than_in_its_header_does_not_count(keyed: Keyed, gateway: Gateway) -> None:
    """Not in the query, the path, a cookie, the body, another scheme, nor by another host."""
    made = keyed.make()
    body = json.dumps({"model": "auto", "messages": QUESTION, "api_key": made.secret}).encode()
    tries: tuple[tuple[str, dict[str, str]], ...] = (
        (f"/v1/chat/completions?key={made.secret}&api_key={made.secret}", {}),
        (f"/v1/chat/completions/{made.secret}", {}),
        ("/v1/chat/completions", {"cookie": f"key={made.secret}"}),
        ("/v1/chat/completions", {"authorization": f"Basic {made.secret}"}),
        ("/v1/chat/completions", {"authorization": made.secret}),
        ("/v1/chat/completions", {"proxy-authorization": f"Bearer {made.secret}"}),
        ("/v1/chat/completions", {"host": "127.0.0.1/v1/models?x="}),
        ("/v1/chat/completions", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}),
    )
    for path, headers in tries:
        assert send(gateway, "POST", path, body, headers).status in {400, 401, 404}


def test_two_keys_in_one_request_are_refused(keyed: Keyed, gateway: Gateway) -> None:
    """Neither is guessed to be the right one."""
    made = keyed.make()
    talk = connection(gateway)
    talk.putrequest("POST", "/v1/chat/completions")
    talk.putheader("authorization", f"Bearer {made.secret}")
    talk.putheader("authorization", "Bearer x")
    talk.putheader("content-length", "2")
    talk.endheaders(b"{}")
    with talk.getresponse() as reply:
        assert reply.status == 400
    talk.close()


def test_a_smuggled_request_is_not_answered(keyed: Keyed, gateway: Gateway) -> None:
    """Two lengths in one head: what follows is no second request, with a key or without."""
    made = keyed.make()
    talk = connection(gateway)
    talk.putrequest("POST", "/v1/chat/completions")
    talk.putheader("authorization", f"Bearer {made.secret}")
    talk.putheader("content-length", "2")
    talk.putheader("transfer-encoding", "chunked")
    talk.endheaders(b"0\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
    with talk.getresponse() as reply:
        assert reply.status == 400
    talk.close()


def test_a_revoked_key_is_out_within_seconds(keyed: Keyed, gateway: Gateway) -> None:
    """In every process; so is a disabled one until it is enabled again, and an expired one."""
    other = keyed.start()
    made = keyed.make()
    for each in (gateway, other):
        assert chat(each, bearer(made)).status == 200
    keyed.edit("ci", enabled=False)
    until(lambda: chat(gateway, bearer(made)).status == 401, 2.5)
    until(lambda: chat(other, bearer(made)).status == 401, 2.5)
    keyed.edit("ci", enabled=True)
    until(lambda: chat(gateway, bearer(made)).status == 200, 2.5)
    keyed.at_desk(lambda desk: desk.revoke("ci"))
    until(lambda: chat(gateway, bearer(made)).status == 401, 2.5)
    said = chat(other, bearer(made))
    assert said.status in {200, 401}
    until(lambda: chat(other, bearer(made)).error["message"].endswith("was revoked"), 2.5)


def test_rotation_leaves_the_old_secret_for_a_while(keyed: Keyed, gateway: Gateway) -> None:
    """Both let in as the same key, then only the new one."""
    made = keyed.make()
    fresh = keyed.at_desk(lambda desk: desk.rotate("ci", grace_s=1.0))
    assert chat(gateway, bearer(made)).status == chat(gateway, bearer(fresh)).status == 200
    until(lambda: chat(gateway, bearer(made)).status == 401, 4.0)
    assert chat(gateway, bearer(fresh)).status == 200
    assert set(rows(gateway, "select key_id from outcomes")) == {made.key.id}


def test_an_expired_key_says_so(keyed: Keyed, gateway: Gateway) -> None:
    """To whoever has it."""
    soon = time.time() + 0.4
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon)) + f"{soon % 1:.3f}"[1:] + "Z"
    made = keyed.make(expires_at=stamp)
    until(lambda: chat(gateway, bearer(made)).status == 401, 3.0)
    assert "has expired" in chat(gateway, bearer(made)).error["message"]


def test_only_allowed_models_are_used_and_listed(keyed: Keyed, gateway: Gateway) -> None:
    """By name, by `auto`, by a list in the request, and in what is listed."""
    made = keyed.make(models=["cheap"])
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=made.secret, max_retries=0) as client:
        with pytest.raises(PermissionDeniedError, match="may not use 'dear'; it may use cheap"):
            client.chat.completions.create(model="dear", messages=QUESTION)  # type: ignore[arg-type]  # plain dicts
        names = [model.id for model in client.models.list()]
    assert "cheap" in names
    assert "dear" not in names
    for fields in (
        {"model": "auto", "emafusion": {"quality_weight": 1}},
        {"model": "emafusion/premium"},
        {"model": "cheap"},
        {"model": "auto", "emafusion": {"models": ["cheap", "dear"]}},
    ):
        said = chat(gateway, bearer(made), **fields)
        assert said.status == 200
        assert said.headers["x-emafusion-model"] == "cheap"
    said = chat(gateway, bearer(made), emafusion={"models": ["dear"]})
    assert (said.status, said.error["code"]) == (403, "not_allowed")
    assert send(gateway, "GET", "/v1/models/dear", None, bearer(made)).status == 404
    nobody = keyed.make("nobody", models=["gone"])
    assert chat(gateway, bearer(nobody)).status == 403


def test_quality_weight_is_held_to_the_key(keyed: Keyed, gateway: Gateway) -> None:
    """Clamped and told; the key's own default where a request says none."""
    made = keyed.make(quality_weight=0.4, quality_weight_min=0.1, quality_weight_max=0.5)

    def weight() -> float:
        return float(rows(gateway, "select quality_weight from outcomes order by rowid")[-1])

    said = chat(gateway, bearer(made), emafusion={"quality_weight": 0.9})
    assert "0.9 is not allowed to this key: 0.5" in said.headers["x-emafusion-notice"]
    assert "0.5 was taken" in rows(gateway, "select tags from details")[0]
    assert weight() == 0.5
    said = chat(gateway, bearer(made), model="emafusion/premium")
    assert "0.5 was taken" in said.headers["x-emafusion-notice"]
    assert weight() == 0.5
    said = chat(gateway, bearer(made))
    assert "x-emafusion-notice" not in said.headers
    assert weight() == 0.4
    said = chat(gateway, bearer(made), emafusion={"answer_value_usd": 100})
    assert (said.status, said.error["param"]) == (403, "answer_value_usd")


def test_a_spent_budget_is_insufficient_quota(keyed: Keyed, gateway: Gateway) -> None:
    """As OpenAI's clients know it: no retry, and what is spent is what the answers cost."""
    made = keyed.make(budget_usd_per_day=0.01)
    costs: list[float] = []
    while (said := chat(gateway, bearer(made), model="dear", max_tokens=100)).status == 200:
        costs.append(float(said.headers["x-emafusion-cost-usd"]))
    assert (said.status, said.error["code"]) == (429, "insufficient_quota")
    assert said.error["type"] == "insufficient_quota"
    assert said.headers["x-should-retry"] == "false"
    assert 0 < int(said.headers["retry-after"]) <= 86_400
    assert 0.008 < sum(costs) <= 0.01
    usage = keyed.usage(made)
    assert usage.budgets[0].used_usd == pytest.approx(sum(costs))
    assert usage.budgets[0].held_usd == 0.0
    assert usage.today.requests == len(costs)
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=made.secret) as client:
        started = time.monotonic()
        with pytest.raises(RateLimitError):
            client.chat.completions.create(model="dear", messages=QUESTION)  # type: ignore[arg-type]  # plain dicts
        assert time.monotonic() - started < 2.0


def test_what_is_left_goes_to_models_that_it_has_room_for(keyed: Keyed, gateway: Gateway) -> None:
    """Where the choice is ours: told, until there is room for none."""
    made = keyed.make(budget_usd_per_day=0.004)  # the dear one alone may cost 0.008
    said = chat(gateway, bearer(made), emafusion={"quality_weight": 1})
    assert said.status == 200
    assert said.headers["x-emafusion-model"] == "cheap"
    assert said.headers["x-emafusion-notice"].endswith("is only enough for cheap")
    assert "only enough for cheap" in rows(gateway, "select tags from details")[0]
    for fields in ({"model": "dear"}, {"emafusion": {"models": ["dear"]}}):
        said = chat(gateway, bearer(made), **fields)
        assert (said.status, said.error["code"]) == (429, "insufficient_quota")
    said = chat(gateway, bearer(made), emafusion={"quality_weight": 1}, max_tokens=20)
    assert "x-emafusion-notice" not in said.headers
    small = keyed.make("small", budget_usd_per_day=0.0001)
    assert chat(gateway, bearer(small)).error["code"] == "insufficient_quota"


def test_an_estimate_that_was_too_low_is_raised(
    keyed: Keyed, gateway: Gateway, provider: Provider
) -> None:
    """What one request took beyond it, the next ones are held by."""
    provider.script["dear"] = "slow:" + " ".join(["word"] * 12)  # of 4 tokens asked for
    made = keyed.make(budget_usd_per_day=0.01)
    first = chat(gateway, bearer(made), model="dear", max_tokens=4)
    cost_usd = float(first.headers["x-emafusion-cost-usd"])
    assert cost_usd > 3 * (18 * 2 + 4 * 8) / 1e6
    with ThreadPoolExecutor(60) as pool:
        seen = Counter(
            pool.map(
                lambda _: (
                    chat(gateway, bearer(made), model="dear", max_tokens=4, stream=True).status
                ),
                range(60),
            )
        )
    assert seen[200] * cost_usd <= 0.011
    assert keyed.usage(made).budgets[0].used_usd <= 0.01


def test_many_at_once_at_two_gateways_never_overspend(
    keyed: Keyed, gateway: Gateway, provider: Provider
) -> None:
    """Whatever comes in together: no more is let through than the budget has room for."""
    both = (gateway, keyed.start())
    provider.script["dear"] = "slow:one two three four five six seven"
    made = keyed.make(budget_usd_per_day=0.02)

    def one(i: int) -> int:
        return chat(both[i % 2], bearer(made), model="dear", max_tokens=200, stream=True).status

    with ThreadPoolExecutor(32) as pool:
        seen = Counter(pool.map(one, range(32)))
    assert set(seen) == {200, 429}
    assert seen[200] >= 10  # each may cost 0.0016 at most: a dozen fit at once
    spent = keyed.usage(made).budgets[0]
    costs = rows(gateway, "select cost_usd from outcomes where status = 200")
    assert spent.used_usd == pytest.approx(sum(costs))
    assert spent.used_usd <= 0.02
    assert spent.held_usd == 0.0


def test_rates_are_held_and_told(keyed: Keyed, gateway: Gateway) -> None:
    """Requests a minute, with the headers that clients pace themselves by."""
    made = keyed.make(requests_per_minute=3)
    left = [chat(gateway, bearer(made)).headers["x-ratelimit-remaining-requests"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    said = chat(gateway, bearer(made))
    assert (said.status, said.error["code"]) == (429, "rate_limit_exceeded")
    assert said.headers["x-ratelimit-limit-requests"] == "3"
    assert 1 <= int(said.headers["retry-after"]) <= 120
    streamed = chat(gateway, bearer(made), stream=True)
    assert streamed.status == 429


def test_tokens_are_held_and_settled_by_what_was_used(keyed: Keyed, gateway: Gateway) -> None:
    """An answer takes some hundred tokens here, whatever was held for it."""
    made = keyed.make(tokens_per_minute=2000)
    said = chat(gateway, bearer(made), model="cheap", stream=True)
    assert said.headers["x-ratelimit-limit-tokens"] == "2000"
    said = chat(gateway, bearer(made), model="cheap")
    used = said.body["usage"]["total_tokens"]
    assert int(said.headers["x-ratelimit-remaining-tokens"]) < 2000 - used
    assert keyed.usage(made).today.tokens == 2 * used
    said = chat(gateway, bearer(made), model="cheap", max_tokens=5000)
    assert said.status == 429
    assert "max_tokens" in said.error["message"]
    assert said.headers["x-should-retry"] == "false"


def test_only_so_many_at_once(keyed: Keyed, gateway: Gateway, provider: Provider) -> None:
    """The place of one that has left is free again, and what it took is counted."""
    provider.script["dear"] = "hang"
    made = keyed.make(max_parallel=1, budget_usd_total=1.0)
    body = json.dumps({"model": "dear", "messages": QUESTION, "max_tokens": 50}).encode()
    talk = connection(gateway)
    talk.request("POST", "/v1/chat/completions", body, bearer(made))
    until(lambda: provider.seen)
    said = chat(gateway, bearer(made), model="cheap")
    assert (said.status, said.error["code"]) == (429, "rate_limit_exceeded")
    assert said.headers["retry-after"] == "1"
    talk.close()
    until(lambda: chat(gateway, bearer(made), model="cheap").status == 200)
    spending = keyed.usage(made).budgets[0]
    assert spending.held_usd == 0.0
    assert spending.used_usd > 0.0004  # what broke off is counted as was estimated
    tags = json.loads(rows(gateway, "select tags from details order by id")[0])
    assert any(name == "charged_usd" and text.endswith("(estimate)") for name, text in tags)


def test_what_was_held_by_a_dead_process_comes_back(keyed: Keyed, gateway: Gateway) -> None:
    """A hold past its time does not count, though nobody settled it."""
    made = keyed.make(budget_usd_total=0.01)
    with sqlite3.connect(keyed.folder / "keys.sqlite") as db:
        hold = "insert into holds values (?, 0.0, 'dead', 0.01, ?)"
        db.execute(hold, (f"{made.key.id}/usd/total", time.time() + 1.0))
    db.close()
    said = chat(gateway, bearer(made), model="cheap")
    assert (said.status, said.error["code"]) == (429, "rate_limit_exceeded")
    assert "held by requests under way" in said.error["message"]
    until(lambda: chat(gateway, bearer(made), model="cheap").status == 200, 3.0)


def test_a_failing_model_costs_nothing(keyed: Keyed, gateway: Gateway, provider: Provider) -> None:
    """Refused by its provider: settled at nothing."""
    provider.script["dear"] = "status:400"
    made = keyed.make(budget_usd_total=0.01)
    for _ in range(12):
        assert chat(gateway, bearer(made), model="dear").status == 400
    assert keyed.usage(made).budgets[0].used_usd == 0.0


def test_where_keys_are_not_required_a_shown_key_still_counts(keyed: Keyed) -> None:
    """With its limits; none at all or somebody else's is no matter there."""
    gateway = keyed.start(required=False)
    made = keyed.make(models=["cheap"])
    assert chat(gateway).status == 200
    assert chat(gateway, {"authorization": "Bearer sk-anything"}).status == 200
    assert chat(gateway, bearer(made), model="dear").status == 403
    keyed.at_desk(lambda desk: desk.revoke("ci"))
    until(lambda: chat(gateway, bearer(made)).status == 401, 2.5)


def test_no_key_is_in_anything_that_was_written(
    keyed: Keyed, gateway: Gateway, provider: Provider, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in a file nor on a stream nor in an answer, whatever went right or wrong."""
    made = keyed.make(models=["cheap"], requests_per_minute=2)
    wrong = Made(made.key, made.secret[:-1] + "!")
    answers = [
        chat(gateway, bearer(each), model=model, stream=stream)
        for each in (made, wrong)
        for model in ("cheap", "dear", made.secret)
        for stream in (False, True)
    ]
    told = b"".join(said.raw for said in answers if b"there is no model" not in said.raw)
    assert made.secret.encode() not in told
    assert made.secret not in repr((provider.authorizations, provider.raw))
    for path in keyed.folder.iterdir():
        if path.is_file():
            assert made.secret[4:].encode() not in path.read_bytes(), path.name
    assert made.secret not in repr((made, made.key, threading.current_thread()))
    out, err = capfd.readouterr()
    assert made.secret[4:40] not in out + err


def test_a_file_that_cannot_be_used_stops_nobody(keyed: Keyed) -> None:
    """Answers go on, limits hold in each process, `/ready` says so until it can be used again."""
    path = keyed.folder / "keys.sqlite"
    made = keyed.make(requests_per_minute=4)
    gateway = keyed.start()
    assert chat(gateway, bearer(made)).status == 200
    for each in (path, *keyed.folder.glob("keys.sqlite-*")):
        each.unlink()
    path.mkdir()
    (path / "something").touch()
    assert [chat(gateway, bearer(made)).status for _ in range(4)] == [200, 200, 200, 429]
    ready = send(gateway, "GET", "/ready")
    assert (ready.status, ready.body["status"]) == (200, "degraded")
    assert "each process holds their limits" in ready.body["limits"]
    assert str(keyed.folder) not in ready.raw.decode()
