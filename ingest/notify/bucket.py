"""How fast one channel may speak: a token bucket as a value. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ingest.notify.channel import Pace


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens left at a moment; `rests_until` when the provider asked for silence."""

    tokens: float
    at: datetime
    rests_until: datetime | None = None


def full(pace: Pace, now: datetime) -> Bucket:
    """Return a bucket that nothing was taken from."""
    return Bucket(tokens=float(pace.burst), at=now)


def take(bucket: Bucket, pace: Pace, now: datetime) -> tuple[Bucket, timedelta]:
    """Take one token, or say how long to wait for it; then the bucket is as it was.

    A clock that went backwards adds nothing.
    """
    if bucket.rests_until is not None and now < bucket.rests_until:
        return bucket, bucket.rests_until - now
    passed = max(now - bucket.at, timedelta())
    a_time = pace.most - pace.burst  # what flows in during `per`; the rest may come at once
    tokens = min(bucket.tokens + passed / pace.per * a_time, float(pace.burst))
    if tokens < 1:
        return bucket, pace.per * ((1 - tokens) / a_time)
    return Bucket(tokens=tokens - 1, at=now), timedelta()


def rest(bucket: Bucket, now: datetime, how_long: timedelta) -> Bucket:
    """Return the bucket of a channel that shall be silent for a while."""
    until = max(now + how_long, bucket.rests_until or now)
    return msgspec.structs.replace(bucket, rests_until=until)
