"""Whatever is typed: one line that says what is wrong, an exit code, and never a traceback."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.cli.running import Done, Shell

FILES = {
    "typo.yaml": b"gateway: {prot: 1}\n",
    "several.yaml": b"objective: {quality_weight: 3}\nmodels:\n  - {name: a, provider: opnai}\n",
    "binary.yaml": bytes(range(256)) * 8,
    "list.yaml": b"- a\n- b\n",
    "broken.yaml": b"gateway: {port: [1\n",
    "deep.yaml": b"[" * 5000,
    "tagged.yaml": b"gateway: !!python/object/apply:os.system ['true']\n",
    "nokey.yaml": b"models:\n  - {name: a, provider: openai}\n",
    "noweights.yaml": b"models:\n  - {name: smollm2-135m, provider: local}\n",
    "nogguf.yaml": b"models:\n  - {name: a, provider: local, gguf: /no/such/file.gguf}\n",
    "noartifact.yaml": b"policy: {artifact: /no/such/folder}\n"
    b"models:\n  - {name: a, provider: openai, base_url: 'http://127.0.0.1:9/v1'}\n",
    "open.yaml": b"gateway: {host: 0.0.0.0}\n"
    b"models:\n  - {name: a, provider: openai, base_url: 'http://127.0.0.1:9/v1'}\n",
    "good.yaml": b"models:\n  - {name: a, provider: openai, base_url: 'http://127.0.0.1:9/v1'}\n",
}


@dataclass(frozen=True)
class Bad:
    """A command that cannot be done; `says` is part of its one line."""

    arguments: tuple[str, ...]
    says: str
    code: int = 2
    stdin: bytes = b""


def bad(line: str, says: str, *, code: int = 2, stdin: bytes = b"") -> Bad:
    """Read a line of the table; its words are parted by blanks, `''` is an empty one."""
    words = tuple("" if word == "''" else word for word in line.split(" ") if word)
    return Bad(words, says, code, stdin)


TABLE = (
    bad("serv", "did you mean 'serve'?"),
    bad("nonsense", "there is no verb 'nonsense'; see what there is"),
    bad("--bogus", "No such option '--bogus'"),
    # config files
    bad("serve --config typo.yaml", "typo.yaml:1: gateway.prot: unknown key, did you mean port?"),
    bad("ask hi --config typo.yaml", "did you mean port?"),
    bad("models --config typo.yaml", "did you mean port?"),
    bad("explain hi --config typo.yaml", "did you mean port?"),
    bad("log --config typo.yaml", "did you mean port?"),
    bad("check typo.yaml", "typo.yaml:1: gateway.prot: unknown key, did you mean port?"),
    bad("check binary.yaml", "binary.yaml: not UTF-8 text"),
    bad("check list.yaml", "list.yaml:1"),
    bad("check broken.yaml", "broken.yaml:"),
    bad("check deep.yaml", "deep.yaml: is nested too deeply"),
    bad("check tagged.yaml", "tagged.yaml:1"),
    bad("check .", ".: cannot be read: Is a directory"),
    bad("check missing.yaml", "missing.yaml: cannot be read: No such file or directory"),
    bad("check ''", "FILE: must be the name of a file"),
    bad("check /dev/zero", "/dev/zero: is longer than"),
    bad("check noartifact.yaml", "/no/such/folder"),
    bad("check", "emafusion.yaml: cannot be read"),
    bad("check good.yaml more", "Got unexpected extra argument (more)"),
    bad("serve --config ''", "--config: must be the name of a file"),
    bad("serve --config nokey.yaml", "OPENAI_API_KEY is not set"),
    bad("ask hi --config nokey.yaml", "OPENAI_API_KEY is not set"),
    bad("serve --config noweights.yaml", "", code=1),
    bad("serve --config nogguf.yaml", "", code=1),
    bad("ask hi --config noweights.yaml", "", code=1),
    bad("serve --config noartifact.yaml", "/no/such/folder", code=-1),
    # addresses
    bad("serve --port 99999", "99999 is not in the range 0<=x<=65535"),
    bad("serve --port x", "'x' is not a valid integer"),
    bad("serve --port -1", "-1 is not in the range"),
    bad("serve --config good.yaml --host ''", "host: must be an address"),
    bad("serve --config good.yaml --host 999.1.1.1", "EMAFUSION_KEYS holds none", code=1),
    bad("serve --config open.yaml", "EMAFUSION_KEYS holds none: make one with", code=1),
    # keys
    bad("keys show x", "key: there is no key 'x'"),
    bad("keys make --name x --budget 5", "--budget: must be US dollars and a period"),
    # questions
    bad("ask", "Missing argument 'TEXT'"),
    bad("ask --config good.yaml ''", "TEXT: the question is empty"),
    bad("ask --config good.yaml -", "TEXT: the question is empty"),
    bad("ask --config good.yaml -", "TEXT: is not UTF-8 text", stdin=b"\xff\xfe"),
    bad("ask --config good.yaml \udcff\udcfe", "TEXT: is not UTF-8 text"),
    bad("ask --config good.yaml hi there", "unexpected extra argument (there)"),
    bad("ask --config good.yaml hi --model b", "there is no model 'b' here"),
    bad("ask --config good.yaml hi --quality-weight 3", "must be a number from 0 to 1, got '3'"),
    bad("ask --config good.yaml hi --quality-weight nan", "must be a number from 0 to 1"),
    bad("ask --config good.yaml hi --quality-weight x", "must be a number from 0 to 1"),
    bad("ask --config good.yaml hi --qualty-weight 1", "No such option '--qualty-weight'"),
    bad("ask --config good.yaml hi --model a", "127.0.0.1:9", code=1),
    bad("explain --config good.yaml ''", "TEXT: the question is empty"),
    bad("explain --config good.yaml hi --model b", "there is no model 'b' here"),
    # the pool
    bad("models --fetch everything", "'everything' is not 'embedded'"),
    bad("models --fetch embedded --json", "--fetch: goes with nothing else"),
    bad("models --catalog --health", "--health: is about the pool"),
    bad("models a b --config good.yaml", "unexpected extra argument (b)"),
    # writing a config
    bad("init --out ''", "--out: must be the name of a file"),
    bad("init --out good.yaml", "good.yaml: is there already; --force overwrites it"),
    bad("init --out . --force --from-litellm good.yaml", "good.yaml: has no model_list"),
    bad("init --from-litellm missing", "missing: cannot be read"),
    bad("init --from-litellm binary.yaml", "not UTF-8 text"),
    bad("init --from-litellm ''", "--from-litellm: must be the name of a file"),
    # the log
    bad("log zzz", "DECISION_ID: no decision 'zzz'", code=-1),
    bad("log --limit x", "'x' is not a valid integer"),
    bad("log --since whenever", "--since: must be a time"),
    bad("log --file binary.yaml", "binary.yaml", code=1),
)


@pytest.fixture
def files(empty: Shell) -> Shell:
    """A folder of files, most of them wrong."""
    for name, content in FILES.items():
        (empty.folder / name).write_bytes(content)
    return empty


def test_every_mistake_is_one_line(files: Shell) -> None:
    """Each ends with its exit code and says what is wrong in one line, with nothing on stdout."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda each: files.run(*each.arguments, stdin=each.stdin), TABLE))
    wrong = [
        f"{' '.join(each.arguments)!r} -> {was.code} {was.out!r} {was.err!r}"
        for each, was in zip(TABLE, done, strict=True)
        if not _as_told(each, was)
    ]
    assert not wrong, "\n".join(wrong)


def _as_told(each: Bad, was: Done) -> bool:
    """`code` -1 stands for either."""
    lines = was.err.splitlines()
    code = was.code in {1, 2} if each.code == -1 else was.code == each.code
    return code and not was.out and len(lines) == 1 and each.says in lines[0]


def test_every_mistake_of_a_config_is_told_at_once(files: Shell) -> None:
    """A line each, with the place in front, in the order of the file."""
    done = files.run("check", "several.yaml")
    assert done.code == 2
    first, second = done.err.splitlines()
    assert first.startswith("several.yaml:1: objective.quality_weight: must be ")
    assert second.startswith("several.yaml:3: models[0].provider: must be one of openai, ")
    assert second.endswith("(did you mean openai?)")


def test_no_verb_shows_the_help(empty: Shell) -> None:
    """Without a verb: the list of verbs on standard error, and exit code 2."""
    done = empty.run()
    assert (done.code, done.out) == (2, "")
    assert "explain" in done.err


def test_closed_streams_are_no_reason_to_crash(files: Shell) -> None:
    """With standard input, output and error closed a verb still ends by its code."""
    line = '"$0" -m emafusion check good.yaml <&- >&- 2>&-; echo $?'
    assert files.shell(line) == "0\n"


def test_a_full_disk_is_told(files: Shell) -> None:
    """Output that cannot be written is one line, exit code 1."""
    line = '"$0" -m emafusion check good.yaml 2>&1 >/dev/full; echo $?'
    assert files.shell(line) == "emafusion: No space left on device\n1\n"


@pytest.mark.parametrize("verb", ["models", "models --json", "explain hi"])
def test_a_reader_that_leaves_ends_it_silently(files: Shell, verb: str) -> None:
    """Where nobody reads the output, nothing is said."""
    assert not files.shell(f'"$0" -m emafusion {verb} --config good.yaml | true')
