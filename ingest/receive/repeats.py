"""What came before: suspects held against what is kept and what was refused, inside the commit."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from ingest.receive.batch import Batch, Original, Refusal
from ingest.receive.check import Place
from ingest.receive.places import catch_up, is_taken
from ingest.store import journal
from linli.codec import sha256

_ASKED_AT_ONCE = 500
_message, _reject = journal.message, journal.reject


class RefusalKey(msgspec.Struct, frozen=True):
    """What makes two refusals the same: they are written and counted once, published each time."""

    node: str
    sha256: str
    stream: str | None
    sequence: int | None


def key_of(node: str, digest: str, place: Place | None) -> RefusalKey:
    """Return under which key a refusal of these bytes is found again."""
    if place is None:
        return RefusalKey(node, digest, None, None)
    return RefusalKey(node, digest, place.stream, place.sequence)


def judge(connection: sa.Connection, batch: Batch, suspects: list[Original]) -> None:
    """Tell what is repeated from another message under the same id or the same sequence.

    What was refused before is refused again. What is not found at all is parked, given up or pruned
    by now: repeated as well.
    """
    kept = _kept_by_id(connection, [one.event_id for one in suspects])
    strangers: list[Original] = []
    for one in suspects:
        found = kept.get((one.event_id, one.source))
        if found is None:
            strangers.append(one)
        elif _same(one, *found):
            batch.repeat(one)
        else:
            batch.conflict(one, "$.id", "kept already with other content")
    refused = refused_before(connection, (one.sha256 for one in strangers))
    if strangers:
        catch_up(connection)
    for one in strangers:
        before = refused.get(key_of(one.topic.node, one.sha256, one.place))
        if before is not None:
            batch.refusals.append(before)
        elif _is_taken(connection, one):
            batch.conflict(one, "$.sequence", "kept already for another message")
        else:
            batch.repeat(one)


def refused_before(connection: sa.Connection, digests: Iterable[str]) -> dict[RefusalKey, Refusal]:
    """Return the refusals written down of these bytes; their payload is not read."""
    wanted = sorted(set(digests))
    found: dict[RefusalKey, Refusal] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[start : start + _ASKED_AT_ONCE]
        for row in connection.execute(sa.select(_reject).where(_reject.c.sha256.in_(some))):
            place = None if row.stream is None else Place(row.stream, row.sequence, 0)
            found[key_of(row.node, row.sha256, place)] = Refusal(
                row.topic,
                row.node,
                row.code,
                row.path,
                row.what,
                row.sha256,
                row.event_id,
                place,
                b"",
            )
    return found


def _same(original: Original, payload: bytes, sent: str | None) -> bool:
    """Tell whether both came as the same bytes."""
    if sent is None and original.sent is None:
        return payload == original.payload
    return (sent or sha256(payload)) == original.sha256


def _is_taken(connection: sa.Connection, one: Original) -> bool:
    if one.place is None:
        return False
    return is_taken(connection, one.topic.node, one.place.stream, one.place.sequence)


def _kept_by_id(
    connection: sa.Connection, event_ids: list[str | None]
) -> dict[tuple[str | None, str], tuple[bytes, str | None]]:
    table = _message.c
    columns = (table.event_id, table.source, table.payload, table.sent_sha256)
    kept: dict[tuple[str | None, str], tuple[bytes, str | None]] = {}
    for start in range(0, len(event_ids), _ASKED_AT_ONCE):
        some = [one for one in event_ids[start : start + _ASKED_AT_ONCE] if one is not None]
        rows = connection.execute(sa.select(*columns).where(table.event_id.in_(some)))
        kept.update(
            {(event_id, source): (payload, sent) for event_id, source, payload, sent in rows}
        )
    return kept
