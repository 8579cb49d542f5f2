"""What people write as a base address, and where requests go then."""

from __future__ import annotations

import pytest

from emafusion.domain.errors import BadInput
from emafusion.upstream.address import parse_base_url

OPENAI = parse_base_url("https://api.openai.com/v1")
GEMINI = parse_base_url("https://generativelanguage.googleapis.com/v1beta")


@pytest.mark.parametrize(
    ("base", "target"),
    [
        ("https://api.openai.com/v1", "/v1/chat/completions"),
        ("https://api.openai.com/v1/", "/v1/chat/completions"),
        ("https://api.openai.com", "/v1/chat/completions"),
        ("https://api.openai.com/v1/v1", "/v1/chat/completions"),
        ("https://api.openai.com//v1//", "/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "/api/v1/chat/completions"),
        ("https://api.groq.com/openai", "/openai/v1/chat/completions"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "/v1beta/openai/chat/completions",
        ),
        ("https://api.perplexity.ai/chat/completions", "/chat/completions"),
        (
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        ("  http://localhost:11434  ", "/v1/chat/completions"),
    ],
)
def test_base_addresses_are_joined_leniently(base: str, target: str) -> None:
    """A missing version is added, a doubled one dropped, a whole endpoint kept."""
    assert parse_base_url(base).target("/chat/completions", default=OPENAI) == target


def test_queries_of_both_sides_are_kept() -> None:
    """A query in the base address and one of the dialect both arrive."""
    base = parse_base_url("http://h:1?key=a")
    target = base.target("/models/m:streamGenerateContent?alt=sse", default=GEMINI)
    assert target == "/v1beta/models/m:streamGenerateContent?alt=sse&key=a"


@pytest.mark.parametrize(
    ("text", "host", "port", "authority"),
    [
        ("https://API.example", "api.example", 443, "api.example"),
        ("https://api.example:443", "api.example", 443, "api.example"),
        ("https://api.example:80", "api.example", 80, "api.example:80"),
        ("http://[::1]:8000", "::1", 8000, "[::1]:8000"),
        ("http://bücher.example", "xn--bcher-kva.example", 80, "xn--bcher-kva.example"),
    ],
)
def test_servers_are_read(text: str, host: str, port: int, authority: str) -> None:
    """Host, port and host header follow from the address."""
    server = parse_base_url(text).server
    assert (server.host, server.port, server.authority) == (host, port, authority)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:8000",
        "ftp://x",
        "http://",
        "http://:80",
        "http://h:99999",
        "http://h:x",
        "http://ann:secret@h",
        "http://h/#x",
        "http://h/a b",
        "http://h/\u2603",
        "http://[::1",
        "http://a..b",
    ],
)
def test_what_is_no_base_address_is_said_to_be_none(text: str) -> None:
    """One line that names the field and never shows a password."""
    with pytest.raises(BadInput) as caught:
        parse_base_url(text, where="models[0].base_url")
    message = str(caught.value)
    assert message.startswith("models[0].base_url: ")
    assert "secret" not in message
    assert "\n" not in message
