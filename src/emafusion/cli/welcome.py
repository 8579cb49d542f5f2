"""What `serve` prints once it is ready: the pool, the address, and how to point a client at it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.build.opening import Opened
from emafusion.cli.configured import Configured
from emafusion.cli.money import per_mtok
from emafusion.domain.model import Candidate

SNIPPET = """from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="{key}")
reply = client.chat.completions.create(
    model="auto", messages=[{{"role": "user", "content": "What is the capital of Norway?"}}]
)
print(reply.choices[0].message.content)"""

CURL = """curl {url}/v1/chat/completions -H 'content-type: application/json' \\
  -d '{{"model": "auto", "messages": [{{"role": "user", "content": "What is 12 times 7?"}}]}}'"""

EMBEDDED = (
    "The embedded models show the machinery on a real, very small model (135 million parameters); "
    "they are no production pool. Set a provider's key or start a local server for better answers."
)


def welcome(found: Configured, gateway: Opened, address: tuple[str, int]) -> None:
    """Print it on standard output."""
    console = Console(highlight=False, soft_wrap=True)
    host, port = address[0], address[1]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    candidates = gateway.service.candidates
    console.print(Text(f"emafusion is ready at {url}", style="bold green"))
    console.print(f"pool: {found.source}\n")
    console.print(pool_table(candidates))
    if gateway.deployments.servers:
        console.print(Text(f"\n{EMBEDDED}", style="yellow"))
    keyed = "YOUR-GATEWAY-KEY" if found.config.gateway.needs_keys else "unused"
    console.print(f"\nlog: {gateway.log.path}  (emafusion log)")
    console.print("\nPython:\n", style="bold")
    console.print(SNIPPET.format(url=url, key=keyed), markup=False)
    console.print("\nShell:\n", style="bold")
    console.print(CURL.format(url=url), markup=False)
    console.print("")


def pool_table(candidates: tuple[Candidate, ...]) -> Table:
    """The pool with its prices."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("model", "provider", "prompt $/M", "completion $/M", "context"):
        table.add_column(column, justify="left" if column in {"model", "provider"} else "right")
    for candidate in candidates:
        price, room = candidate.model.price, candidate.model.context_tokens
        table.add_row(
            candidate.name,
            candidate.model.provider,
            per_mtok(price, "prompt_usd_per_mtok"),
            per_mtok(price, "completion_usd_per_mtok"),
            "unknown" if room is None else f"{room:,}",
        )
    return table
