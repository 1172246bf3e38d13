"""One contract for both evidence stores, and what only the disk can get wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from edge.pictures import (
    MAX_DEAD,
    DiskEvidence,
    EvidenceStore,
    MemoryEvidence,
    Picture,
    PictureLimits,
)
from edge.sealing import OpenSeal
from linli.errors import InputError, StoreError
from linli.ids import uuid7

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
JPEG = b"\xff\xd8 not really \xff\xd9"
Make = Callable[..., EvidenceStore]


def picture(number: int = 0, jpeg: bytes = JPEG, days: int = 30) -> Picture:
    moment = START + timedelta(seconds=number)
    return Picture(
        id=uuid7(moment),
        sha256=hashlib.sha256(jpeg).hexdigest(),
        bytes=len(jpeg),
        redaction="heads",
        expires=moment + timedelta(days=days),
        device="cam",
        episode=uuid7(moment),
    )


@pytest.fixture(params=["disk", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:

        def made(limits: PictureLimits | None = None) -> EvidenceStore:
            if request.param == "memory":
                return MemoryEvidence(limits)
            return stack.enter_context(DiskEvidence(tmp_path / "evidence", OpenSeal(), limits))

        yield made


def test_keeps_pictures_oldest_first_until_removed(make: Make) -> None:
    store = make()
    pictures = [picture(number) for number in range(3)]
    for one in pictures:
        store.put(one, JPEG)
    assert store.waiting() == tuple(pictures)
    assert store.read(pictures[1].id) == JPEG
    store.remove(pictures[1].id)
    store.remove(pictures[1].id)
    assert store.waiting() == (pictures[0], pictures[2])
    assert store.read(pictures[1].id) is None
    assert (store.counts.stored, store.counts.removed) == (3, 1)


def test_same_picture_twice_is_one(make: Make) -> None:
    store = make()
    one = picture()
    store.put(one, JPEG)
    store.put(one, JPEG)
    assert store.waiting() == (one,)


@pytest.mark.parametrize("limits", [PictureLimits(count=2), PictureLimits(bytes=2 * len(JPEG) + 1)])
def test_full_store_drops_the_oldest_and_counts(make: Make, limits: PictureLimits) -> None:
    store = make(limits)
    pictures = [picture(number) for number in range(5)]
    for one in pictures:
        store.put(one, JPEG)
    assert store.waiting() == tuple(pictures[3:])
    assert store.counts.evicted == 3
    assert store.read(pictures[0].id) is None


def test_pictures_of_trials_make_room_first(make: Make) -> None:
    store = make(PictureLimits(count=3))
    trial = msgspec.structs.replace(picture(1), episode=None, trial="loitering/door")
    pictures = [picture(0), trial, picture(2), picture(3), picture(4)]
    for one in pictures:
        store.put(one, JPEG)
    assert store.waiting() == tuple(pictures[2:]), "the trial first, then the oldest"


def test_picture_larger_than_the_store_is_counted_not_kept(make: Make) -> None:
    store = make(PictureLimits(bytes=len(JPEG) - 1))
    store.put(picture(), JPEG)
    assert (store.waiting(), store.counts.evicted) == ((), 1)


def test_buried_picture_is_not_sent_again(make: Make) -> None:
    store = make()
    one = picture()
    store.put(one, JPEG)
    store.bury(one.id, "409")
    store.bury(one.id, "409")
    assert (store.waiting(), store.read(one.id), store.counts.dead) == ((), None, 1)


def test_expired_picture_is_dropped(make: Make) -> None:
    store = make()
    short, long = picture(0, days=1), picture(1)
    store.put(short, JPEG)
    store.put(long, JPEG)
    store.expire(START + timedelta(days=1))
    assert (store.waiting(), store.counts.expired) == ((long,), 1)
    assert store.read(short.id) is None


def test_disk_keeps_what_waits_over_a_restart(tmp_path: Path) -> None:
    pictures = [picture(number) for number in range(3)]
    with DiskEvidence(tmp_path, OpenSeal()) as store:
        for one in reversed(pictures):
            store.put(one, JPEG)
    with DiskEvidence(tmp_path, OpenSeal(), PictureLimits(count=3)) as store:
        assert store.waiting() == tuple(pictures)
        assert store.read(pictures[0].id) == JPEG
        store.put(picture(9), JPEG)
        assert store.counts.evicted == 1
    files = [file for file in tmp_path.iterdir() if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files) == 6


def test_disk_clears_what_is_half_or_damaged(tmp_path: Path) -> None:
    whole, damaged = picture(0), picture(1)
    with DiskEvidence(tmp_path, OpenSeal()) as store:
        store.put(whole, JPEG)
        store.put(damaged, JPEG)
    (tmp_path / f"{damaged.id}.json").write_text("{")
    (tmp_path / f"{picture(2).id}.sealed").write_bytes(JPEG)
    (tmp_path / f"{picture(3).id}.jpg.half").write_bytes(JPEG)
    (tmp_path / f"{picture(4).id}.json").write_text("{}")
    with DiskEvidence(tmp_path, OpenSeal()) as store:
        assert store.waiting() == (whole,)
    assert {file.name for file in tmp_path.iterdir()} == {
        "dead",
        f"{whole.id}.sealed",
        f"{whole.id}.json",
    }


def test_dead_pictures_are_bounded_and_go_after_a_week(tmp_path: Path) -> None:
    with DiskEvidence(tmp_path, OpenSeal()) as store:
        for number in range(MAX_DEAD + 5):
            one = picture(number)
            store.put(one, JPEG)
            store.bury(one.id, "400")
        now = datetime.now(UTC)
        store.expire(now)
        dead = sorted((tmp_path / "dead").iterdir())
        assert len(dead) == MAX_DEAD
        week = (now - timedelta(days=7, seconds=1)).timestamp()
        os.utime(dead[0], (week, week))
        store.expire(now)
        assert sorted((tmp_path / "dead").iterdir()) == dead[1:]


def test_unusable_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(InputError, match="pictures cannot be kept"),
        DiskEvidence(tmp_path / "file" / "x", OpenSeal()),
    ):
        pass


def test_disk_that_refuses_is_a_store_error(tmp_path: Path) -> None:
    with DiskEvidence(tmp_path / "evidence", OpenSeal()) as store:
        one = picture()
        (tmp_path / "evidence" / f"{one.id}.json").mkdir()
        with pytest.raises(StoreError, match="picture cannot be kept"):
            store.put(one, JPEG)
        assert store.waiting() == ()
