"""What a thief of the box finds of pictures that wait: nothing that can be opened."""

from __future__ import annotations

import errno
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge import pictures
from edge.messages import Address
from edge.pictures import MAX_UNSEALED, DiskEvidence, Picture
from edge.sealing import FILE, IngestSeal, surely
from linli import seal
from linli.errors import LinkError
from linli.ids import uuid7

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
ADDRESS = Address("c001", "b03", "c001-n01")
JPEG = b"\xff\xd8\xff\xe0 somebody at the door " * 40
PRIVATE = seal.new_key()


def picture(number: int = 0) -> Picture:
    moment = START + timedelta(seconds=number)
    return Picture(
        id=uuid7(moment),
        sha256=hashlib.sha256(JPEG).hexdigest(),
        bytes=len(JPEG),
        redaction="heads",
        expires=moment + timedelta(days=30),
        device="cam",
        episode=uuid7(moment),
    )


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def opened(sealed: bytes | None, one: Picture, private: bytes = PRIVATE) -> bytes:
    assert sealed is not None
    return seal.opened(sealed, private, seal.about("c001", "c001-n01", one.id))


def test_what_lies_on_the_disk_is_opened_by_the_ingest_alone(tmp_path: Path) -> None:
    one, mine = picture(), IngestSeal(tmp_path, ADDRESS, sure=True)
    mine.take(seal.public_of(PRIVATE))
    with DiskEvidence(tmp_path / "pictures", mine) as store:
        store.put(one, JPEG)
        sealed = store.read(one.id)
        assert opened(sealed, one) == JPEG
        found = everything(tmp_path)
        assert JPEG[:12] not in found
        assert b"somebody" not in found
        assert PRIVATE not in found
        for file in (tmp_path / "pictures").glob("*.*"):
            assert file.stat().st_mode & 0o077 == 0
        store.remove(one.id)
        assert not list((tmp_path / "pictures").glob("*.*"))


def test_without_a_key_nothing_is_written_until_there_is_one(tmp_path: Path) -> None:
    mine = IngestSeal(tmp_path, ADDRESS, sure=True)
    some = [picture(number) for number in range(3)]
    with DiskEvidence(tmp_path / "pictures", mine) as store:
        for one in some:
            store.put(one, JPEG)
        assert everything(tmp_path) == b""
        assert store.read(some[0].id) is None
        store.settle()
        assert everything(tmp_path) == b""
        store.bury(some[2].id, "HTTP 400")
        mine.take(seal.public_of(PRIVATE))
        assert opened(store.read(some[0].id), some[0]) == JPEG
        store.settle()
        assert store.waiting() == tuple(some[:2])
    with DiskEvidence(tmp_path / "pictures", IngestSeal(tmp_path, ADDRESS, sure=True)) as store:
        assert store.waiting() == tuple(some[:2])
        assert opened(store.read(some[1].id), some[1]) == JPEG


def test_few_wait_in_memory_and_the_oldest_go(tmp_path: Path) -> None:
    with DiskEvidence(tmp_path / "pictures", IngestSeal(tmp_path, ADDRESS, sure=True)) as store:
        some = [picture(number) for number in range(MAX_UNSEALED + 2)]
        for one in some:
            store.put(one, JPEG)
        assert store.waiting() == tuple(some[2:])
        assert store.counts.evicted == 2
        store.expire(START + timedelta(days=31))
        assert store.waiting() == ()
        store.settle()


def test_a_disk_that_is_full_when_the_key_comes_costs_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path), None, str(len(content)))

    mine, one = IngestSeal(tmp_path, ADDRESS, sure=True), picture()
    with DiskEvidence(tmp_path / "pictures", mine) as store:
        store.put(one, JPEG)
        mine.take(seal.public_of(PRIVATE))
        with monkeypatch.context() as disk:
            disk.setattr(pictures, "write_whole", full)
            store.settle()
        assert store.waiting() == (one,)
        assert opened(store.read(one.id), one) == JPEG
        store.settle()
    with DiskEvidence(tmp_path / "pictures", mine) as store:
        assert opened(store.read(one.id), one) == JPEG


def test_the_key_outlives_a_restart_and_a_damaged_one_is_asked_for_again(tmp_path: Path) -> None:
    IngestSeal(tmp_path, ADDRESS, sure=True).take(seal.public_of(PRIVATE))
    one = picture()
    assert opened(IngestSeal(tmp_path, ADDRESS, sure=True).seal(one.id, JPEG), one) == JPEG
    (tmp_path / FILE).write_bytes(b"half")
    assert not IngestSeal(tmp_path, ADDRESS, sure=True).known


@pytest.mark.parametrize(
    "key", [b"", bytes(32), bytes(range(31)), bytes(range(33)), b"\x01" + bytes(31)]
)
def test_what_is_no_key_is_not_taken(tmp_path: Path, key: bytes) -> None:
    mine = IngestSeal(tmp_path, ADDRESS, sure=True)
    with pytest.raises(LinkError):
        mine.take(key)
    assert not mine.known


def test_another_key_seals_what_comes_from_then_on(tmp_path: Path) -> None:
    mine, other, one = IngestSeal(tmp_path, ADDRESS, sure=True), seal.new_key(), picture()
    mine.take(seal.public_of(PRIVATE))
    before = mine.seal(one.id, JPEG)
    mine.take(seal.public_of(other))
    after = mine.seal(one.id, JPEG)
    assert opened(before, one) == opened(after, one, other) == JPEG
    assert seal.key_of(before or b"") == seal.id_of(seal.public_of(PRIVATE))
    assert seal.key_of(after or b"") == seal.id_of(seal.public_of(other))


def test_without_https_the_first_key_stays_and_another_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other, one = seal.public_of(seal.new_key()), picture()
    IngestSeal(tmp_path, ADDRESS, sure=False).take(seal.public_of(PRIVATE))
    mine = IngestSeal(tmp_path, ADDRESS, sure=False)  # as after a restart
    for _ in range(2):
        with pytest.raises(LinkError, match=seal.id_of(other)):
            mine.take(other)
    assert opened(mine.seal(one.id, JPEG), one) == JPEG
    assert (mine.key, mine.strange) == (seal.id_of(seal.public_of(PRIVATE)), seal.id_of(other))
    assert caplog.text.count(seal.id_of(other)) == 1
    mine.take(seal.public_of(PRIVATE))
    assert mine.strange is None
    (tmp_path / FILE).unlink()  # somebody compared the keys
    again = IngestSeal(tmp_path, ADDRESS, sure=False)
    again.take(other)
    assert again.key == seal.id_of(other)


@pytest.mark.parametrize(
    ("url", "sure"),
    [
        ("https://linli.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000/", True),
        ("http://localhost:8000", True),
        ("http://192.0.2.7", False),
        ("http://linli.example", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost@192.0.2.7", False),
    ],
)
def test_who_answers_by_https_or_on_this_box_is_the_ingest(url: str, sure: bool) -> None:
    assert surely(url) is sure


def test_an_older_version_left_pictures_that_are_not_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "dead").mkdir(parents=True)
    for name in (f"{picture().id}.jpg", f"dead/{picture(1).id}.jpg"):
        (folder / name).write_bytes(JPEG)
    with DiskEvidence(folder, IngestSeal(tmp_path, ADDRESS, sure=True)) as store:
        assert everything(tmp_path) == b""
        assert store.waiting() == ()


def test_a_sealed_picture_that_was_changed_or_renamed_is_not_opened() -> None:
    one, other = picture(), picture(1)
    public, info = seal.public_of(PRIVATE), seal.about("c001", "c001-n01", one.id)
    sealed = seal.seal(JPEG, public, info)
    assert len(sealed) == len(JPEG) + seal.OVERHEAD
    assert seal.seal(JPEG, public, info) != sealed
    for bad in (
        sealed[:-1],
        sealed + b"x",
        sealed[:40] + b"x" + sealed[41:],
        sealed[:60],
        b"",
        JPEG,
    ):
        with pytest.raises(ValueError, match="seal"):
            opened(bad, one)
    with pytest.raises(ValueError, match="seal"):
        opened(sealed, other)
    with pytest.raises(ValueError, match="seal"):
        opened(sealed, one, seal.new_key())
