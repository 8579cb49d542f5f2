"""The admin API: on a port of its own, behind a token of its own, strict."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.gateway.keyed import Keyed, bearer
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, in_thread, until
from tests.gateway.talking import Body, Said, chat, connection, send

from emafusion.build.admin import admin_app
from emafusion.build.opening import opened
from emafusion.config import parse
from emafusion.domain.errors import Unready
from emafusion.gateway.admin import PLACES, admin_token
from emafusion.gateway.server import bind, serve

TOKEN = "a-token-that-is-long-enough"
RIGHT = {"authorization": f"Bearer {TOKEN}"}
CONFIG = """
models: [{name: cheap, provider: openai, base_url: "http://127.0.0.1:9"}]
admin: {port: 0}
"""


@pytest.fixture
def keyed(provider: Provider, tmp_path: Path) -> Iterator[Keyed]:
    """Keys in a folder, and gateways on it."""
    made = Keyed(tmp_path, provider.url)
    yield made
    for end in made.ends:
        end()


@pytest.fixture
def admin(keyed: Keyed) -> Gateway:
    """The admin API over those keys."""
    env = {**keyed.env, "EMAFUSION_ADMIN_TOKEN": TOKEN}
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        config = parse(CONFIG, source="test.yaml", env=env)
        async with opened(config, env) as gateway:
            app = admin_app(config, env, gateway)
            assert app is not None
            task = asyncio.ensure_future(serve(app, listener, ready, grace_s=1))
            await until(stop, task)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    keyed.ends.append(in_thread(work))
    return Gateway(url=f"http://127.0.0.1:{port}", log=keyed.folder / "log.sqlite")


def ask(admin: Gateway, method: str, path: str, body: object = None) -> Said:
    """One request with the right token."""
    data = None if body is None else json.dumps(body).encode()
    return send(admin, method, f"/admin/{path}", data, RIGHT)


def test_a_key_is_made_used_and_ended(keyed: Keyed, admin: Gateway) -> None:
    """The whole life of a key; its secret is told once, when it is made or rotated."""
    gateway = keyed.start()
    made = ask(admin, "POST", "keys", {"name": "ci", "models": ["cheap"], "budget_usd_per_day": 5})
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    secret, key_id = made.body["key"], made.body["id"]
    assert chat(gateway, {"authorization": f"Bearer {secret}"}).status == 200

    shown = ask(admin, "GET", f"keys/{key_id}")
    assert shown.body["usage"]["today"]["requests"] == 1
    assert shown.body["usage"]["budgets"][0]["used_usd"] > 0
    assert ask(admin, "GET", "keys/ci/usage").body == shown.body["usage"]
    spend = ask(admin, "GET", "spend").body
    assert spend["today"] == spend["keys"][0]["month"] == shown.body["usage"]["today"]

    changed = ask(admin, "PATCH", "keys/ci", {"max_parallel": 2, "budget_usd_per_day": None})
    assert (changed.body["max_parallel"], changed.body["budget_usd_per_day"]) == (2, None)
    assert changed.body["models"] == ["cheap"]
    rotated = ask(admin, "POST", f"keys/{key_id}/rotate", {"grace_s": 60})
    assert rotated.body["key"] != secret
    ended = ask(admin, "DELETE", "keys/ci")
    assert ended.body["status"] == "revoked"
    assert ask(admin, "PATCH", f"keys/{key_id}", {"enabled": True}).status == 409
    assert ask(admin, "POST", f"keys/{key_id}/rotate").status == 409
    listed = ask(admin, "GET", "keys").raw.decode()
    assert '"revoked"' in listed
    for each in (secret, rotated.body["key"]):
        assert each not in listed + shown.raw.decode() + changed.raw.decode()


WRONG: tuple[tuple[bytes, str | None], ...] = (
    (b"", None),
    (b"[]", None),
    (b"{", None),
    (b"\xff", None),
    (b"{}", "name"),
    (b'{"name": 5}', "name"),
    (b'{"name": ""}', "name"),
    (b'{"name": " ci"}', "name"),
    (b'{"name": "a\\u0000b"}', "name"),
    (b'{"name": "a\\u202eb"}', "name"),
    (b'{"name": "key_1"}', "name"),
    (b'{"name": "ema_0123456789abcdefghij"}', "name"),
    (b'{"name": "x", "tags": {"team": "sk-0123456789abcdefghij"}}', "tags"),
    (b'{"name": "x", "tags": {"artifact": "mine"}}', "tags.artifact"),
    (b'{"name": "x", "budget": 5}', "budget"),
    (b'{"name": "x", "secret": "ema_mine"}', "secret"),
    (b'{"name": "x", "id": "key_mine"}', "id"),
    (b'{"name": "x", "budget_usd_per_day": 0}', "budget_usd_per_day"),
    (b'{"name": "x", "budget_usd_per_day": -1}', "budget_usd_per_day"),
    (b'{"name": "x", "budget_usd_per_day": "5"}', "budget_usd_per_day"),
    (b'{"name": "x", "budget_usd_per_day": NaN}', None),
    (b'{"name": "x", "budget_usd_per_day": 1e999}', None),
    (b'{"name": "x", "requests_per_minute": 1.5}', "requests_per_minute"),
    (b'{"name": "x", "quality_weight": 2}', "quality_weight"),
    (b'{"name": "x", "quality_weight_min": 0.9, "quality_weight_max": 0.1}',
     "quality_weight_min"),
    (b'{"name": "x", "quality_weight": 0.9, "quality_weight_max": 0.5}', "quality_weight"),
    (b'{"name": "x", "expires_at": "soon"}', "expires_at"),
    (b'{"name": "x", "expires_at": "2020-01-01T00:00:00Z"}', "expires_at"),
    (b'{"name": "x", "expires_at": "2030-01-01T00:00:00"}', "expires_at"),
    (b'{"name": "x", "models": "cheap"}', "models"),
    (b'{"name": "x", "models": ["gone"]}', "models"),
    (b'{"name": "' + b"x" * 101 + b'"}', "name"),
    (b'{"name": "x", "tags": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}", None),
)  # fmt: skip
"""Bodies, and the field that is wrong; None where it is the whole."""


def test_wrong_settings_name_the_field(admin: Gateway) -> None:
    """Each is a 400 that says where; nothing is made."""
    for body, where in WRONG:
        said = send(admin, "POST", "/admin/keys", body, RIGHT)
        assert said.status == 400, body
        assert where is None or said.error["param"] == where, body
    assert ask(admin, "GET", "keys").body == {"keys": []}


def test_names_are_only_names(admin: Gateway) -> None:
    """What a database or a path could obey is kept or refused as what it is."""
    for name in ("x'; DROP TABLE keys; --", "../../etc/passwd", "%2e%2e", "🔑 café", "a/b?c#d"):
        made = ask(admin, "POST", "keys", {"name": name})
        assert made.status == 201
        assert ask(admin, "GET", f"keys/{made.body['id']}").body["name"] == name
    assert ask(admin, "POST", "keys", {"name": "../../etc/passwd"}).status == 400
    assert ask(admin, "GET", "keys/' OR '1'='1".replace(" ", "%20")).status == 404
    assert len(ask(admin, "GET", "keys").body["keys"]) == 5


def test_only_its_token_opens_it(keyed: Keyed, admin: Gateway) -> None:
    """No key of a client, no part of the token, no other place for it; and no path is told."""
    made = keyed.make()
    wrong: tuple[dict[str, str], ...] = (
        {},
        bearer(made),
        {"authorization": "Bearer of-the-environment"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"x-api-key": TOKEN},
        {"cookie": f"token={TOKEN}"},
        {"authorization": "Bearer \xe9"},
        {"host": "localhost", "x-forwarded-for": "127.0.0.1"},
    )
    for headers in wrong:
        for path in ("/admin/keys", "/admin/nothing", f"/admin/keys?token={TOKEN}"):
            said = send(admin, "GET", path, None, headers)
            assert (said.status, said.error["code"]) == (401, "invalid_admin_token")
            assert TOKEN not in said.raw.decode()
    talk = connection(admin)
    talk.putrequest("GET", "/admin/keys")
    talk.putheader("authorization", "Bearer x")
    talk.putheader("authorization", f"Bearer {TOKEN}")
    talk.endheaders()
    with talk.getresponse() as reply:
        assert reply.status == 400
    talk.close()
    assert send(admin, "GET", "/health").status == 200


def test_metrics_are_there_for_the_token(admin: Gateway) -> None:
    """Whoever scrapes needs no client's key."""
    page = send(admin, "GET", "/metrics", None, RIGHT)
    assert page.status == 200
    assert b"emafusion_requests_total" in page.raw
    assert send(admin, "GET", "/metrics").status == 401
    assert send(admin, "POST", "/metrics", b"{}", RIGHT).status == 404


def test_nothing_else_is_answered_there(admin: Gateway) -> None:
    """No model is asked on this port, no method guessed, no large body read."""
    for path in ("/v1/chat/completions", "/v1/models", "/", "/admin", "/admin/keys/x/y", "/ready"):
        assert send(admin, "POST", path, b"{}", RIGHT).status == 404
    said = send(admin, "PUT", "/admin/keys", b"{}", RIGHT)
    assert (said.status, said.headers["allow"]) == (405, "GET, POST")
    assert send(admin, "POST", "/admin/keys", b" " * 70_000, RIGHT).status == 413
    assert send(admin, "GET", "/admin/keys", b"{}", RIGHT).status == 400


def test_nothing_of_it_is_on_the_public_port(keyed: Keyed) -> None:
    """Every admin path is a 404 there, with whatever key, token, method or way of writing it."""
    gateway, made = keyed.start(), keyed.make()
    heads: tuple[dict[str, str], ...] = (
        {}, RIGHT, bearer(made), {"authorization": "Bearer of-the-environment"},
        {**RIGHT, "host": "127.0.0.1:9999"},
    )  # fmt: skip
    paths = [place.path.replace("*", made.key.id) for place in PLACES]
    paths += ["/admin", "/v1/admin/keys", "/admin/keys/", "//admin/keys", "/%61dmin/keys"]
    paths += ["/v1/../admin/keys", "/admin/keys;x", "/admin/keys?x=/v1/models"]
    for path in paths:
        for method in ("GET", "POST", "PATCH", "DELETE", "OPTIONS"):
            for headers in heads:
                assert send(gateway, method, path, b"{}", headers).status in {400, 404}, path
    assert keyed.usage(made).today.requests == 0


def test_a_weak_token_is_refused(keyed: Keyed) -> None:
    """Missing, short, or one of the clients' keys."""
    for text in ("", "   ", "short"):
        with pytest.raises(Unready, match="at least 16 characters: set T"):
            admin_token(text, where="T")
    env = {**keyed.env, "EMAFUSION_KEYS": f"x,{TOKEN}", "EMAFUSION_ADMIN_TOKEN": TOKEN}
    config = parse(CONFIG, source="test.yaml", env=env)

    async def work() -> None:
        async with opened(config, env) as gateway:
            admin_app(config, env, gateway)

    with pytest.raises(Unready, match="clients would be administrators"):
        asyncio.run(work())


def test_the_token_is_in_nothing_that_was_written(
    keyed: Keyed, admin: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor is a secret, whatever was asked."""
    answers: list[Body] = [ask(admin, "POST", "keys", {"name": f"k{i}"}).body for i in range(3)]
    send(admin, "POST", "/admin/keys", b"{", RIGHT)
    send(admin, "GET", "/admin/keys", None, {"authorization": f"Bearer {TOKEN}!"})
    said = "".join(capfd.readouterr())
    for path in keyed.folder.iterdir():
        said += path.read_bytes().decode("latin-1") if path.is_file() else ""
    for secret in (TOKEN, *(str(body["key"]) for body in answers)):
        assert secret not in said
