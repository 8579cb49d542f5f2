"""What `serve` prints once it is ready: the pool, the address, and how to point a client at it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from emafusion.build.opening import Opened
from emafusion.cli.models_table import Listed, models_table
from emafusion.cli.screen import PROSE_WIDTH, say, screen, show

PYTHON = """\
from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key={key})
reply = client.chat.completions.create(
    model="auto", messages=[{{"role": "user", "content": "What is the capital of Norway?"}}]
)
print(reply.choices[0].message.content)"""

SHELL = """\
curl {url}/v1/chat/completions \\
{auth}  -H 'content-type: application/json' \\
  -d '{{"model": "auto", "messages": [{{"role": "user", "content": "What is 12 * 7?"}}]}}'"""

AUTH = '  -H "authorization: Bearer $EMAFUSION_KEY" \\\n'

EMBEDDED = (
    "The embedded models are one very small language model (135 million parameters) asked in "
    "several ways, and a calculator. They show how everything works on a real model; they are no "
    "production pool. Set a provider's key or start a local server for better answers."
)
LOADING = "A local model is still loading: what is asked before it is ready waits for it."
MOST_ROWS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """`url`: where clients on this machine reach the gateway; `source`: where the pool is from."""

    url: str
    source: str
    needs_key: bool


def address_url(host: str, port: int) -> str:
    """Where a client on this machine reaches an address that is listened on.

    >>> address_url("0.0.0.0", 8080), address_url("::1", 80)
    ('http://127.0.0.1:8080', 'http://[::1]:80')
    """
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{named}]' if ':' in named else named}:{port}"


def welcome(text: Welcome, gateway: Opened) -> None:
    """Print it on standard output."""
    console = screen()
    say(console, f"emafusion is ready at {text.url}", style="bold green")
    say(console, f"pool: {text.source}")
    say(console)
    _pool(console, gateway)
    say(console)
    say(console, f"log: {gateway.log.path}  (emafusion log)")
    if gateway.promise is not None:
        say(console, f"promise: {gateway.promise.told}  (emafusion label --audit)")
    say(console)
    say(console, "Python, with the client of OpenAI (pip install openai):", style="bold")
    say(console)
    say(console, python_snippet(text))
    say(console)
    say(console, "Shell:", style="bold")
    say(console)
    say(console, curl(text))
    say(console)
    console.file.flush()


def python_snippet(text: Welcome) -> str:
    """A first request by OpenAI's client, ready to paste."""
    key = 'os.environ["EMAFUSION_KEY"]' if text.needs_key else '"unused"'
    head = "import os\n\n" if text.needs_key else ""
    return head + PYTHON.format(url=text.url, key=key)


def curl(text: Welcome) -> str:
    """A first request by curl, ready to paste."""
    return SHELL.format(url=text.url, auth=AUTH if text.needs_key else "")


def _pool(console: Console, gateway: Opened) -> None:
    candidates = gateway.service.candidates
    listed = [Listed(name=c.name, model=c.model) for c in candidates[:MOST_ROWS]]
    show(console, models_table(listed, width=console.width))
    if len(candidates) > MOST_ROWS:
        say(console, f"... and {len(candidates) - MOST_ROWS} more: emafusion models")
    servers = gateway.deployments.servers
    if "local" in servers:
        say(console)
        show(console, Text(EMBEDDED, style="yellow"), width=PROSE_WIDTH)
    if any(server.state == "starting" for server in servers.values()):
        say(console)
        show(console, Text(LOADING, style="yellow"), width=PROSE_WIDTH)
