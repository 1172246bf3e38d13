from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from facts import DEVICE, EVENT_TOPIC, NODE, NOW, STATUS_TOPIC, STREAM, event_bytes, status_bytes
from hypothesis import given
from hypothesis import strategies as st

from ingest.receive.check import Accepted, Parked, Place, Rejected, Standing, check
from ingest.store.engine import to_micros
from ingest.store.journal import FUTURE

RECEIVED = to_micros(NOW)


class Fixed:
    def __init__(self, standing: Standing = "known") -> None:
        self._standing = standing

    def standing(self, site: str, area: str, node: str, device: str) -> Standing:
        return self._standing


KNOWN = Fixed()


def test_a_good_event_is_accepted_with_its_place_and_time() -> None:
    verdict = check(EVENT_TOPIC, event_bytes(7, low=3), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)
    assert verdict.place == Place(STREAM, 7, 3)
    assert (verdict.time, verdict.flags, verdict.unknown_fields) == (RECEIVED, 0, 0)


def test_a_low_above_its_own_sequence_is_not_believed() -> None:
    verdict = check(EVENT_TOPIC, event_bytes(7, low=10**19), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)
    assert verdict.place == Place(STREAM, 7, 7)


def test_the_last_sequence_is_still_one() -> None:
    verdict = check(EVENT_TOPIC, event_bytes(2**53), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)


def test_a_status_has_no_id_and_no_place() -> None:
    verdict = check(STATUS_TOPIC, status_bytes(), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)
    assert (verdict.event_id, verdict.place, verdict.time) == (None, None, RECEIVED)


@pytest.mark.parametrize(
    ("ahead", "indexed", "flags"),
    [
        (timedelta(seconds=60), NOW + timedelta(seconds=60), 0),
        (timedelta(seconds=61), NOW, FUTURE),
        (timedelta(days=-20000), NOW - timedelta(days=20000), 0),
    ],
)
def test_only_a_time_far_ahead_is_indexed_at_received(
    ahead: timedelta, indexed: datetime, flags: int
) -> None:
    verdict = check(EVENT_TOPIC, event_bytes(1, at=NOW + ahead), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)
    assert (verdict.time, verdict.flags) == (to_micros(indexed), flags)


def test_the_registry_decides_last() -> None:
    parked = check(EVENT_TOPIC, event_bytes(4), RECEIVED, Fixed("unknown"))
    assert isinstance(parked, Parked)
    assert parked.place == Place(STREAM, 4, 1)
    moved = check(EVENT_TOPIC, event_bytes(4), RECEIVED, Fixed("moved"))
    assert isinstance(moved, Rejected)
    assert moved.code == "location-mismatch"
    assert moved.place == Place(STREAM, 4, 0)
    bad = check(EVENT_TOPIC, b"{}", RECEIVED, Fixed("unknown"))
    assert isinstance(bad, Rejected)


GOOD = event_bytes(9)
FIRST_DAY = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))
LAST_DAY = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-8)))


def swapped(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("payload", "code", "path", "sequence"),
    [
        (b"", "json", "$", None),
        (b"\xff\xfe garbage", "json", "$", None),
        (b"null", "schema", "$", None),
        (b"[" * 20_000, "json", "$", None),
        (GOOD[:-1], "json", "$", 9),
        (swapped(b'"high"', b'"worst"'), "schema", "$.data.severity", 9),
        (
            swapped(b'"/c001/c001-n01/cam-1"', b'"/c001/c001-n02/cam-1"'),
            "topic-mismatch",
            "$.source",
            9,
        ),
        (swapped(b"/1.0", b"/2.0"), "version", "$.dataschema", 9),
        (swapped(b'"confidence"', b'"face"'), "privacy", "$.data.face", 9),
        (swapped(b"00000000000000000009", b"00000000000000000000"), "schema", "$.sequence", None),
        (swapped(b"00000000000000000009", b"99999999999999999999"), "schema", "$.sequence", None),
        (event_bytes(2**53 + 1), "schema", "$.sequence", None),
        (event_bytes(9, time=FIRST_DAY), "schema", "$.time", 9),
        (event_bytes(9, time=LAST_DAY), "schema", "$.time", 9),
        (GOOD + b" " * 40_000, "size", "$", 9),
    ],
)
def test_what_is_wrong_is_named_and_its_place_recovered(
    payload: bytes, code: str, path: str, sequence: int | None
) -> None:
    verdict = check(EVENT_TOPIC, payload, RECEIVED, KNOWN)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.path, verdict.node) == (code, path, NODE)
    assert (verdict.place.sequence if verdict.place else None) == sequence


@pytest.mark.parametrize(
    ("address", "node"),
    [
        (f"linli/v1/c001/b03/{NODE}/Cam/event/x", NODE),
        (f"linli/v1/c001/b03/+bad/{DEVICE}/event/x", ""),
        ("other", ""),
        ("linli/v1/c001/b03/c001-n01/cam-1/event/" + "x" * 60_000, NODE),
    ],
)
def test_an_address_outside_the_grammar_is_refused(address: str, node: str) -> None:
    verdict = check(address, event_bytes(1), RECEIVED, KNOWN)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.node) == ("topic-mismatch", node)
    assert len(verdict.what) <= 512


@given(st.binary(max_size=200) | st.integers(0, len(GOOD)).map(lambda n: GOOD[:n] + GOOD[n + 1 :]))
def test_no_bytes_make_it_fail(payload: bytes) -> None:
    verdict = check(EVENT_TOPIC, payload, RECEIVED, KNOWN)
    if isinstance(verdict, Rejected):
        assert re.fullmatch(r"[a-z-]+", verdict.code)


def test_utc_is_what_counts() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    verdict = check(EVENT_TOPIC, event_bytes(1, at=shanghai), RECEIVED, KNOWN)
    assert isinstance(verdict, Accepted)
    assert verdict.time == to_micros(NOW.astimezone(UTC))
