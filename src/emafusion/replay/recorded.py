"""Recorded answers as what a call brings back."""

from __future__ import annotations

from math import isnan

from emafusion.domain.attempt import Attempt, Choice, Reply, TokenLogprob, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import Rejected
from emafusion.replay.labelled import SlowRecords
from emafusion.replay.records import Records


class RecordedAnswers:
    """Gives what was recorded for a call; implements `replay.driver.Recorded`.

    `slow`: what a labeller said of the queries, None where none did. Each attempt is made once: a
    dial of many settings asks for the same ones again and again.
    """

    def __init__(self, records: Records, slow: SlowRecords | None = None) -> None:
        self._records = records
        self._slow = slow
        self._rows = {query.query_id: i for i, query in enumerate(records.queries)}
        self._columns = {name: k for k, name in enumerate(records.models)}
        self._made: dict[tuple[int, int], Attempt] = {}

    def __call__(self, call: Call, /) -> Attempt:
        """The recorded attempt; a failure by value where none was recorded.

        A call to judge fails, and one to label where nobody was recorded: those abstain.
        """
        if call.purpose == "label" and self._slow is not None:
            return self._slow.attempt(call.query.query_id, call.candidate.name)
        if call.purpose != "answer":
            failure = Rejected("only answers were recorded")
            return Attempt(candidate=call.candidate.name, failure=failure, cost_usd=0.0)
        key = self._rows[call.query.query_id], self._columns.get(call.candidate.name, -1)
        attempt = self._made.get(key)
        if attempt is None:
            attempt = self._made[key] = self._make(call.candidate.name, *key)
        return attempt

    def forget(self) -> None:
        """Drop what was made, once a query is done with."""
        self._made.clear()

    def _make(self, name: str, i: int, k: int) -> Attempt:
        if k < 0 or self._records.row[i, k] < 0:
            return Attempt(candidate=name, failure=Rejected("no answer was recorded"))
        latency_s = float(self._records.latency_s[i, k])
        return Attempt(
            candidate=name,
            reply=reply_of(self._records, i, k),
            cost_usd=_known(self._records.cost_usd[i, k]),
            latency_s=0.0 if isnan(latency_s) else latency_s,
        )


def reply_of(records: Records, i: int, k: int) -> Reply:
    """The recorded reply of model k to query i; its answer where the response is unknown.

    A recorded mean log-probability stands as one token of that log-probability.
    """
    row, logprob = int(records.row[i, k]), float(records.mean_logprob[i, k])
    response = records.responses[row]
    text = records.answers[row] or "" if response is None else response
    logprobs = () if isnan(logprob) else (TokenLogprob(token="", logprob=min(logprob, 0.0)),)
    return Reply(
        choices=(Choice(text=text, logprobs=logprobs),),
        model=records.models[k],
        usage=_usage(records, i, k),
    )


def _usage(records: Records, i: int, k: int) -> Usage | None:
    prompt, completion = records.prompt_tokens[i, k], records.completion_tokens[i, k]
    if isnan(prompt) or isnan(completion):
        return None
    return Usage(prompt_tokens=int(prompt), completion_tokens=int(completion))


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)
