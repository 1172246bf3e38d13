"""What one commit will write: verdicts gathered in memory, nothing touched until it succeeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from ingest.receive.check import Accepted, Parked, Place, Rejected, Verdict, no_room
from ingest.receive.room import Room
from ingest.receive.streams import Positions
from ingest.store.journal import FUTURE, REPLAYED
from linli.codec import sha256
from linli.events import RejectCode
from linli.topics import Topic

QUARANTINED_BYTES = 64 * 1024
StreamKey = tuple[str, str]
Row = tuple[object, ...]
ParkedRow = dict[str, object]


@dataclass(slots=True)
class Stream:
    """One lane of one node's spool, as far as it has arrived."""

    node: str
    id: str
    positions: Positions = field(default_factory=Positions)
    low: int = 0
    evicted: int = 0
    duplicates: int = 0

    def copy(self) -> Stream:
        """Return an independent copy, for changes that may be rolled back."""
        return Stream(
            self.node, self.id, self.positions.copy(), self.low, self.evicted, self.duplicates
        )


class Original(msgspec.Struct, frozen=True):
    """An accepted message with its bytes, compared when its id turns out to be kept already.

    `payload` is what to keep; `sent` names the bytes that came when fields were stripped of them.
    """

    topic: Topic
    source: str
    event_id: str | None
    place: Place | None
    payload: bytes
    sent: str | None = None

    @property
    def sha256(self) -> str:
        """The hash of the bytes as they were sent."""
        return self.sent or sha256(self.payload)


class Refusal(msgspec.Struct, frozen=True):
    """A reject to write down and to publish; `payload` is what goes to quarantine."""

    address: str
    node: str
    code: RejectCode
    path: str
    what: str
    sha256: str
    event_id: str | None
    place: Place | None
    payload: bytes


@dataclass(slots=True)
class Batch:
    """Rows in the order of their arrival; `received` in microseconds is that of what is taken next.

    `rows` follow the columns of `message` without its id, `originals` stand beside them. `suspects`
    are repeated by their sequence and must be held against what is kept. A batch is committed once:
    after a StoreError make a new one.
    """

    received: int
    load_stream: Callable[[str, str], Stream]
    load_document: Callable[[str], str | None]
    load_room: Callable[[], Room]
    rows: list[Row] = field(default_factory=list)
    originals: list[Original] = field(default_factory=list)
    suspects: list[Original] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    parked: list[ParkedRow] = field(default_factory=list)
    parked_documents: dict[str, ParkedRow] = field(default_factory=dict)
    room: Room | None = None
    streams: dict[StreamKey, Stream] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, address: str, payload: bytes, verdict: Verdict) -> None:
        """Note one message with its verdict."""
        if isinstance(verdict, Accepted):
            self._keep(address, payload, verdict)
        elif isinstance(verdict, Parked):
            self._park(address, payload, verdict)
        else:
            self._refuse(address, payload, verdict)

    def replay(
        self, address: str, payload: bytes, digest: str, verdict: Verdict, received: int
    ) -> None:
        """Note a parked message whose device is known by now; its stream has counted it before.

        `digest` is the sha256 of the bytes as they were sent.
        """
        if isinstance(verdict, Accepted):
            if verdict.place is None and not self._is_news(address, digest):
                return
            sent = None if sha256(payload) == digest else digest
            flags = verdict.flags | REPLAYED
            self._add(_original(verdict, payload, sent), verdict.time, flags, received)
        elif isinstance(verdict, Rejected):
            self.take(address, payload, verdict)

    def repeat(self, original: Original) -> None:
        """Count an accepted message that is kept already with the same bytes."""
        self.counts["duplicates"] += 1
        if original.place is not None:
            self._stream(original.topic.node, original.place.stream).duplicates += 1

    def conflict(self, original: Original, path: str, what: str) -> None:
        """Refuse an accepted message in whose stead another is kept already."""
        self.refusals.append(
            Refusal(
                str(original.topic),
                original.topic.node,
                "conflict",
                path,
                what,
                original.sha256,
                original.event_id,
                original.place,
                original.payload,
            )
        )

    def _keep(self, address: str, payload: bytes, verdict: Accepted) -> None:
        place, sent = verdict.place, None
        if place is None and not self._is_news(address, sha256(payload)):
            return
        if verdict.stripped is not None:
            sent = sha256(payload)
        original = _original(verdict, verdict.stripped or payload, sent)
        if place is not None and not self._advance(verdict.topic.node, place):
            self.suspects.append(original)
            return
        if verdict.unknown_fields:
            self.counts["unknown_fields"] += verdict.unknown_fields
        self._add(original, verdict.time, verdict.flags, self.received)

    def _add(self, original: Original, time: int, flags: int, received: int) -> None:
        topic, place = original.topic, original.place
        if flags & FUTURE:
            self.counts["future"] += 1
        self.originals.append(original)
        self.rows.append(
            (
                received,
                topic.site,
                topic.area,
                topic.node,
                topic.device,
                topic.kind,
                topic.name,
                original.source,
                original.event_id,
                None if place is None else place.stream,
                None if place is None else place.sequence,
                time,
                flags,
                original.payload,
                original.sent,
            )
        )

    def _is_news(self, address: str, digest: str) -> bool:
        """Tell whether a document differs from the last one kept; retained ones come again."""
        before = self.documents.get(address) or self.load_document(address)
        if before == digest:
            return False
        self.documents[address] = digest
        return True

    def _park(self, address: str, payload: bytes, verdict: Parked) -> None:
        topic, place = verdict.topic, verdict.place
        digest, kept = sha256(payload), verdict.stripped or payload
        if place is not None and not self._advance(topic.node, place):
            self.suspects.append(
                Original(topic, topic.source, verdict.event_id, place, kept, digest)
            )
            return
        if self.room is None:
            self.room = self.load_room()
        if not self.room.take((topic.node, topic.device), len(kept), fact=place is not None):
            self._refuse(address, payload, no_room(verdict))
            return
        self.counts["parked"] += 1
        self.counts["unknown_fields"] += verdict.unknown_fields
        row: ParkedRow = {
            "received": self.received,
            "topic": address,
            "area": topic.area,
            "node": topic.node,
            "device": topic.device,
            "sequence": None if place is None else place.sequence,
            "sha256": digest,
            "size": len(kept),
            "payload": kept,
        }
        if place is None:
            self.parked_documents[address] = row
        else:
            self.parked.append(row)

    def _refuse(self, address: str, payload: bytes, verdict: Rejected) -> None:
        if verdict.place is not None and verdict.node:
            self._advance(verdict.node, verdict.place)
        self.refusals.append(
            Refusal(
                address,
                verdict.node,
                verdict.code,
                verdict.path,
                verdict.what,
                sha256(payload),
                verdict.event_id,
                verdict.place,
                payload[:QUARANTINED_BYTES],
            )
        )

    def _advance(self, node: str, place: Place) -> bool:
        """Move a stream; tell whether the sequence is new."""
        stream = self._stream(node, place.stream)
        new = stream.positions.add(place.sequence)
        if place.low > stream.low:
            stream.low = place.low
            evicted = stream.positions.apply_low(place.low)
            if evicted:
                stream.evicted += evicted
                self.counts["evicted"] += evicted
        return new

    def _stream(self, node: str, stream_id: str) -> Stream:
        key = (node, stream_id)
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = self.load_stream(node, stream_id).copy()
        return stream


def _original(verdict: Accepted, payload: bytes, sent: str | None) -> Original:
    return Original(verdict.topic, verdict.source, verdict.event_id, verdict.place, payload, sent)
