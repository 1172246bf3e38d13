"""Boxes that join: codes for administrators; identity, certificate or password for the boxes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.audit.sparingly import Sparingly
from ingest.broker_settings import Broker
from ingest.door import book as door
from ingest.door.book import Sight
from ingest.joining import book
from ingest.joining.book import JoinCode, Task
from ingest.refusal import Clash, Gone, NotThere, NotUsable
from ingest.registry import add_node, new_key
from ingest.registry import book as registry
from ingest.registry.nodes import end_key
from ingest.registry.records import Edge, area_of
from ingest.services.access import NewSecret
from ingest.store.engine import reading, writing
from linli.broker.passwords import is_digest
from linli.broker.server import TLS_FOLDER
from linli.errors import InputError
from linli.topics import is_id

LONGEST_HOURS = 168
MOST_A_DAY = 5
"""Certificates or passwords that one box may ask for in a day: it needs one in years."""
_LABEL = 64


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Who a box is now and where its broker is.

    `host` null is the host of this very address. `access` says how it proves itself there;
    `ca` is the authority's certificate in PEM, null when the broker has none.
    """

    site: str
    area: str
    node: str
    label: str
    access: Literal["certificates", "passwords"]
    host: str | None
    port: int
    ca: str | None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate that a box asked for, in PEM; null until the broker's keeper has signed it.

    `refused` says why it never will be.
    """

    certificate: str | None
    until: datetime | None
    refused: str | None


class BrokerPassword(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a box's password at the broker.

    `done` is when the broker took its digest, null before; `refused` says why it never will.
    """

    done: datetime | None
    refused: str | None


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A box that joined, or was shut out: what was asked for it last, and whether it is done."""

    node: str
    label: str
    kind: Literal["issue", "revoke"]
    asked: datetime
    done: datetime | None
    until: datetime | None
    refused: str | None


class JoinList(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that can be used, the newest first; `next` is always null."""

    items: tuple[JoinCode, ...]
    next: str | None = None


class BoxList(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes that joined, by name; `next` is always null."""

    items: tuple[Box, ...]
    next: str | None = None


SHOWN: tuple[type, ...] = (
    *(Sight, JoinList, JoinCode, BoxList, Box),
    *(Joined, Certificate, BrokerPassword),
)
"""What the API answers with."""


class JoiningService:
    """Lets boxes in by codes, and asks the broker's keeper for what they need there."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, broker: Broker, site: str) -> None:
        self._reader = reader
        self._writer = writer
        self._broker = broker
        self._site = site
        self._refusals = Sparingly()

    def codes(self, viewer: Viewer, now: datetime) -> tuple[JoinCode, ...]:
        """Return codes that can be used, the newest first. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return book.waiting(connection, now)

    def boxes(self, viewer: Viewer) -> tuple[Box, ...]:
        """Return boxes that joined or were shut out, by name. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            found = book.newest(connection)
            every = registry.some(connection, "edge", retired=True) if found else []
        called = {one.id: one.label for one in every}
        return tuple(_box(one, called.get(one.node, one.node)) for one in found)

    def broker(self, viewer: Viewer, now: datetime) -> Sight:
        """Return what is known of the broker: who was not let in. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return door.sight(connection, now)

    def invite(
        self,
        viewer: Viewer,
        node: str,
        now: datetime,
        *,
        area: str | None = None,
        label: str | None = None,
        hours: int = 24,
    ) -> NewSecret:
        """Make a code for a new box, or for one that takes the place of a registered one.

        The second keeps id and history: when the code is used, the old box is shut out. Raises
        NotAllowed, NotUsable.
        """
        viewer.require("administer")
        if not 1 <= hours <= LONGEST_HOURS:
            raise NotUsable(f"1 to {LONGEST_HOURS} hours", where="hours")
        with writing(self._writer) as connection:
            area, label = _place(connection, node, area, label)
            made, code = book.add(
                connection,
                node=node,
                area=area,
                label=label,
                actor=viewer.actor,
                now=now,
                lasts=timedelta(hours=hours),
            )
            audit.note(connection, now, viewer.actor, "join-code-made", node, hours=hours)
        return NewSecret(id=made.id, secret=code)

    def withdraw(self, viewer: Viewer, code: str, now: datetime) -> None:
        """End a code by its id. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            gone = book.remove(connection, code)
            if gone is None:
                raise NotThere("no such code")
            audit.note(connection, now, viewer.actor, "join-code-ended", gone.node)

    def shut_out(self, viewer: Viewer, node: str, now: datetime) -> None:
        """End a box's key, certificates and password; another code lets it in again.

        Raises NotAllowed, NotThere.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            if not isinstance(registry.one(connection, "edge", node), Edge):
                raise NotThere("no such edge")
            end_key(connection, node)
            book.ask(connection, node, "revoke", now)
            audit.note(connection, now, viewer.actor, "edge-shut-out", node)

    def join(self, code: str, key: str, address: str, now: datetime) -> Joined:
        """Let in whoever brings a code; `key` is the one it will be known by from now on.

        Raises Gone for every code that cannot be used, and after ten wrong ones from an address.
        """
        with writing(self._writer) as connection:
            allowed = book.may_try(connection, address, now)
            found = book.find(connection, code, key, now) if allowed else None
            if found is not None:
                self._admit(connection, found, key, now)
                book.welcome(connection, address)
            elif self._refusals.admit(address, now):
                audit.note(connection, now, "nobody:", "join-refused", address)
        if found is None:
            raise Gone(
                "this code was used, has ended, or is none; or there were too many wrong tries",
                hint="Have a new one made",
            )
        return Joined(
            site=self._site,
            area=found.area,
            node=found.node,
            label=found.label,
            access=self._broker.access,
            host=None if self._broker.public is None else self._broker.public,
            port=self._broker.port,
            ca=self._ca(),
        )

    def certificate(self, node: str, request: str, now: datetime) -> Certificate:
        """Return the certificate of a request of this box, once it is signed.

        The first time asks for it, each further time looks. Raises NotUsable, Clash.
        """
        # Its cipher library is for those few moments, not for years of memory.
        from linli.broker.requests import fingerprint, public_key_of  # noqa: PLC0415

        try:
            public = fingerprint(public_key_of(request))
        except InputError as error:
            raise NotUsable(error.what, where="request") from None
        task = self._asked(node, public, request, "certificate-asked", now)
        return Certificate(certificate=task.certificate, until=task.until, refused=task.refused)

    def password(self, node: str, digest: str, now: datetime) -> BrokerPassword:
        """Return whether the broker knows this box by the password of a digest.

        The first time asks for it, each further time looks. Raises NotUsable, Clash.
        """
        if not is_digest(digest):
            raise NotUsable(
                "no digest of a password as mosquitto keeps it: $7$, 101 to 10000 rounds",
                where="digest",
            )
        public = hashlib.sha256(digest.encode()).hexdigest()
        task = self._asked(node, public, digest, "broker-password-asked", now)
        return BrokerPassword(done=task.done, refused=task.refused)

    def _asked(self, node: str, public: str, request: str, act: str, now: datetime) -> Task:
        """Return the task of a request, which is made the first time. Raises Clash."""
        with writing(self._writer) as connection:
            known = book.tasks_of(connection, node)
            mine = [one for one in known if one.public == public]
            revoked = max((one.id for one in known if one.kind == "revoke"), default=0)
            if mine and mine[-1].id < revoked:
                raise Clash("this key or password was revoked", hint="Make another one")
            if mine:
                return mine[-1]
            day = [one for one in known if one.asked > now - timedelta(days=1)]
            if len([one for one in day if one.kind == "issue"]) >= MOST_A_DAY:
                raise Clash("too many certificates or passwords for this box today")
            audit.note(connection, now, f"edge:{node}", act, node)
            return book.ask(connection, node, "issue", now, public=public, request=request)

    def _admit(self, connection: sa.Connection, found: JoinCode, key: str, now: datetime) -> None:
        if found.used is not None:
            return  # it was let in, and did not hear it
        book.use(connection, found, key, now)
        known = registry.one(connection, "edge", found.node)
        actor = f"edge:{found.node}"
        if known is None:
            add_node(
                connection,
                site=self._site,
                area=found.area,
                name=found.node,
                label=found.label,
                key=key,
                actor=actor,
                now=now,
            )
        else:
            new_key(connection, found.node, key)
            book.ask(connection, found.node, "revoke", now)
        audit.note(connection, now, actor, "edge-joined", found.node, instead=known is not None)

    def _ca(self) -> str | None:
        path = Path(self._broker.folder) / TLS_FOLDER / "ca.crt"
        try:
            return path.read_text(encoding="ascii") if self._broker.tls else None
        except (OSError, UnicodeDecodeError):
            return None


def _place(
    connection: sa.Connection, node: str, area: str | None, label: str | None
) -> tuple[str, str]:
    """Return where a box is to be and what it is called. Raises NotUsable."""
    known = registry.one(connection, "edge", node)
    if isinstance(known, Edge):
        if known.retired:
            raise NotUsable("it is retired; bring it back in the registry first", where="node")
        there = area_of(known.place)
        if area not in {None, there}:
            raise NotUsable(f"it is registered in {there}", where="area")
        return there or "", known.label
    if node.startswith("svc-"):
        raise NotUsable("our own services are called so", where="node")
    for where, value in (("node", node), ("area", area or "")):
        if not is_id(value):
            raise NotUsable("lower-case letters, digits and inner hyphens, at most 32", where=where)
    text = (label or node).strip()
    if not 0 < len(text) <= _LABEL or not text.isprintable():
        raise NotUsable(f"1 to {_LABEL} characters", where="label")
    return area or "", text


def _box(task: Task, label: str) -> Box:
    return Box(
        node=task.node,
        label=label,
        kind=task.kind,
        asked=task.asked,
        done=task.done,
        until=task.until,
        refused=task.refused,
    )
