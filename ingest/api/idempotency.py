"""The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) on every POST."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.api import problems
from ingest.api.visitor import now, viewer
from ingest.idempotency import Answer, Claim, Requests, in_hand
from ingest.refusal import NotUsable, Refusal
from linli.errors import StoreError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,200})"?')
# Signing in must not hand out an old session, and what tells a secret once must not keep it for a
# day; the others create nothing.
_WITHOUT = re.compile(
    r"/(login|logout|rules/test|silences/preview|notifications/test|evidence/[^/]+/link"
    r"|accounts|accounts/[^/]+/password|tokens|screens|joins?)$"
)
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 202},
    "description": "yours, best a UUID: the same request again within 24 h is not done again, and "
    "answered as before",
}


def takes_key(path: str) -> bool:
    """Tell whether a POST to this path may carry a key; elsewhere it means nothing."""
    return not _WITHOUT.search(path)


class Idempotency:
    """Does each request with a key once; without the header it is not there at all."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        given = request.headers.get(HEADER)
        if given is None or not path.startswith(self._prefix) or not takes_key(path):
            await self._app(scope, receive, send)
            return
        try:
            body = await request.body()
            reply = await self._serve(request, given, path, body)
        except Refusal as error:
            reply = problems.refused(error)
        except HTTPException as error:
            reply = problems.answer(error.status_code, detail=error.detail)
        except StoreError as error:
            reply = problems.store_failed(request, error)
        await reply(scope, receive, send)

    async def _serve(self, request: Request, given: str, path: str, body: bytes) -> Response:
        """Return the answer, made now or before. Raises Refusal, StoreError."""
        found = _KEY.fullmatch(given)
        if found is None:
            raise NotUsable("1 to 200 visible ASCII characters", where=HEADER)
        app = request.app
        requests: Requests = app.state.requests
        who = await run_in_threadpool(viewer, request, app.state.services, now(request))
        claim = Claim(who.account, found.group(1))
        fingerprint = _fingerprint(request, path, body)
        known = await run_in_threadpool(requests.begin, claim, fingerprint, now(request))
        if known is not None:
            return _response(known, {REPLAYED: "true"})
        answer: Answer | None = None
        try:
            with in_hand(claim):
                answer = await self._done(request.scope, body)
        finally:
            await run_in_threadpool(requests.end, claim, answer)
        return _response(answer, {})

    async def _done(self, scope: Scope, body: bytes) -> Answer:
        """Let the application answer, and hold the answer back until it is kept."""
        status, headers, chunks = 500, [], bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                chunks.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return Answer(status, pairs, bytes(chunks))


def _fingerprint(request: Request, path: str, body: bytes) -> str:
    told = "\n".join((path, request.url.query, request.headers.get("content-type", "")))
    return hashlib.sha256(told.encode() + b"\0" + body).hexdigest()


def _response(answer: Answer, more: dict[str, str]) -> Response:
    reply = Response(answer.body, answer.status)
    reply.raw_headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (*answer.headers, *more.items())
    ]
    return reply
