"""Gets lines stored, finds the bad ones among good ones, and never mistakes one for the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ingest.influx.endpoint import Endpoint, Refused, Unavailable


class Refusal(NamedTuple):
    """A line that InfluxDB will not take, with its words; `status` 0 when it was not sent."""

    line: str
    status: int
    words: str


def deliver(endpoint: Endpoint, lines: Sequence[str], canary: str) -> list[Refusal]:
    """Return the lines that are bad; all others are stored.

    A server that refuses even `canary`, a good line, refuses for another reason than the points: a
    wrong bucket, say. Then nothing is put aside. Writing a line again changes nothing, so halves of
    a batch that was stored in part may be sent again. Raises Unavailable: send all of it again.
    """
    if not lines:
        return []
    try:
        endpoint.write("\n".join(lines))
    except Refused as refused:
        _check(endpoint, canary)
        return _isolate(endpoint, lines, refused)
    return []


def _check(endpoint: Endpoint, canary: str) -> None:
    try:
        endpoint.write(canary)
    except Refused as error:
        words = f"refuses every point ({error.status}: {error.what})"
        raise Unavailable(words, person=True) from None


def _isolate(endpoint: Endpoint, lines: Sequence[str], refused: Refused) -> list[Refusal]:
    if len(lines) == 1:
        return [Refusal(lines[0], refused.status, refused.what)]
    middle = len(lines) // 2
    bad: list[Refusal] = []
    for half in (lines[:middle], lines[middle:]):
        try:
            endpoint.write("\n".join(half))
        except Refused as error:
            bad += _isolate(endpoint, half, error)
    return bad
