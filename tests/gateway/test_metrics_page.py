"""`/metrics` of a real gateway, as Prometheus would scrape it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import chat, send


def scraped(gateway: Gateway) -> dict[str, float]:
    """Every metric, summed over its labels."""
    page = send(gateway, "GET", "/metrics")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(page.raw.decode()):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def test_what_was_done_is_on_the_page(start_gateway: StartGateway, provider: Provider) -> None:
    """Requests, refusals, failures, tokens, dollars, our own time apart from the provider's."""
    gateway = start_gateway()
    for _ in range(3):
        chat(gateway, model="cheap")
    chat(gateway, model="nobody")
    send(gateway, "POST", "/v1/chat/completions", b"{")
    provider.script = {"dear": "status:400"}
    chat(gateway, model="dear")
    found = scraped(gateway)
    assert found["emafusion_requests_total"] == 4
    assert found["emafusion_refused_total"] == 2
    assert found["emafusion_attempts_total"] == len(provider.seen)
    assert found["emafusion_tokens_total"] > 0
    assert found["emafusion_cost_usd_total"] > 0
    assert 0 < found["emafusion_overhead_seconds_sum"] < found["emafusion_request_seconds_sum"]
    assert found["emafusion_under_way"] == 1  # the scrape itself
    assert found["emafusion_build_info"] == 1


def test_no_words_and_no_keys_are_on_the_page(start_gateway: StartGateway) -> None:
    """Labels are names of the pool, never what a client sent."""
    gateway = start_gateway(keys=("sesame-open",))
    auth = {"authorization": "Bearer sesame-open"}
    chat(gateway, auth, model="nobody-knows-me", user="alice")
    assert send(gateway, "GET", "/metrics").status == 401
    page = send(gateway, "GET", "/metrics", headers=auth).raw.decode()
    for word in ("sesame", "nobody-knows-me", "alice", "Norway"):
        assert word not in page


def test_metrics_can_be_off(start_gateway: StartGateway) -> None:
    """Then there is no such page, and it says why."""
    said = send(start_gateway("telemetry: {metrics: false}\n"), "GET", "/metrics")
    assert said.status == 404
    assert "telemetry.metrics" in said.error["message"]
