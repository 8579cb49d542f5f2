"""A model that makes embeddings, reached over HTTP.

It is an `Upstream` like any other, so that retries, health and deadlines are the same: what is to
be embedded comes as the fields of a query, the vectors go as the fields of a reply.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from msgspec import Raw
from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Choice, Reply, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput, Failure, Rejected
from emafusion.domain.ports import Sink
from emafusion.upstream.address import parse_base_url
from emafusion.upstream.pool import Pool
from emafusion.upstream.remote import Account, without_key
from emafusion.upstream.request import Headers, HttpRequest, check_headers
from emafusion.upstream.response import Response
from emafusion.upstream.sending import Sending
from emafusion.wire.embeddings import (
    Embedded,
    EmbedDialect,
    EmbedQuery,
    embed_query,
    vectors_origin,
)
from emafusion.wire.error_body import read_trouble

_LARGE_BYTES = 512 * 1024
"""Size of a reply from which it is read without holding up others."""

_IDENTITY: Headers = (("user-agent", "emafusion"), ("accept-encoding", "identity"))


class RemoteEmbedder:
    """Asks one account in one dialect. Owns its pool and closes it.

    Raises `BadInput` for an address or key that cannot be used.
    """

    def __init__(self, dialect: EmbedDialect, account: Account, *, pool: Pool) -> None:
        self.dialect = dialect
        self._default = parse_base_url(dialect.base_url)
        self._base = parse_base_url(account.base_url) if account.base_url else self._default
        self._pool = pool
        self._key = account.api_key.strip()
        self._headers: Headers = (*_IDENTITY, *dialect.auth(self._key), *account.headers)
        check_headers(self._headers)

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Embed all inputs of a query; there is nothing to stream."""
        del sink
        sending = Sending(call)
        try:
            return sending.replied(await self._reply(call))
        except Failure as failure:
            return sending.failed(without_key(failure, self._key))
        except BadInput as error:
            return sending.failed(Rejected(f"the request cannot be sent: {error}"))

    async def _reply(self, call: Call) -> Reply:
        model, query = call.candidate.remote_name, embed_query(call.query)
        made = await self._embedded(query, model)
        tokens = made.prompt_tokens
        return Reply(
            choices=(Choice(),),
            model=model,
            usage=None if tokens is None else Usage(prompt_tokens=tokens),
            origin=vectors_origin(made.vectors),
        )

    async def _embedded(self, query: EmbedQuery, model: str) -> Embedded:
        """Embed in as many calls as the provider wants; the first failure ends it."""
        parts = [await self._call(part, model) for part in self._parts(query)]
        tokens = [part.prompt_tokens for part in parts]
        known = [count for count in tokens if count is not None]
        vectors: tuple[Raw, ...] = tuple([v for part in parts for v in part.vectors])
        told = sum(known) if len(known) == len(tokens) else None
        return Embedded(vectors=vectors, prompt_tokens=told)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def _parts(self, query: EmbedQuery) -> Iterator[EmbedQuery]:
        at_once = self.dialect.at_once
        if len(query.inputs) <= at_once:
            yield query
            return
        for start in range(0, len(query.inputs), at_once):
            yield replace(query, inputs=query.inputs[start : start + at_once])

    async def _call(self, query: EmbedQuery, model: str) -> Embedded:
        wire = self.dialect.request(query, model)
        request = HttpRequest(
            target=self._base.target(wire.path, default=self._default),
            headers=(*wire.headers, *self._headers),
            body=wire.body,
        )
        response = await self._pool.open(self._base.server, request)
        try:
            if response.status != 200:
                raise await self._refusal(response)
            body = await response.read()
            if len(body) < _LARGE_BYTES:
                return self.dialect.reply(body, query)
            return await asyncio.to_thread(self.dialect.reply, body, query)
        finally:
            response.close()

    async def _refusal(self, response: Response) -> Failure:
        status = response.status
        if 300 <= status < 400:
            what = f"{self._base.server.netloc} redirects (status {status}), which is not followed"
            return Rejected(what, status=status)
        try:
            body = await response.read()
        except Failure:
            body = b""  # the status says enough
        return read_trouble(body).failure(status, response.headers, now=time.time())
