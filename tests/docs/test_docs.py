"""The documentation cannot lie: all there is is in it, and what is in it is true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest
from openai import OpenAI
from tests.cli.running import Serving, Shell
from tests.docs.pages import PAGES, ROOT, blocks, commands, sections
from tests.gateway.provider import Provider

from emafusion.build.judging import FREE_JUDGES
from emafusion.cli.main import VERBS, program
from emafusion.cli.reference import reference as commands_reference
from emafusion.cli.story import VIEWS
from emafusion.client import Wishes
from emafusion.config import PROVIDERS, Config, parse
from emafusion.config.keys import keys_of
from emafusion.config.reference import reference as config_reference
from emafusion.config.schema import schema_text
from emafusion.gateway.app import ROUTES
from emafusion.gateway.names import PROFILES, ROUTED
from emafusion.judge.rules import CHECKS
from emafusion.wire.options import Options

WHOLE = "\n".join(PAGES.values())
HEADERS = (
    *("decision-id", "model", "route", "attempts", "confidence", "cost-usd", "saved-usd"),
    *("overhead-ms", "dropped"),
)


def _config_keys() -> Iterator[str]:
    for spec in keys_of(Config):
        yield spec.name
        if spec.section is not None:
            yield from (key.name for key in keys_of(spec.section))


def _named() -> Iterator[str]:
    """Everything that a page must name."""
    yield from _config_keys()
    yield from (f"emafusion {verb}" for verb in VERBS)
    yield from (*FREE_JUDGES, "llm", "gain", "explore")
    yield from (name for name, _ in CHECKS)
    yield from (*VIEWS, "direct")
    yield from (f"x-emafusion-{name}" for name in HEADERS)
    yield from Options.__dataclass_fields__
    yield from (*ROUTED, *PROFILES, *PROVIDERS)
    yield from Wishes.__annotations__


@pytest.mark.parametrize("name", sorted(set(_named())))
def test_everything_is_named(name: str) -> None:
    """Each key, verb, judge, check, policy, route, header, option and profile is in the pages."""
    assert f"`{name}`" in WHOLE or f"`{name} " in WHOLE or f"`-{name}`" in WHOLE


def test_every_path_is_named() -> None:
    """Each path of the gateway, in its page."""
    for path in ROUTES:
        assert path.replace("*", "NAME") in PAGES["docs/gateway.md"]


def test_headers_of_an_answer_are_documented(serve: Callable[..., Serving]) -> None:
    """What comes back bears no header of ours that the page does not name."""
    with OpenAI(base_url=f"{serve().url}/v1", api_key="unused") as client:
        told = client.chat.completions.with_raw_response.create(
            model="auto", messages=[{"role": "user", "content": "Hi"}]
        )
    names = [name for name in told.headers if name.startswith("x-emafusion-")]
    assert len(names) >= 6
    assert all(f"`{name}`" in PAGES["docs/gateway.md"] for name in names)


def test_made_pages_are_current() -> None:
    """Run `scripts/docs` after a change of config or command line."""
    assert PAGES["docs/cli.md"] == commands_reference()
    assert PAGES["docs/config.md"] == config_reference()
    schema = ROOT / "src/emafusion/config/config.schema.json"
    assert not schema.exists() or schema.read_text(encoding="utf-8") == schema_text()


def test_the_two_commands_come_first() -> None:
    """The README begins with what to type."""
    lines = [line for line in PAGES["README.md"].splitlines() if line.strip()][:3]
    assert lines[0] == "# emafusion"
    assert [line.split()[0] for line in lines[1:]] == ["scripts/serve", "scripts/test"]
    for line in lines[1:]:
        assert os.access(ROOT / line.split()[0], os.X_OK)


def test_links_lead_somewhere() -> None:
    """Each link within the project has its file and its heading."""
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("https://"):
                continue
            name, _, anchor = target.partition("#")
            path = (ROOT / page).parent / name if name else ROOT / page
            assert path.exists(), f"{page}: {target}"
            inside = path.resolve().relative_to(ROOT).as_posix()
            assert not anchor or inside not in PAGES or anchor in sections(inside), target


@pytest.mark.parametrize(("page", "line"), tuple(commands()))
def test_commands_are_ones_that_exist(page: str, line: str) -> None:
    """Each verb and option that a page tells to type is known."""
    words = shlex.split(line.partition("#")[0].replace("$(", "("))[1:]
    assert words[0] in {*VERBS, "VERB"}, f"{page}: {line}"
    command = program.get_command(click.Context(program), words[0])
    if isinstance(command, click.Group):
        assert words[1] in {*command.commands, "--help"}, f"{page}: {line}"
        command = command.commands.get(words[1], command)
    known = {option for each in command.params for option in each.opts} if command else set()
    given = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    assert given <= known | {"--help"}, f"{page}: {line}"


@pytest.mark.parametrize(("name", "code"), tuple(blocks("yaml")))
def test_configs_are_right(name: str, code: str) -> None:
    """Each config in a page can be read."""
    assert parse(code, source=name) != Config()


@pytest.mark.parametrize(("name", "code"), tuple(blocks("python")))
def test_python_runs(
    name: str, code: str, serve: Callable[..., Serving], shell: Shell, provider: Provider
) -> None:
    """Each program in a page runs: against a gateway, or in its own process."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    if "OpenAI" in code or code.startswith("client."):
        code = _pointed_at(serve().url, code)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shell.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{name}: {done.stderr}"


def _pointed_at(url: str, code: str) -> str:
    """A page's program with our gateway in place of the usual one."""
    if code.startswith("client."):  # goes on from the first one
        made = 'from openai import OpenAI\nclient = OpenAI(base_url="{}/v1", api_key="unused")\n'
        return made.format(url) + code
    return code.replace("http://127.0.0.1:8080", url)
