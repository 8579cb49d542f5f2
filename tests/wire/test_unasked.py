"""What a judge asked for is taken out again before the client sees it."""

from __future__ import annotations

import json

from emafusion.domain.command import Call
from emafusion.domain.query import ask
from emafusion.testing import candidate
from emafusion.wire.openai import OpenAIDialect, decode_query, encode_reply, without_logprobs

BODY = json.dumps(
    {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "own": {"kept": 1},
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "42", "own": True},
                "finish_reason": "stop",
                "logprobs": {"content": [{"token": "42", "logprob": -0.1, "top_logprobs": []}]},
            }
        ],
    }
).encode()


def test_log_probabilities_are_asked_for_a_judge() -> None:
    """A scored call asks for them whatever the client said; a plain one does not."""
    sent = b'{"model":"auto","messages":[{"role":"user","content":"Hi"}],"logprobs":false}'
    for query in (ask("Hi"), decode_query(sent, query_id="q")):
        scored = Call(candidate=candidate("m"), query=query, scored=True)
        body = json.loads(OpenAIDialect().request(scored, stream=False).body)
        assert body["logprobs"] is True
        plain = Call(candidate=candidate("m"), query=query)
        assert not json.loads(OpenAIDialect().request(plain, stream=False).body).get("logprobs")


def test_log_probabilities_are_hidden_and_the_rest_kept() -> None:
    """Without them the reply is the provider's own, unknown fields and all."""
    reply = OpenAIDialect().reply(BODY)
    assert reply.choices[0].logprobs
    hidden = without_logprobs(reply)
    assert not hidden.choices[0].logprobs
    told = json.loads(encode_reply(hidden, completion_id="x", created=1, model="m"))
    expected = json.loads(BODY)
    expected["choices"][0]["logprobs"] = None
    assert told == expected
