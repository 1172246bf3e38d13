"""Pictures that edges sealed for the ingest: opened, checked and kept as any other."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from handed_in import ONE, put_headers
from house import NODE, NOON, SITE, Folder, jpeg, running, sign_in
from PIL import Image

from ingest.evidence import keys
from ingest.store.engine import reading, writing
from ingest.store.files import prepare
from linli import seal
from linli.ids import uuid7

TWO = uuid7(NOON + timedelta(seconds=1))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def sealed_headers(body: bytes) -> dict[str, str]:
    return put_headers(body, **{"Content-Type": seal.SEALED})


def taken_key(client: TestClient) -> bytes:
    answer = client.get("/api/v1/evidence-key", headers=put_headers(b""))
    assert answer.status_code == 200
    public = base64.b64decode(answer.json()["key"])
    assert answer.json()["id"] == seal.id_of(public)
    return public


def test_a_sealed_picture_is_opened_checked_and_shown(folder: Folder) -> None:
    data, put = jpeg(), f"/api/v1/evidence/{ONE}"
    with running(folder) as client:
        public = taken_key(client)
        assert taken_key(client) == public
        for status in (201, 204):  # sealed again it is other bytes, and the same picture
            body = seal.seal(data, public, seal.about(SITE, NODE, ONE))
            answer = client.put(put, content=body, headers=sealed_headers(body))
            assert answer.status_code == status
        assert client.put(put, content=data, headers=put_headers(data)).status_code == 204
        link = client.post(f"{put}/link", headers=sign_in(client, "wang")).json()["path"]
        with Image.open(io.BytesIO(client.get(link).content)) as picture:
            assert picture.size == (64, 48)


def test_after_a_rotation_what_waits_for_the_old_key_is_opened_too(folder: Folder) -> None:
    with running(folder) as client:
        old = taken_key(client)
        with writing(folder.state) as connection:
            keys.make(connection)
        new = taken_key(client)
        assert new != old
        for name, public in ((ONE, old), (TWO, new)):
            body = seal.seal(jpeg(), public, seal.about(SITE, NODE, name))
            put = f"/api/v1/evidence/{name}"
            assert client.put(put, content=body, headers=sealed_headers(body)).status_code == 201


def test_what_was_not_sealed_for_us_or_as_this_picture_is_refused(folder: Folder) -> None:
    put = f"/api/v1/evidence/{ONE}"
    with running(folder) as client:
        public, right = taken_key(client), seal.about(SITE, NODE, ONE)
        strange = seal.public_of(seal.new_key())
        good = seal.seal(jpeg(), public, right)
        for body, said in (
            (seal.seal(jpeg(), strange, right), "not ours"),
            (seal.seal(jpeg(), public, seal.about(SITE, NODE, TWO)), "cannot be opened"),
            (seal.seal(jpeg(), public, seal.about(SITE, "other", ONE)), "cannot be opened"),
            (good[:-1] + bytes([good[-1] ^ 1]), "cannot be opened"),
            (b"LNS1", "cannot be opened"),
            (jpeg(), "cannot be opened"),
        ):
            answer = client.put(put, content=body, headers=sealed_headers(body))
            assert (answer.status_code, said in answer.text) == (400, True)
        no_picture = seal.seal(b"GIF89a", public, right)
        answer = client.put(put, content=no_picture, headers=sealed_headers(no_picture))
        assert answer.status_code == 415
        swapped = client.put(put, content=good, headers=sealed_headers(good + b"x"))
        assert swapped.status_code == 400
        assert client.put(put, content=good, headers=sealed_headers(good)).status_code == 201


def test_the_key_is_for_nodes_alone_and_the_private_one_for_nobody(folder: Folder) -> None:
    with running(folder) as client:
        wrong = put_headers(b"", Authorization="Bearer wrong")
        assert client.get("/api/v1/evidence-key", headers=wrong).status_code == 401
        person = {**sign_in(client, "wang"), "Linli-Node": f"{SITE}/{NODE}"}
        assert client.get("/api/v1/evidence-key", headers=person).status_code == 401
        public = taken_key(client)
    with reading(folder.state) as connection:
        private = keys.private(connection, seal.id_of(public))
    assert private is not None
    assert seal.public_of(private) == public


def test_the_file_with_the_keys_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    prepare(tmp_path / "data")
    for name in ("state.db", "journal.db", "series.db"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o777 == 0o600
