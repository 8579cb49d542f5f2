"""`emafusion models`, `check` and `init`: what there is, whether a config is right, a new one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Listing
from tests.cli.running import Shell

from emafusion.config import parse


def test_the_pool_is_a_table(shell: Shell) -> None:
    """A line each with price, cached price, context, provider, kind and abilities."""
    done = shell.run("models")
    head, cheap, dear = done.out.splitlines()
    assert head.split()[:3] == ["model", "prompt", "$/M"]
    assert cheap.split()[:4] == ["cheap", "0.1", "0.4", "100,000"]
    assert dear.startswith("dear")
    assert all(line == line.rstrip() for line in done.out.splitlines())


def test_the_pool_as_json(shell: Shell) -> None:
    """An object a line; what is not known is null."""
    cheap, _ = map(json.loads, shell.run("models", "--json").out.splitlines())
    assert (cheap["prompt_usd_per_mtok"], cheap["cached_prompt_usd_per_mtok"]) == (0.1, None)
    assert (cheap["size_b"], cheap["kind"]) == (3.0, "language")
    assert "health" not in cheap


def test_health(shell: Shell, listing: Listing) -> None:
    """Each deployment is asked for its models: `ok`, or `down` with the reason and exit code 1."""
    well = shell.run("models", "--health")
    assert (well.code, well.out.count(" ok ")) == (0, 2)
    listing.status = 401
    ill = shell.run("models", "--health")
    assert (ill.code, ill.out.count(" down ")) == (1, 2)
    assert "wrong key" in ill.out.splitlines()[-1]
    (told, _) = map(json.loads, shell.run("models", "--health", "--json").out.splitlines())
    assert "wrong key" in told["health"]


def test_every_deployment_is_asked(shell: Shell, listing: Listing) -> None:
    """At its own address; and every key that is missing is told, with its place."""
    here, gone = listing.provider.url, "http://127.0.0.1:1/v1"
    places = f'[{{base_url: "{here}"}}, {{base_url: "{gone}", api_key_env: SECOND_KEY}}]'
    text = f"models: [{{name: one, provider: openai, deployments: {places}}}]\n"
    (shell.folder / "emafusion.yaml").write_text(text)
    assert "NOT SET: SECOND_KEY" in shell.run("check").out
    assert "models[0].deployments[1].api_key_env" in shell.run("models").err
    shell.env["SECOND_KEY"] = "k"
    done = shell.run("models", "--health")
    assert (done.code, "1 of 2 answer" in done.out.splitlines()[1]) == (1, True)
    assert "one*2: 1 of 2 answer; #2: no connection to 127.0.0.1:1" in done.out


def test_health_of_a_server_that_is_gone(empty: Shell) -> None:
    """Nobody there is a reason like any other."""
    (empty.folder / "emafusion.yaml").write_text(
        "models: [{name: a, provider: openai, base_url: 'http://127.0.0.1:9/v1'}]\n"
    )
    done = empty.run("models", "--health")
    assert done.code == 1
    assert "no connection to 127.0.0.1:9" in done.out


def test_the_catalog(empty: Shell) -> None:
    """What is known of models, prices with the day they are from; a word filters."""
    done = empty.run("models", "--catalog", "gpt-oss-20b")
    assert "priced on" in done.out.splitlines()[0]
    assert "gpt-oss-120b" not in done.out
    assert "groq" in done.out
    lines = empty.run("models", "--catalog", "--json").out.splitlines()
    assert len(lines) > 100
    nothing = empty.run("models", "--catalog", "no-such-model")
    assert (nothing.code, nothing.out) == (0, "")
    assert "no model with 'no-such-model'" in nothing.err


def test_fetching_that_fails_is_one_line(empty: Shell) -> None:
    """Without a package index: the reason and exit code 1, after the stage it was at."""
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    done = Shell(empty.folder, env).run("models", "--fetch", "embedded")
    assert (done.code, done.out) == (1, "")
    stage, why = done.err.splitlines()
    assert stage == "embedded model: downloading ..."
    assert why.startswith("emafusion: ")


def test_check_tells_what_a_config_needs(empty: Shell) -> None:
    """How many models, which keys are set and which not, whose price is unknown."""
    (empty.folder / "emafusion.yaml").write_text(
        "models:\n"
        "  - {name: gpt-6-luna, provider: openai}\n"
        "  - {name: groq-one, provider: groq, remote_name: openai/gpt-oss-20b}\n"
        "  - {name: own, provider: openai, base_url: 'http://127.0.0.1:9/v1'}\n"
    )
    keyed = Shell(empty.folder, {"OPENAI_API_KEY": "made-up"})
    done = keyed.run("check")
    assert done.out == (
        "emafusion.yaml: ok, 3 models; set: OPENAI_API_KEY; NOT SET: GROQ_API_KEY; "
        "price unknown, counted as the dearest: own\n"
    )
    told = json.loads(keyed.run("check", "--json").out)
    assert (told["ok"], told["keys_missing"], told["prices_unknown"]) == (
        True,
        ["GROQ_API_KEY"],
        ["own"],
    )


def test_check_as_json_of_a_wrong_config(empty: Shell) -> None:
    """Problems with file, line, key and what is wrong; exit code 2."""
    (empty.folder / "a.yaml").write_text("\n\ngateway: {prot: 1}\n")
    done = empty.run("check", "a.yaml", "--json")
    assert done.code == 2
    assert json.loads(done.out)["problems"] == [
        {
            "source": "a.yaml",
            "line": 3,
            "path": "gateway.prot",
            "what": "unknown key, did you mean port?",
        }
    ]
    gone = json.loads(empty.run("check", "missing.yaml", "--json").out)
    assert gone["problems"][0]["what"] == "cannot be read: No such file or directory"


def test_check_finds_a_promise_that_would_not_be_served(empty: Shell) -> None:
    """What `serve` would refuse is refused here, in one line."""
    model = 'models: [{name: a, provider: openai, base_url: "http://127.0.0.1:9/v1"}]\n'
    text = f"{model}objective: {{certificate: promise.json}}\n"
    (empty.folder / "a.yaml").write_text(text)
    done = empty.run("check", "a.yaml")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "objective.certificate (promise.json): cannot be read" in done.err


def test_init_writes_what_was_found(empty: Shell) -> None:
    """The config that was found, commented; it is right, holds no key, and is not overwritten."""
    keyed = Shell(empty.folder, {"GROQ_API_KEY": "made-up-secret"})
    done = keyed.run("init")
    wrote, then = done.out.splitlines()
    assert wrote.startswith("wrote emafusion.yaml: ")
    assert "GROQ_API_KEY" in wrote
    assert then == "next: emafusion serve"
    text = (empty.folder / "emafusion.yaml").read_text()
    assert "made-up-secret" not in text
    assert {model.provider for model in parse(text, source="a.yaml").models} >= {"groq"}
    assert keyed.run("check").code == 0
    assert keyed.run("init").code == 2
    assert keyed.run("init", "--force").code == 0


def test_init_takes_over_a_litellm_config(empty: Shell) -> None:
    """Its models, without its secrets; the keys need not be set yet."""
    (empty.folder / "theirs.yaml").write_text(
        "model_list:\n"
        "  - model_name: one\n"
        "    litellm_params: {model: openai/gpt-6-luna, api_key: os.environ/OPENAI_API_KEY}\n"
        "  - model_name: two\n"
        "    litellm_params: {model: groq/openai/gpt-oss-20b, api_key: gsk-secret}\n"
    )
    out = str(Path("sub file.yaml"))
    done = empty.run("init", "--from-litellm", "theirs.yaml", "--out", out, "--json")
    assert json.loads(done.out)["models"] == 2
    assert "gsk-secret" not in (empty.folder / out).read_text()
    again = empty.run("init", "--from-litellm", "theirs.yaml", "--out", out, "--force")
    assert again.out.splitlines()[1] == f"next: emafusion serve --config '{out}'"
    assert empty.run("check", out).code == 0
