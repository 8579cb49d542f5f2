"""What a shelf must hold beyond its signatures."""

from __future__ import annotations

from emafusion.store.shelf.kept import (
    Batch,
    KeptFile,
    KeptResponse,
    Line,
    LineAnswer,
    Page,
)
from emafusion.store.shelf.ports import Shelf

LONG_S = 600.0


async def check_shelf(shelf: Shelf) -> None:
    """Check an empty shelf: owners apart, chains, pages, a queue in which nothing is done twice."""
    await _check_responses(shelf)
    await _check_files(shelf)
    await _check_batches(shelf)
    await _check_tidy(shelf)


async def _check_responses(shelf: Shelf) -> None:
    kept = shelf.responses
    for n in range(3):
        previous = f"r{n - 1}" if n else None
        await kept.put(_response(f"r{n}", previous=previous))
    found = await kept.get("r1", owner="me")
    assert found is not None
    assert found == _response("r1", previous="r0")
    assert await kept.get("r1", owner="other") is None
    assert [each.id for each in await kept.chain("r2", owner="me")] == ["r0", "r1", "r2"]
    assert await kept.chain("r2", owner="other") == ()
    assert not await kept.drop("r0", owner="other")
    assert await kept.drop("r0", owner="me")
    assert not await kept.drop("r0", owner="me")
    assert [each.id for each in await kept.chain("r2", owner="me")] == ["r1", "r2"]


async def _check_files(shelf: Shelf) -> None:
    kept = shelf.files
    data = bytes(range(256)) * 9000
    for n in range(3):
        assert await kept.put(_file(f"f{n}", size=len(data)), data)
    assert await kept.get("f1", owner="me") == _file("f1", size=len(data))
    assert await kept.get("f1", owner="other") is None
    assert b"".join([piece async for piece in kept.content(_file("f1"))]) == data
    page = Page(limit=2)
    assert [f.id for f in await kept.page_of(page, owner="me", purpose=None)] == ["f2", "f1"]
    page = Page(limit=2, after="f0", newest_first=False)
    assert [f.id for f in await kept.page_of(page, owner="me", purpose="batch")] == ["f1", "f2"]
    assert await kept.page_of(Page(), owner="me", purpose="another") == []
    try:
        await kept.page_of(Page(after="f0"), owner="other", purpose=None)
    except KeyError:
        pass
    else:
        raise AssertionError("a page after what is another's is no page")
    assert not await kept.drop("f1", owner="other")
    assert await kept.drop("f1", owner="me")
    assert not [piece async for piece in kept.content(_file("f1"))]


async def _check_batches(shelf: Shelf) -> None:
    kept, batch = shelf.batches, _batch("batch_b")
    assert await kept.put(batch, most=1)
    assert not await kept.put(_batch("batch_c"), most=1)
    assert await kept.get("batch_b", owner="other") is None
    assert await kept.get("batch_b", owner=None) == batch
    assert await kept.claim("one", lasts_s=LONG_S) == batch
    assert await kept.claim("two", lasts_s=LONG_S) is None
    assert await kept.workers() == ["one"]
    assert not await kept.hold("batch_b", "two", lasts_s=LONG_S)
    assert await kept.hold("batch_b", "one", lasts_s=LONG_S)
    assert await kept.claim("two", lasts_s=LONG_S) is None
    assert await kept.hold("batch_b", "one", lasts_s=0.0)
    assert await kept.claim("two", lasts_s=LONG_S) == batch
    assert not await kept.hold("batch_b", "one", lasts_s=LONG_S)
    await kept.free("two")
    assert await kept.claim("three", lasts_s=LONG_S) == batch
    await _check_lines(shelf, batch)


async def _check_lines(shelf: Shelf, batch: Batch) -> None:
    kept = shelf.batches
    lines = [Line(number=n, custom_id=f"c{n}", body=b"{}") for n in range(1, 6)]
    await kept.fill(batch.id, lines)
    await kept.fill(batch.id, lines[:2])
    assert await kept.open_lines(batch.id, after=0, limit=9) == lines
    assert await kept.open_lines(batch.id, after=2, limit=2) == lines[2:4]
    await kept.answer(batch.id, [_answer(2, b"two"), _answer(4, b"four", good=False)])
    await kept.answer(batch.id, [_answer(2, b"again")])
    assert [line.number for line in await kept.open_lines(batch.id, after=0, limit=9)] == [1, 3, 5]
    counts = await kept.counts(batch.id)
    assert (counts.completed, counts.failed, counts.prompt_tokens) == (1, 1, 14)
    over = _batch(batch.id, status="completed", at={"completed": 50.0})
    assert not await kept.move(over, old=frozenset({"in_progress"}))
    assert await kept.move(over, old=frozenset({"validating"}))
    ended = await kept.get(batch.id, owner="me")
    assert ended is not None
    assert ended.counts == counts
    assert await kept.claim("four", lasts_s=LONG_S) is None
    for key, text in ((batch.output_file, b"two\n"), (batch.error_file, b"four\n")):
        file = await shelf.files.get(key, owner="me")
        assert file is not None
        assert file.size == len(text)
        assert b"".join([piece async for piece in shelf.files.content(file)]) == text
    assert [b.id for b in await kept.page_of(Page(), owner="me")] == [batch.id]
    assert await kept.page_of(Page(), owner="other") == []


async def _check_tidy(shelf: Shelf) -> None:
    day = 86_400.0
    assert await shelf.tidy(2 * day) == 0
    assert await shelf.tidy(1e6 * day) > 0
    assert await shelf.responses.get("r1", owner="me") is None
    assert await shelf.files.get("f0", owner="me") is None
    assert await shelf.batches.get("batch_b", owner=None) is None


def _response(key: str, *, previous: str | None) -> KeptResponse:
    return KeptResponse(
        id=key, owner="me", created_at=1.0, items=b"[]", body=b"{}", previous=previous
    )


def _file(key: str, *, size: int = 0) -> KeptFile:
    return KeptFile(
        id=key, owner="me", created_at=1.0, filename="in.jsonl", purpose="batch", size=size
    )


def _batch(key: str, *, status: str = "validating", at: dict[str, float] | None = None) -> Batch:
    assert status in {"validating", "completed"}
    return Batch(
        id=key,
        owner="me",
        created_at=1.0,
        expires_at=1e9,
        endpoint="/v1/responses",
        input_file="f0",
        status="completed" if status == "completed" else "validating",
        at=at or {},
    )


def _answer(number: int, text: bytes, *, good: bool = True) -> LineAnswer:
    return LineAnswer(number=number, good=good, text=text, prompt_tokens=7)
