"""A kept response as the events that it would be streamed by, an item at a time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.wire.responses.kept import output_items
from emafusion.wire.sse import encode_event

Event = dict[str, object]


def replayed(body: bytes, /, *, after: int = -1) -> bytes:
    """Write the events of a kept response whose numbers are above `after`."""
    events = (event for n, event in enumerate(_events(body)) if n > after)
    return b"".join(
        encode_event(msgspec.json.encode(event), event=str(event["type"])) for event in events
    )


def _events(body: bytes) -> Iterator[Event]:
    return ({**event, "sequence_number": n} for n, event in enumerate(_unnumbered(body)))


def _unnumbered(body: bytes) -> Iterator[Event]:
    fields = msgspec.json.decode(body, type=dict[str, Raw])
    status = msgspec.json.decode(fields["status"], type=str)
    begun: Event = {
        **fields,
        "status": "in_progress",
        "output": [],
        "usage": None,
        "completed_at": None,
    }
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(output_items(body)):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{status}", "response": Raw(body)}
