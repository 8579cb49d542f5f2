"""What deploy/ holds can be read by those it is for, and says nothing that is not there."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from emafusion.cli.keys import command as keys
from emafusion.cli.serve import command as serve
from emafusion.config import Config, parse
from emafusion.gateway.app import OPEN, ROUTES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "emafusion"
ENV = dict.fromkeys(
    (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "EMAFUSION_KEYS",
        "EMAFUSION_POSTGRES",
        "EMAFUSION_VALKEY",
    ),
    "made-up",
)
MODEL = {"name": "gpt-5-mini", "provider": "openai"}


def check_command(words: Sequence[str]) -> Mapping[str, object]:
    """Hold a command line to the real command; what it sets."""
    verb, *options = words
    assert verb == "serve"
    # As the program itself names them: a command keeps the first option for help that it is given.
    return serve.make_context("serve", list(options), help_option_names=["-h", "--help"]).params


def check_config(text: str) -> Config:
    """Hold a config to the real reader."""
    return parse(text, source="deploy", env=ENV)


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Containerfile and their arguments, continued lines joined."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(word.upper(), rest.strip()) for word, _, rest in pairs]


def last(name: str) -> str:
    """Arguments of the last instruction of that name."""
    return [rest for word, rest in instructions() if word == name][-1]


def test_the_image_runs_the_real_command_as_nobody_in_particular() -> None:
    """Not as root, pinned, with a health check that asks a path that needs no key."""
    assert json.loads(last("ENTRYPOINT")) == ["emafusion"]
    set_ = check_command(json.loads(last("CMD")))
    assert (set_["host"], set_["port"]) == ("0.0.0.0", 8080)  # noqa: S104 - within a container
    user, _, group = last("USER").partition(":")
    assert int(user) > 999 < int(group)
    base = next(rest for word, rest in instructions() if word == "ARG").partition("=")[2]
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+", base)
    words = json.loads(last("HEALTHCHECK").partition("CMD")[2])
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert composed["services"]["gateway"]["healthcheck"]["test"] == ["CMD", *words]
    asked = re.search(r"http://127\.0\.0\.1:8080(/\w+)", words[2])
    assert asked is not None
    assert asked[1] in OPEN & ROUTES.keys()


def test_the_image_is_built_of_what_is_there_by_its_hashes() -> None:
    """Each file that is copied exists; nothing is installed without a hash."""
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            # The source is not there where its wheel is tested.
            assert all((ROOT / source).exists() for source in sources if source != "src"), rest
        for install in re.findall(r"pip install ([^&]+)", rest) if word == "RUN" else ():
            assert "--require-hashes" in install or "--no-index" in install
        for lock in re.findall(r"locks/[\w.]+", rest):
            assert (ROOT / lock).is_file()
    kept = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"*", "!locks", "!src"} <= set(kept)


def test_compose_names_the_real_command_and_the_variables_of_its_config() -> None:
    """Pinned images, health checks, a root that is not written to, no password in the file."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    gateway = services["gateway"]
    assert check_command(gateway["command"])["workers"] == 2
    assert gateway["read_only"]
    assert gateway["cap_drop"] == ["ALL"]
    assert (ROOT / gateway["build"]["dockerfile"]).is_file()
    config = check_config((DEPLOY / "emafusion.yaml").read_text(encoding="utf-8"))
    assert {config.state.postgres_env, config.state.valkey_env} == set(gateway["environment"])
    assert set(gateway["depends_on"]) == {"postgres", "valkey"}
    for name in ("postgres", "valkey"):
        assert re.search(r":\d+\.\d+", services[name]["image"])
        assert services[name]["healthcheck"]["test"][0] == "CMD"
    asked = set(re.findall(r"\$\{(\w+)", text))
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    assert asked <= set(re.findall(r"^(\w+)=$", example, flags=re.MULTILINE))
    assert re.search(r"exec gateway \\\n#   emafusion keys make .*--name", text)
    assert "make" in keys.commands


def test_the_values_of_the_chart_fit_its_schema_and_the_gateway() -> None:
    """A wrong value is refused by helm, a wrong config by nobody but us."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    held = jsonschema_rs.validator_for(schema)
    assert held.is_valid(values)
    assert not held.is_valid(values | {"replica": 2})
    config = check_config(yaml.safe_dump(values["config"] | {"models": [MODEL]}))
    wait_s = values["drain"]["graceSeconds"]
    assert config.reliability.drain_s < wait_s


def helm() -> str | None:
    """Where helm is: as `HELM` says, else on the path."""
    return os.environ.get("HELM") or shutil.which("helm")


@pytest.fixture
def rendered(tmp_path: Path) -> list[dict[str, object]]:
    """What helm makes of the chart with everything switched on."""
    program = helm()
    if program is None:
        pytest.skip("needs helm: HELM=$(scripts/helm)")
    values = {
        "config": {"models": [MODEL], "state": {"postgres_env": "EMAFUSION_POSTGRES"}},
        "environmentSecrets": ["providers", "state"],
        "environment": {"HTTPS_PROXY": "http://proxy:3128"},
        "persistence": {"enabled": True, "existingClaim": "kept"},
        "workers": 3,
    }
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(values))
    ran(program, "lint", "--strict", str(CHART), "--values", str(given))
    made = ran(program, "template", "gw", str(CHART), "--values", str(given))
    return list(yaml.safe_load_all(made))


def ran(*words: str) -> str:
    """What a command that must succeed printed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-800:] + done.stderr
    return done.stdout


def test_the_chart_lints_and_renders_the_real_command(rendered: list[dict[str, object]]) -> None:
    """Every document is Kubernetes', the container's command and config are ours."""
    by_kind = {str(each["kind"]): each for each in rendered}
    assert set(by_kind) == {
        "ConfigMap",
        "Deployment",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }
    text = yaml.safe_dump(by_kind["ConfigMap"]["data"])
    check_config(yaml.safe_load(text)["emafusion.yaml"])
    spec = yaml.safe_load(yaml.safe_dump(by_kind["Deployment"]["spec"]))["template"]["spec"]
    (container,) = spec["containers"]
    assert check_command(container["args"])["workers"] == 3
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["securityContext"]["runAsUser"] == int(last("USER").partition(":")[0])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in OPEN & ROUTES.keys()
    assert spec["terminationGracePeriodSeconds"] == 50


def test_the_unit_runs_the_real_command_and_systemd_takes_it(tmp_path: Path) -> None:
    """Where systemd is there to be asked: without a complaint, and well locked up."""
    path = DEPLOY / "systemd" / "emafusion.service"
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign] # names keep their case
    unit.read_string(path.read_text(encoding="utf-8"))
    program, *words = unit["Service"]["ExecStart"].split()
    assert Path(program).name == "emafusion"
    check_command(words)
    assert unit["Service"]["ExecReload"].startswith("/bin/kill -HUP ")
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return
    copy = tmp_path / path.name
    copy.write_text(path.read_text(encoding="utf-8").replace(program, "/bin/true"))
    ran(analyze, "verify", "--man=no", str(copy))
    ran(analyze, "security", "--offline=true", "--threshold=20", str(copy))
