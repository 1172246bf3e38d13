from __future__ import annotations

import hashlib
import io
import os
import re
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from handed_in import ONE, arrival, put_headers
from house import (
    ADMIN,
    CAMERA,
    GUEST,
    NODE,
    NODE_KEY,
    NOON,
    STAFF,
    Folder,
    jpeg,
    running,
    sign_in,
)
from PIL import Image

from ingest import registry
from ingest.evidence import address, book
from ingest.evidence.picture import MOST_PIXELS, clean
from ingest.evidence.retention import Keep
from ingest.evidence.shelf import EvidenceStore, FolderStore, MemoryStore
from ingest.evidence.sweep import SweepJob
from ingest.feed import Feed
from ingest.refusal import Clash, Gone, NotAllowed, NotThere, NotUsable, TooMuch, WrongKind
from ingest.services.evidence import MOST_TRIALS, EvidenceService
from ingest.store.engine import reading, writing
from linli.errors import StoreError
from linli.ids import uuid7


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def service(
    folder: Folder, store: EvidenceStore | None = None, feed: Feed | None = None
) -> EvidenceService:
    return EvidenceService(
        folder.reader("state"),
        folder.state,
        store or MemoryStore(),
        feed or Feed(),
        keep=Keep(),
    )


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path: Path) -> EvidenceStore:
    return FolderStore(tmp_path / "pictures") if request.param == "folder" else MemoryStore()


def test_a_store_keeps_replaces_and_forgets(store: EvidenceStore) -> None:
    assert store.get(ONE) is None
    store.put(ONE, b"one")
    store.put(ONE, b"two")
    store.put(uuid7(NOON), b"other")
    assert store.get(ONE) == b"two"
    assert store.lying(int(ONE[-2:], 16), datetime(9999, 1, 1, tzinfo=UTC)) == [ONE]
    assert store.lying(int(ONE[-2:], 16), datetime(2000, 1, 1, tzinfo=UTC)) == []
    store.remove(ONE)
    store.remove(ONE)
    assert store.get(ONE) is None
    for bad in ("../../etc/passwd", "/etc/passwd", "a\0b", ""):
        with pytest.raises(ValueError, match="UUID"):
            store.put(bad, b"x")


def test_files_are_for_their_owner_and_whole(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "pictures")
    store.put(ONE, b"one")
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == tmp_path / "pictures" / "01" / f"{ONE}.jpg"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes(b"not a picture")
    store = FolderStore(tmp_path / "kept")
    store.put(ONE, b"first")
    (file,) = (tmp_path / "kept").rglob("*.jpg")
    file.unlink()
    file.symlink_to(outside)
    with pytest.raises(StoreError):
        store.get(ONE)
    file.with_suffix(".part").symlink_to(outside)
    with pytest.raises(StoreError):
        store.put(ONE, b"second")
    file.with_suffix(".part").unlink()
    store.put(ONE, b"second")
    assert store.get(ONE) == b"second"
    assert outside.read_bytes() == b"not a picture"
    file.unlink()
    file.symlink_to(outside)
    store.remove(ONE)
    assert outside.exists()


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file is in the way")
    with pytest.raises(StoreError, match="pictures"):
        FolderStore(tmp_path / "pictures").put(ONE, b"one")


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    sent = jpeg(exif=exif, comment=b"SECRET-COMMENT", icc_profile=b"SECRET-ICC" * 20)
    sent += b"PK\x03\x04 SECRET-ZIP"
    assert sent.count(b"SECRET") >= 4
    kept = clean(sent)
    assert b"SECRET" not in kept.data
    assert b"Exif" not in kept.data
    assert (kept.width, kept.height) == (64, 48)
    with Image.open(io.BytesIO(kept.data)) as again:
        assert again.format == "JPEG"
        assert again.getpixel((5, 5)) == pytest.approx((90, 120, 30), abs=6)


def header_claims(width: int, height: int) -> bytes:
    """A small JPEG whose header claims to be huge."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def other_format(name: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, name)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", WrongKind),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", WrongKind),
        (other_format("PNG"), WrongKind),
        (other_format("GIF"), WrongKind),
        (jpeg()[:200], NotUsable),
        (jpeg()[:-100], NotUsable),
        (header_claims(4000, MOST_PIXELS // 4000 + 1), TooMuch),
        (header_claims(65_500, 65_500), TooMuch),
        (jpeg() + b"\0" * 2 * 1024 * 1024, TooMuch),
    ],
)
def test_what_is_no_fit_picture_is_refused(data: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        clean(data)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_become_rgb(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "JPEG")
    with Image.open(io.BytesIO(clean(out.getvalue()).data)) as kept:
        assert kept.mode == "RGB"


def test_the_same_again_is_fine_and_another_is_a_clash(folder: Folder) -> None:
    feed, told = Feed(), []
    feed.tell = told.append  # type: ignore[method-assign]
    evidence, data, other = service(folder, feed=feed), jpeg(), jpeg((32, 32))
    assert evidence.take(arrival(data), data, NOON) is True
    assert evidence.take(arrival(data), data, NOON) is False
    assert told == ["incidents"]
    with pytest.raises(Clash):
        evidence.take(arrival(other), other, NOON)
    with pytest.raises(Clash):
        evidence.take(arrival(data, node="c001-n08"), data, NOON)
    with pytest.raises(NotUsable, match="Content-Digest"):
        evidence.take(arrival(data, uuid7(NOON), sent_sha256="0" * 64), data, NOON)
    with reading(folder.state) as connection:
        row = book.find(connection, ONE)
    assert row.sent_sha256 == hashlib.sha256(data).hexdigest()
    assert row.sha256 != row.sent_sha256


def test_pictures_of_a_trial_are_few_and_go_soon(folder: Folder) -> None:
    home, data, trial = service(folder), jpeg(), "loitering/door"
    long, made = NOON + timedelta(days=30), []
    for number in range(MOST_TRIALS + 2):
        now = NOON + timedelta(minutes=number)
        made.append(uuid7(now))
        home.take(arrival(data, made[-1], trial=trial, expires=long), data, now)
    home.take(arrival(data, trial="crowding/door"), data, NOON)
    found = home.trials(ADMIN, (NODE, CAMERA), "loitering", "door", now)
    assert [one.id for one in found] == made[:1:-1]
    record = home.record(ADMIN, made[-1], now)
    assert record.until == now + timedelta(days=7)
    with pytest.raises(Gone):
        home.link(ADMIN, made[0], now, "trial")
    assert home.trials(ADMIN, (NODE, CAMERA), "loitering", "door", now + timedelta(days=8)) == ()
    with pytest.raises(NotAllowed):
        home.trials(GUEST, (NODE, CAMERA), "loitering", "door", now)
    elsewhere = msgspec.structs.replace(STAFF, areas=frozenset({"b99"}))
    for viewer, node in ((elsewhere, NODE), (ADMIN, "c001-n99")):
        with pytest.raises(NotThere):
            home.trials(viewer, (node, CAMERA), "loitering", "door", now)


def test_an_address_is_for_one_viewer_and_one_minute(folder: Folder) -> None:
    evidence, data = service(folder), jpeg()
    with pytest.raises(NotThere):
        evidence.link(STAFF, ONE, NOON)
    evidence.take(arrival(data), data, NOON)
    path = evidence.link(STAFF, ONE, NOON)
    found = re.fullmatch(
        rf"/api/v1/evidence/{ONE}\?expires=(\d+)&purpose=incident&signature=([0-9a-f]+)", path
    )
    assert found
    asked = {"expires": int(found[1]), "purpose": "incident", "signature": found[2]}
    assert evidence.open(STAFF, ONE, **asked, now=NOON).media_type == "image/jpeg"
    for seconds, refused in ((60, False), (60.1, True)):
        at = NOON + timedelta(seconds=seconds)
        if refused:
            with pytest.raises(Gone):
                evidence.open(STAFF, ONE, **asked, now=at)
        else:
            evidence.open(STAFF, ONE, **asked, now=at)
    with pytest.raises(NotThere):
        evidence.open(ADMIN, ONE, **asked, now=NOON)
    with pytest.raises(NotAllowed):
        evidence.open(GUEST, ONE, **asked, now=NOON)
    for change in ({"expires": asked["expires"] + 1}, {"purpose": "api"}, {"signature": "0"}):
        with pytest.raises(NotThere):
            evidence.open(STAFF, ONE, **{**asked, **change}, now=NOON)
    with reading(folder.state) as connection:
        looks = book.looks(connection, ONE)
    assert [(look.account, look.at, look.purpose) for look in looks] == [
        ("wang", NOON, "incident"),
        ("wang", NOON + timedelta(seconds=60), "incident"),
    ]


def test_an_address_for_longer_than_a_minute_is_none() -> None:
    assert address.still_good(address.expiry(NOON), NOON)
    assert not address.still_good(address.expiry(NOON) + 1, NOON)
    assert not address.still_good(address.expiry(NOON), NOON + timedelta(seconds=61))


def test_addresses_survive_a_restart(folder: Folder) -> None:
    store, data = MemoryStore(), jpeg()
    first, second = service(folder, store), service(folder, store)
    first.take(arrival(data), data, NOON)
    assert first.link(ADMIN, ONE, NOON) == second.link(ADMIN, ONE, NOON)


def test_expired_pictures_go_and_their_rows_stay(folder: Folder) -> None:
    store = MemoryStore()
    evidence, data = service(folder, store), jpeg()
    later = uuid7(NOON)
    evidence.take(arrival(data), data, NOON)
    evidence.take(arrival(data, later, expires=NOON + timedelta(days=400)), data, NOON)
    sweep = SweepJob(
        folder.reader("state"), folder.state, store, folder.clock, most_bytes=10_000_000
    )
    sweep.step()
    assert store.get(ONE)
    folder.clock.advance(7 * 86_400)
    with pytest.raises(Gone):
        evidence.link(ADMIN, ONE, folder.clock.now())
    sweep.step()
    assert store.get(ONE) is None
    assert evidence.known({ONE, later}) == {ONE: False, later: True}
    folder.clock.advance(23 * 86_400)
    sweep.step()
    assert store.get(later) is None
    with reading(folder.state) as connection:
        assert book.find(connection, ONE).deleted == NOON + timedelta(days=7)
    assert evidence.take(arrival(data), data, NOON) is False


def test_the_oldest_make_room(folder: Folder) -> None:
    store = MemoryStore()
    evidence, data = service(folder, store), jpeg()
    names = [uuid7(NOON) for _ in range(3)]
    for index, name in enumerate(names):
        evidence.take(arrival(data, name), data, NOON + timedelta(seconds=index))
    size = len(clean(data).data)
    SweepJob(folder.reader("state"), folder.state, store, folder.clock, most_bytes=2 * size).step()
    assert [store.get(name) is None for name in names] == [True, False, False]


def test_bytes_that_no_row_speaks_of_go_after_a_while(folder: Folder, tmp_path: Path) -> None:
    store, data = FolderStore(tmp_path / "pictures"), jpeg()
    evidence = service(folder, store)
    kept, orphan, half, fresh = (f"019cae4c-8f63-7a1b-9c2d-00000000{n}05" for n in range(10, 14))
    evidence.take(arrival(data, kept), data, NOON)
    for name in (orphan, fresh):
        store.put(name, data)
    shelf = tmp_path / "pictures" / "05"
    (shelf / f"{half}.part").write_bytes(data[:100])
    (shelf / "README").write_text("somebody else's")
    for path in shelf.iterdir():
        age = 0 if path.stem == fresh else 3601
        when = (NOON - timedelta(seconds=age)).timestamp()
        os.utime(path, (when, when))
    sweep = SweepJob(folder.reader("state"), folder.state, store, folder.clock, most_bytes=10**9)
    for _ in range(5):
        sweep.step()
    assert store.get(orphan), "another part's turn"
    sweep.step()
    assert {path.name for path in shelf.iterdir()} == {f"{kept}.jpg", f"{fresh}.jpg", "README"}


def test_what_is_handed_in_again_meanwhile_stays(folder: Folder) -> None:
    store = MemoryStore()
    sweep = SweepJob(folder.reader("state"), folder.state, store, folder.clock, most_bytes=10**9)
    told = iter([[ONE], []])
    store.put(ONE, b"one")
    store.lying = lambda part, before: next(told)  # type: ignore[method-assign]
    sweep.step()
    assert store.get(ONE) == b"one"


def test_from_the_node_to_the_eye_over_http(folder: Folder) -> None:
    data = jpeg()
    with running(folder) as client:
        put = f"/api/v1/evidence/{ONE}"
        assert client.put(put, content=data, headers=put_headers(data)).status_code == 201
        assert client.put(put, content=data, headers=put_headers(data)).status_code == 204
        other = jpeg((9, 9))
        assert client.put(put, content=other, headers=put_headers(other)).status_code == 409
        assert (
            client.get(put, params={"expires": 1, "purpose": "", "signature": ""}).status_code
            == 401
        )
        guest = sign_in(client, "guest")
        assert client.post(f"{put}/link", headers=guest).status_code == 403
        headers = sign_in(client, "boss")
        link = client.post(f"{put}/link", headers=headers).json()["path"]
        shown = client.get(link)
        assert shown.headers["cache-control"] == "private, no-store"
        assert shown.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(shown.content)) as picture:
            assert picture.size == (64, 48)
        sign_in(client, "wang")
        assert client.get(link).status_code == 404
        client.cookies.clear()
        assert client.get(link).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Linli-Node": "c001/other"}, 401),
        ({"Linli-Node": f"c002/{NODE}"}, 401),
        ({"Linli-Node": "nonsense"}, 401),
        ({"Authorization": "Basic x"}, 401),
        ({"Linli-Device": "../x"}, 400),
        ({"Linli-Redaction": "none"}, 422),
        ({"Linli-Expires": "tomorrow"}, 422),
        ({"Linli-Expires": "2026-03-09T12:00:00"}, 422),
        ({"Content-Digest": "md5=:x:"}, 400),
        ({"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}, 400),
        ({"Content-Type": "image/png"}, 415),
        ({"Linli-Trial": "loitering"}, 400),
        ({"Linli-Trial": "../loitering/door"}, 400),
    ],
)
def test_a_put_that_is_not_right_is_refused(folder: Folder, change, status) -> None:
    data = jpeg()
    with running(folder) as client:
        answer = client.put(
            f"/api/v1/evidence/{ONE}", content=data, headers=put_headers(data, **change)
        )
        assert (answer.status_code, answer.headers["content-type"]) == (
            status,
            "application/problem+json",
        )
        assert NODE_KEY not in answer.text


def test_a_node_that_lost_its_key_is_refused(folder: Folder) -> None:
    with writing(folder.state) as connection:
        fresh = registry.new_key(connection, NODE)
    data = jpeg()
    with running(folder) as client:
        put = f"/api/v1/evidence/{ONE}"
        assert client.put(put, content=data, headers=put_headers(data)).status_code == 401
        headers = put_headers(data, Authorization=f"Bearer {fresh}")
        assert client.put(put, content=data, headers=headers).status_code == 201
