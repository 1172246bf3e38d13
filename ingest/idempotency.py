"""Requests with a key of the caller's: done once, answered the same each time, for a day.

That something was done is written in the very transaction that does it, whichever service it is:
`mark` adds it to every transaction of a request in hand. The answer follows in a commit of its own,
so a crash between the two leaves "done, answer unknown", never a second effect.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import event

from ingest.refusal import Busy, Clash, RulesBroken
from ingest.store.engine import writing
from ingest.store.idempotency import request
from linli.ids import short_id

KEPT = timedelta(hours=24)
MOST_KEYS = 10_000
"""Of one account within `KEPT`."""
MOST_BODY = 256 * 1024
Headers = tuple[tuple[str, str], ...]


class Claim(NamedTuple):
    """The right to do what one key stands for."""

    account: str
    key: str


class Answer(msgspec.Struct, frozen=True):
    """What was answered."""

    status: int
    headers: Headers
    body: bytes


_IN_HAND: ContextVar[Claim | None] = ContextVar("request-in-hand", default=None)


def mark(engine: sa.Engine) -> None:
    """Let every transaction of this writer tell which request in hand it belongs to."""

    def on_begin(connection: sa.Connection) -> None:
        claim = _IN_HAND.get()
        if claim is not None:
            connection.execute(request.update().where(_is(claim)), {"done": True})

    event.listen(engine, "begin", on_begin)


@contextmanager
def in_hand(claim: Claim) -> Iterator[None]:
    """Do what the key stands for inside this block, threads started from it included."""
    token = _IN_HAND.set(claim)
    try:
        yield
    finally:
        _IN_HAND.reset(token)


class Requests:
    """Keys and answers behind a writer that `mark` was called for. The calls block."""

    def __init__(self, writer: sa.Engine) -> None:
        self._writer = writer
        self._process = short_id()
        self._lock = threading.Lock()
        self._running: set[Claim] = set()

    def begin(self, claim: Claim, fingerprint: str, now: datetime) -> Answer | None:
        """Take up a request; return the answer when it was done before.

        Raises RulesBroken when the key stands for another request, Clash while it is being done or
        when its answer is not known, Busy for too many keys.
        """
        with self._lock, writing(self._writer) as connection:
            connection.execute(request.delete().where(request.c.at <= now - KEPT))
            row = connection.execute(request.select().where(_is(claim))).first()
            if row is None:
                self._add(connection, claim, fingerprint, now)
                return None
            if row.fingerprint != fingerprint:
                fault = ("Idempotency-Key", "was sent before with another request")
                raise RulesBroken("one key stands for one request", (fault,))
            if row.status is not None and row.body is not None:
                headers = msgspec.json.decode(row.headers, type=Headers)
                return Answer(row.status, headers, row.body)
            if claim in self._running:
                raise Clash("this request is being done", hint="Ask again in a second")
            if row.done or row.status is not None:
                raise Clash("this was done, but its answer was not kept", hint="Look at the list")
            again = {"process": self._process, "at": now}
            connection.execute(request.update().where(_is(claim)), again)
            self._running.add(claim)
        return None

    def end(self, claim: Claim, answer: Answer | None) -> None:
        """Keep the answer; what was refused or failed before anything was done may come again."""
        try:
            with writing(self._writer) as connection:
                done = connection.scalar(sa.select(request.c.done).where(_is(claim)))
                if not done and (answer is None or answer.status >= 400):
                    connection.execute(request.delete().where(_is(claim)))
                elif answer is not None and answer.status < 500:
                    connection.execute(request.update().where(_is(claim)), _kept(answer))
        finally:
            with self._lock:
                self._running.discard(claim)

    def _add(
        self, connection: sa.Connection, claim: Claim, fingerprint: str, now: datetime
    ) -> None:
        mine = sa.select(sa.func.count()).where(request.c.account == claim.account)
        if (connection.scalar(mine) or 0) >= MOST_KEYS:
            raise Busy(f"{MOST_KEYS} keys of this account are kept already")
        row = {"fingerprint": fingerprint, "process": self._process, "at": now, "done": False}
        connection.execute(request.insert(), {"account": claim.account, "key": claim.key, **row})
        self._running.add(claim)


def _kept(answer: Answer) -> dict[str, object]:
    return {
        "status": answer.status,
        "headers": msgspec.json.encode(answer.headers).decode(),
        "body": answer.body if len(answer.body) <= MOST_BODY else None,
    }


def _is(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(request.c.account == claim.account, request.c.key == claim.key)
