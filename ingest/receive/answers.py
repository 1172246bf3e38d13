"""What the ingest tells a sender: topic and bytes of receipts and rejects. Pure."""

from __future__ import annotations

from functools import lru_cache

from ingest.receive.batch import Refusal, Stream
from linli.codec import encode
from linli.events import Receipt, Reject
from linli.topics import receipt_topic, reject_topic


def receipt(site: str, stream: Stream) -> tuple[str, bytes]:
    """Return what tells a node how much of its stream is kept."""
    positions = stream.positions
    told = Receipt(stream=stream.id, upto=positions.upto, ranges=tuple(positions.ranges))
    return _receipt_address(site, stream.node, stream.id), encode(told)


@lru_cache(maxsize=4096)
def _receipt_address(site: str, node: str, stream: str) -> str:
    return str(receipt_topic(site, node, stream))


def reject(site: str, refusal: Refusal) -> tuple[str, bytes]:
    """Return what tells a node that a message was refused for good, and why."""
    place = refusal.place
    told = Reject(
        code=refusal.code,
        path=refusal.path,
        sha256=refusal.sha256,
        topic=refusal.address[:256],
        id=refusal.event_id,
        stream=place.stream if place else None,
        sequence=f"{place.sequence:020d}" if place else None,
    )
    return str(reject_topic(site, refusal.node, refusal.code)), encode(told)
