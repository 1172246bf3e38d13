"""Phones that people add by the link of a message, to hear by web push."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.notify.known import whole
from ingest.notify.push_desk import Browser, PushKey, decoded
from ingest.notify.reach import Lookup, looked_up, reach
from ingest.notify_settings import Notify, WebPushSettings
from ingest.refusal import Clash, NotAllowed, NotThere, NotUsable
from ingest.services.links import viewer_of
from ingest.store.engine import insert, reading, writing
from ingest.store.push import push_browser
from ingest.store.registry import person
from linli.errors import InputError

MOST_PHONES = 5
"""Of one person; the oldest goes when another is added."""
_ROW = push_browser.c


class PhoneView(msgspec.Struct, frozen=True, kw_only=True):
    """One phone that hears; `service` is who carries messages to it. Its address is a secret."""

    id: int
    owner: str
    service: str
    added: datetime


class PhoneList(msgspec.Struct, frozen=True, kw_only=True):
    """Phones that hear, newest first; `next` is the cursor of what follows."""

    items: tuple[PhoneView, ...]
    next: int | None = None


class KeptBrowsers:
    """The phones in the store."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer

    def of(self, owner: str) -> list[Browser]:
        """Return those of an owner. Raises StoreError."""
        query = push_browser.select().where(_ROW.owner == owner).order_by(_ROW.id)
        with reading(self._reader) as connection:
            return [
                Browser(endpoint=row.endpoint, p256dh=decoded(row.p256dh), auth=decoded(row.auth))
                for row in connection.execute(query)
            ]

    def forget(self, endpoint: str) -> None:
        """Forget one. Raises StoreError."""
        with writing(self._writer) as connection:
            connection.execute(push_browser.delete().where(_ROW.endpoint == endpoint))


class PushService:
    """Adds phones of persons; `key` is what browsers bind themselves to."""

    def __init__(
        self,
        settings: Notify,
        reader: sa.Engine,
        writer: sa.Engine,
        key: PushKey,
        *,
        lookup: Lookup = looked_up,
    ) -> None:
        self._settings = settings
        self._networks = settings.allow_networks
        self._reader = reader
        self._writer = writer
        self._key = key
        self._lookup = lookup

    def _on(self) -> bool:
        with reading(self._reader) as connection:
            known = whole(connection, self._settings).channels
        return any(isinstance(one, WebPushSettings) for one in known)

    def person_of(self, viewer: Viewer) -> Viewer:
        """Return the person behind an account, as a link to them would; else the viewer itself."""
        if viewer.kind != "user":
            return viewer
        query = sa.select(person.c.person).where(
            person.c.account == viewer.name, person.c.retired_at.is_(None)
        )
        with reading(self._reader) as connection:
            found = connection.scalar(query)
        return viewer if found is None else viewer_of(f"person:{found}")

    def key_for(self, viewer: Viewer) -> str | None:
        """Return our public key for a person's phone, None where none can be added."""
        if viewer.kind != "person" or not self._on():
            return None
        from ingest.notify.push_seal import public_of  # noqa: PLC0415 - for its cipher

        return public_of(self._key())

    def add(self, viewer: Viewer, endpoint: str, p256dh: str, auth: str, now: datetime) -> None:
        """Let a phone hear what its person is told; adding it again changes nothing.

        Raises Clash where there is no web push, NotAllowed for a team's link, which many hold, and
        NotUsable for keys that are none and for an address that may not be called.
        """
        if not self._on():
            raise Clash("web push is off", hint="Add a channel of type web-push")
        if viewer.kind != "person":
            raise NotAllowed("only a person's own link adds a phone")
        from ingest.notify.push_seal import browser_of  # noqa: PLC0415 - for its cipher

        try:
            browser_of(endpoint, p256dh, auth)
        except ValueError as error:
            raise NotUsable(str(error), where="keys") from None
        self._judge(endpoint)
        owner = viewer.account
        row = {"owner": owner, "endpoint": endpoint, "p256dh": p256dh, "auth": auth, "added": now}
        statement = insert(push_browser).values(row)
        older = (
            sa.select(_ROW.id)
            .where(_ROW.owner == owner)
            .order_by(_ROW.id.desc())
            .offset(MOST_PHONES)
            .limit(1000)
        )
        with writing(self._writer) as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["endpoint"], set_=row)
            )
            gone = connection.scalars(older).all()
            connection.execute(push_browser.delete().where(_ROW.id.in_(gone)))

    def list(self, viewer: Viewer, *, before: int | None = None, limit: int = 100) -> PhoneList:
        """Return phones that hear, newest first. Raises NotAllowed."""
        viewer.require("administer")
        query = push_browser.select().order_by(_ROW.id.desc()).limit(limit + 1)
        if before is not None:
            query = query.where(_ROW.id < before)
        with reading(self._reader) as connection:
            rows = connection.execute(query).all()
        items = tuple(
            PhoneView(
                id=row.id,
                owner=row.owner,
                service=urlsplit(row.endpoint).hostname or "",
                added=row.added,
            )
            for row in rows[:limit]
        )
        return PhoneList(items=items, next=items[-1].id if len(rows) > limit else None)

    def remove(self, viewer: Viewer, number: int) -> None:
        """Let a phone hear no more. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            done = connection.execute(push_browser.delete().where(_ROW.id == number))
        if not done.rowcount:
            raise NotThere("no such phone")

    def _judge(self, endpoint: str) -> None:
        try:
            reach(endpoint, [ip_network(one) for one in self._networks], self._lookup)
        except InputError as error:
            raise NotUsable(error.what, where="endpoint") from None
        except OSError:
            raise NotUsable("its name is not known here", where="endpoint") from None
