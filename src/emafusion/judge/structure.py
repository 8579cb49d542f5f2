"""Hard checks of structured answers: JSON that was asked for, and code that was asked for."""

from __future__ import annotations

import ast
import re
import warnings

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.asked import asks_code
from emafusion.judge.reading import Json, fences, read_json
from emafusion.judge.schema import misfit
from emafusion.judge.verdict import ABSTAIN, Verdict, bad, ok

_MAX_CODE = 40_000
_PYTHON = re.compile(r"\bpython\b|\.py\b", re.IGNORECASE)
_SESSION = re.compile(r"^\s*(?:>>>|\.\.\.|\$|%|!)", re.MULTILINE)


def json_fits(query: Query, reply: Reply) -> Verdict:
    """Bad: JSON was asked for by the request's format and the text is none or misfits the schema.

    Ok: it parses (for `json_object`: to an object) and fits the schema, where there is one.
    """
    wanted, choice = query.format, reply.choices[0]
    if wanted.kind == "text" or choice.tool_calls:
        return ABSTAIN
    parsed = read_json(choice.text)
    if parsed is None:
        return bad("asked for JSON, the text does not parse")
    if wanted.schema is not None:
        return _fits(wanted.schema, parsed.value)
    if not isinstance(parsed.value, dict):
        return bad("asked for a JSON object, got another JSON value")
    return ok("a JSON object")


def _fits(schema: bytes, value: Json) -> Verdict:
    reason = misfit(schema, value)
    if reason is None:
        return ABSTAIN
    return bad(f"misfits the schema: {reason}") if reason else ok("fits the schema")


def code_parses(query: Query, reply: Reply) -> Verdict:
    """Bad: Python was asked for and a block marked as Python does not parse. Nothing is run.

    Ok: every such block parses. Abstains on shell sessions, notebook lines and very long blocks.
    """
    prompt = query.prompt
    if not (asks_code(prompt) and _PYTHON.search(prompt)):
        return ABSTAIN
    blocks = [
        f.body
        for f in fences(reply.choices[0].text[-200_000:])
        if f.language in ("python", "py", "python3")
    ]
    if not blocks or any(len(b) > _MAX_CODE or _SESSION.search(b) for b in blocks):
        return ABSTAIN
    faults = [fault for fault in map(_fault, blocks) if fault]
    return bad(f"Python does not parse: {faults[0]}") if faults else ok("Python parses")


def _fault(code: str) -> str:
    """Why a Python text does not parse; empty if it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is not a fault
            ast.parse(code)
    except (SyntaxError, ValueError) as error:
        return str(error)[:120]
    except (RecursionError, MemoryError):
        return ""
    return ""
