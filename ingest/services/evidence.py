"""Pictures: nodes hand them in; people get a short signed address, and each look is written."""

from __future__ import annotations

import hashlib
import hmac
import threading
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa

from ingest import registry
from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.evidence import address, book, keys
from ingest.evidence.book import Arrival
from ingest.evidence.picture import clean, photo
from ingest.evidence.retention import HoldStep, Keep, Wish, next_step, protects, standing
from ingest.evidence.shelf import EvidenceStore
from ingest.feed import Feed
from ingest.refusal import Clash, Gone, NotThere, NotUsable, SignInNeeded
from ingest.services.views import EvidenceRecord, PictureLook, TrialPicture
from ingest.store.engine import reading, writing
from linli import seal
from linli.clock import clamped
from linli.ids import uuid7

Purpose = Literal["incident", "api", "teaching", "trial"]
PATH = "/api/v1/evidence/"
MOST_TRIALS = 20
TRIAL = timedelta(days=7)
"""So many pictures of one scenario's trial are kept, and so long: nobody was alarmed by them."""
DECODED_AT_ONCE = 2
"""After an outage many edges hand in at once, and a decoded picture takes up to 72 MB."""


class EvidenceService:
    """Takes pictures in, gives them out, and remembers each look."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        store: EvidenceStore,
        feed: Feed,
        *,
        keep: Keep,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._feed = feed
        self._keep = keep
        self._secret: bytes | None = None
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(DECODED_AT_ONCE)

    def check_node(self, site: str, node: str, key: str) -> None:
        """Raise SignInNeeded unless it is the key of this registered node."""
        with reading(self._reader) as connection:
            if not registry.key_fits(connection, site, node, key):
                raise SignInNeeded("the node or its key is wrong")

    def key(self) -> bytes:
        """Return the public key that edges are to seal pictures with, made at the first call."""
        with reading(self._reader) as connection:
            found = keys.newest(connection)
        if found is None:
            with writing(self._writer) as connection:
                found = keys.newest(connection) or keys.make(connection)
        return found

    def take_sealed(self, arrival: Arrival, sealed: bytes, now: datetime) -> bool:
        """Open a picture that was sealed for us, and keep it as `take` does.

        Raises as `take`, and NotUsable when it cannot be opened.
        """
        _check_digest(arrival, sealed)
        try:
            with reading(self._reader) as connection:
                private = keys.private(connection, seal.key_of(sealed))
            if private is None:
                raise NotUsable("sealed for a key that is not ours")
            about = seal.about(arrival.site, arrival.node, arrival.id)
            data = seal.opened(sealed, private, about)
        except ValueError as error:
            raise NotUsable(f"cannot be opened: {error}") from None
        sent = hashlib.sha256(data).hexdigest()
        return self.take(msgspec.structs.replace(arrival, sent_sha256=sent), data, now)

    def take(self, arrival: Arrival, data: bytes, now: datetime) -> bool:
        """Keep a picture of a checked node; tell whether it is new.

        The same bytes again are fine. Raises NotUsable, TooMuch, WrongKind, StoreError, and Clash
        when other bytes were handed in under this id.
        """
        _check_digest(arrival, data)
        if self._known(arrival):
            return False
        with self._decoding:
            picture = clean(data)
        kept = {
            "received": now,
            "expires": min(clamped(arrival.expires), now + self._longest(arrival)),
            "sha256": hashlib.sha256(picture.data).hexdigest(),
            "bytes": len(picture.data),
            "width": picture.width,
            "height": picture.height,
        }
        with self._lock:  # two of one id at once: the second must not overwrite the first
            if self._known(arrival):
                return False
            self._store.put(arrival.id, picture.data)
            with writing(self._writer) as connection:
                book.add(connection, arrival, kept)
                if arrival.trial is not None:
                    where = arrival.node, arrival.device
                    over = book.trials(connection, where, arrival.trial, now)[MOST_TRIALS:]
                    book.end(connection, [one.id for one in over], now)
        self._feed.tell("incidents")
        return True

    def _longest(self, arrival: Arrival) -> timedelta:
        return self._keep.longest if arrival.trial is None else TRIAL

    def trials(
        self, viewer: Viewer, where: tuple[str, str], event: str, zone: str, now: datetime
    ) -> tuple[TrialPicture, ...]:
        """Return the kept pictures of what a scenario on trial would have alarmed, newest first.

        Raises NotAllowed, NotThere.
        """
        viewer.within("look")
        with reading(self._reader) as connection:
            area = book.home(connection, where[0])
            if area is None or not viewer.knows(area):
                raise NotThere("no such camera")
            found = book.trials(connection, where, f"{event}/{zone}", now)
        return tuple(TrialPicture(id=one.id, received=one.received) for one in found)

    def hand_in(self, site: str, data: bytes, now: datetime, *, area: str) -> str:
        """Keep a person's photograph of something in an area; return its id.

        Raises TooMuch, WrongKind, NotUsable.
        """
        with self._decoding:
            picture = photo(data)
        name = uuid7(now)
        kept = {
            "area": area,
            "received": now,
            "expires": now + self._keep.ordinary,
            "sent_sha256": hashlib.sha256(data).hexdigest(),
            "sha256": hashlib.sha256(picture.data).hexdigest(),
            "bytes": len(picture.data),
            "width": picture.width,
            "height": picture.height,
        }
        self._store.put(name, picture.data)
        with writing(self._writer) as connection:
            book.add_by_hand(connection, name, site, kept)
        return name

    def by_hand(self, evidence: str) -> bool:
        """Tell whether this is a photograph that a person handed in, and still kept."""
        with reading(self._reader) as connection:
            row = book.find(connection, evidence)
        return row is not None and row.deleted is None and row.redaction == book.BY_HAND

    def link(
        self, viewer: Viewer, evidence: str, now: datetime, purpose: Purpose = "incident"
    ) -> str:
        """Return a path, without the prefix, that this viewer may open for the next 60 s.

        Raises NotThere when it has not arrived, Gone when its time is over, NotAllowed.
        """
        viewer.within("look")
        self._require_kept(viewer, evidence, now)
        expires = address.expiry(now)
        signature = address.sign(self._key(), evidence, viewer.account, purpose, expires)
        query = urlencode({"expires": expires, "purpose": purpose, "signature": signature})
        return f"{PATH}{evidence}?{query}"

    def open(
        self,
        viewer: Viewer,
        evidence: str,
        *,
        expires: int,
        purpose: str,
        signature: str,
        now: datetime,
    ) -> PictureLook:
        """Return the picture and write down the look.

        Raises NotThere for an address that was not made for this viewer, Gone when the address or
        the picture ended, NotAllowed.
        """
        viewer.within("look")
        right = address.sign(self._key(), evidence, viewer.account, purpose, expires)
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise NotThere("no such picture")
        if not address.still_good(expires, now):
            raise Gone("the address has ended", hint="Ask for a new one")
        return self._looked(viewer, evidence, now, purpose)

    def read(self, viewer: Viewer, evidence: str, now: datetime, purpose: Purpose) -> PictureLook:
        """Return the picture for work on the server, and write down the look.

        Raises NotThere, Gone, NotAllowed.
        """
        viewer.within("look")
        return self._looked(viewer, evidence, now, purpose)

    def _looked(self, viewer: Viewer, evidence: str, now: datetime, purpose: str) -> PictureLook:
        self._require_kept(viewer, evidence, now)
        data = self._store.get(evidence)
        if data is None:
            raise Gone("the picture is no longer kept")
        with writing(self._writer) as connection:
            book.look(connection, evidence, viewer.account, now, purpose)
            audit.note(connection, now, viewer.actor, "looked", evidence, purpose=purpose)
        return PictureLook(data=data)

    def known(self, evidence: Collection[str]) -> dict[str, bool]:
        """Return of those that have arrived whether they are still kept; no look is written."""
        with reading(self._reader) as connection:
            return book.known(connection, evidence)

    def _key(self) -> bytes:
        if self._secret is None:
            with writing(self._writer) as connection:
                self._secret = book.address_secret(connection)
        return self._secret

    def record(self, viewer: Viewer, evidence: str, now: datetime) -> EvidenceRecord:
        """Return what is written about a picture, also when it is gone. Raises NotThere."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            row = book.find(connection, evidence) if _is_uuid(evidence) else None
            if row is None:
                raise NotThere("no such picture, or not yet")
            steps = book.hold_steps(connection, evidence)
            retention = book.retention(connection, evidence)
            return EvidenceRecord(
                id=row.id,
                node=row.node,
                device=row.device,
                redaction=row.redaction,
                received=row.received,
                retention=retention,
                until=min(row.expires, row.received + self._keep.of(retention)),
                deleted=row.deleted,
                hold=standing(steps, now),
                steps=tuple(steps),
                looks=tuple(book.looks(connection, evidence)),
            )

    def hold(
        self, viewer: Viewer, evidence: str, wish: Wish, why: str, now: datetime
    ) -> EvidenceRecord:
        """Ask for a legal hold or its release, or confirm what another person asked for.

        Raises NotThere, Gone, NotAllowed, NotUsable without a reason, and Clash when it changes
        nothing or needs another person.
        """
        viewer.require("administer")
        if not why.strip():
            raise NotUsable("say why", where="why")
        with writing(self._writer) as connection:
            self._require_row(connection, evidence, now)
            steps = book.hold_steps(connection, evidence)
            step = next_step(steps, wish, viewer.account, now)
            said = HoldStep(step=step, account=viewer.account, at=now, why=why.strip())
            book.add_step(connection, evidence, said)
            audit.note(connection, now, viewer.actor, f"evidence-{step}", evidence, why=said.why)
        return self.record(viewer, evidence, now)

    def _require_kept(self, viewer: Viewer, evidence: str, now: datetime) -> None:
        with reading(self._reader) as connection:
            if viewer.areas is not None and not (
                _is_uuid(evidence) and viewer.knows(book.area_of(connection, evidence))
            ):
                raise NotThere("no such picture, or not yet")
            self._require_row(connection, evidence, now)

    def _require_row(self, connection: sa.Connection, evidence: str, now: datetime) -> None:
        row = book.find(connection, evidence) if _is_uuid(evidence) else None
        if row is None:
            raise NotThere("no such picture, or not yet")
        until = row.received + self._keep.of(book.retention(connection, evidence))
        over = min(row.expires, until) <= now
        if row.deleted is None and over:
            over = not protects(book.hold_steps(connection, evidence), now)
        if row.deleted is not None or over:
            raise Gone("the picture is no longer kept")

    def _known(self, arrival: Arrival) -> bool:
        with reading(self._reader) as connection:
            row = book.find(connection, arrival.id)
        if row is None:
            return False
        same = (row.sent_sha256, row.site, row.node) == (
            arrival.sent_sha256,
            arrival.site,
            arrival.node,
        )
        if not same:
            raise Clash("another picture was handed in under this id")
        return True


def _check_digest(arrival: Arrival, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != arrival.sent_sha256:
        raise NotUsable("the digest is not that of the body", where="Content-Digest")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
