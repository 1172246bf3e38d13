"""Attacks that the contract lists by number (S14 to S38), each against the whole application."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from handed_in import ONE, put_headers
from house import NODE, NODE_KEY, PASSWORDS, SITE, Folder, jpeg, sign_in, snapshot
from PIL import Image

from dashboards.web.mount import mount
from ingest.app import create_app
from ingest.audit import book as audit
from ingest.evidence.shelf import FolderStore
from ingest.evidence.sweep import SweepJob
from ingest.registry import add_device
from ingest.store.engine import reading, writing
from linli.log import redact

EVIL = "<img src=x onerror=alert(1)>{{7*7}}"
API = "/api/v1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with writing(folder.state) as connection:
        add_device(connection, node_name=NODE, name="evil", kind="camera", label=EVIL)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        yield client


def test_s14_a_device_named_as_markup_is_text_on_every_page(client: TestClient) -> None:
    sign_in(client, "boss")
    named = ("/devices", f"/devices/{NODE}/evil", "/cameras", "/settings/drills", "/registry")
    for path in named:
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<img src=x" not in page.text, path
        assert "&lt;img src=x onerror" in page.text or path == "/registry", path
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
    assert ">49<" not in client.get("/devices").text


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "%2e%2e", "%2fetc%2fpasswd", f"{ONE}%00", f"{ONE}.jpg", "x" * 300],
    ids=["up", "dots", "absolute", "nul", "suffix", "long"],
)
def test_s15_a_picture_has_an_id_and_no_path(client: TestClient, folder: Folder, name: str) -> None:
    data = jpeg()
    answer = client.put(f"{API}/evidence/{name}", content=data, headers=put_headers(data))
    assert answer.status_code in {400, 404, 405, 422}, answer.text
    assert not list(folder.path.parent.rglob("*passwd*"))


def test_s15_bombs_and_pictures_with_something_behind_them(client: TestClient) -> None:
    put = f"{API}/evidence/{ONE}"
    wide = io.BytesIO()
    Image.new("L", (9000, 9000)).save(wide, "JPEG", quality=5)
    png = io.BytesIO()
    Image.new("L", (9, 9)).save(png, "PNG")
    for data in (wide.getvalue(), png.getvalue(), b"<svg/>", b"\xff" * (2 * 1024 * 1024 + 1)):
        answer = client.put(put, content=data, headers=put_headers(data))
        assert answer.status_code in {400, 413, 415}, len(data)
    both = jpeg() + b"PK\x03\x04<script>alert(1)</script>"
    assert client.put(put, content=both, headers=put_headers(both)).status_code == 201
    link = client.post(f"{put}/link", headers=sign_in(client, "boss")).json()["path"]
    assert b"script" not in client.get(link).content


def test_s18_twenty_wrong_tries_lock_and_tell_nothing(client: TestClient, folder: Folder) -> None:
    def told(name: str, password: str) -> tuple[int, str]:
        answer = client.post(f"{API}/login", json={"name": name, "password": password})
        return answer.status_code, answer.text

    known = [told("wang", f"wrong {number}") for number in range(11)]
    unknown = [told("nobody-of-that-name", f"wrong {number}") for number in range(11)]
    assert {*known, *unknown} == {known[0]}
    assert known[0][0] == 401
    assert told("wang", PASSWORDS["wang"][1]) == known[0]  # right, and locked all the same
    with reading(folder.state) as connection:
        rows = audit.page(connection, before=None, limit=100, acts=["sign-in-refused"])
    assert {one.subject for one in rows} == {"wang", "unknown"}
    folder.clock.advance(15 * 60 + 1)
    assert told("wang", PASSWORDS["wang"][1])[0] == 200


def test_s19_a_session_ends_with_its_time_its_password_and_its_person(
    client: TestClient, folder: Folder
) -> None:
    sign_in(client, "wang")
    assert client.get(f"{API}/incidents").status_code == 200
    cookie = client.cookies["linli_session"]
    for made_up in (cookie[::-1], "eyJhbGciOiJub25lIn0.e30.", ""):
        client.cookies.clear()
        client.cookies.set("linli_session", made_up)
        assert client.get(f"{API}/incidents").status_code == 401
    client.cookies.clear()
    client.cookies.set("linli_session", cookie)
    folder.clock.advance(12 * 3600)
    assert client.get(f"{API}/incidents").status_code == 401


def test_s20_another_site_can_send_nothing(client: TestClient) -> None:
    answer = client.post(f"{API}/login", json={"name": "boss", "password": PASSWORDS["boss"][1]})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    headers = {"X-CSRF-Token": answer.json()["csrf"]}
    place = {"node": NODE, "device": "cam-e1"}
    cross = ({}, {"X-CSRF-Token": "x"}, {**headers, "Sec-Fetch-Site": "cross-site"})
    for sent in cross:
        assert client.post(f"{API}/drills", json=place, headers=sent).status_code == 403
    evil = {"Origin": "https://evil.example"}
    form = {"csrf_token": headers["X-CSRF-Token"], "place": f"{NODE}/cam-e1", "event": "smoke"}
    assert client.post("/settings/drills", data=form, headers=evil).status_code == 403
    assert client.get(f"{API}/drills", headers=headers).json()["items"] == []
    for method in ("GET", "OPTIONS"):
        asked = {**evil, "Access-Control-Request-Method": "POST"}
        told = client.request(method, f"{API}/incidents", headers=asked).headers
        assert not [name for name in told if name.startswith("access-control-")]


def test_s22_a_picture_is_for_who_asked_and_each_look_is_a_row(
    client: TestClient, folder: Folder
) -> None:
    data, put = jpeg(), f"{API}/evidence/{ONE}"
    client.put(put, content=data, headers=put_headers(data))
    link = client.post(f"{put}/link", headers=sign_in(client, "boss")).json()["path"]
    shown = client.get(link)
    assert shown.headers["cache-control"] == "private, no-store"
    guessed = link[:-1] + ("1" if link.endswith("0") else "0")
    assert client.get(guessed).status_code == 404
    sign_in(client, "wang")
    assert client.get(link).status_code == 404
    sign_in(client, "guest")
    assert client.get(link).status_code == 403
    client.cookies.clear()
    assert client.get(link).status_code == 401
    sign_in(client, "boss")
    folder.clock.advance(61)
    assert client.get(link).status_code == 410
    with reading(folder.state) as connection:
        rows = audit.page(connection, before=None, limit=9, acts=["looked"])
    assert [(one.actor, one.subject, one.detail) for one in rows] == [
        ("user:boss", ONE, {"purpose": "api"})
    ]


def test_s26_a_picture_goes_with_its_time_and_its_row_stays(
    client: TestClient, folder: Folder
) -> None:
    data, put, headers = jpeg(), f"{API}/evidence/{ONE}", sign_in(client, "boss")
    late = put_headers(data, **{"Linli-Expires": "2027-03-09T12:00:00Z"})
    assert client.put(put, content=data, headers=late).status_code == 201
    shown_in = incident_of(client, folder, ONE)
    files = FolderStore(folder.path / "evidence")
    kept = files.get(ONE)
    assert kept is not None
    assert lies_in(folder, kept), "what is looked for is found while it is there"
    sweep = SweepJob(folder.reader("state"), folder.state, files, folder.clock, most_bytes=1 << 30)
    folder.clock.advance(30 * 86400 - 1)
    headers = sign_in(client, "boss")
    link = client.post(f"{put}/link", headers=headers).json()["path"]
    sweep.step()
    assert client.get(link).status_code == 200
    folder.clock.advance(1)
    assert client.post(f"{put}/link", headers=headers).status_code == 410
    assert client.get(link).status_code == 410
    for days in (0, 1, 1):
        folder.clock.advance(days * 86400)
        sweep.step()
        headers = sign_in(client, "boss")
        # Nobody holds what is gone, nobody brings it back.
        assert client.post(f"{put}/hold", json={"why": "x"}, headers=headers).status_code == 410
        assert client.put(put, content=data, headers=late).status_code in {204, 409, 410}
        assert files.get(ONE) is None
        assert not lies_in(folder, kept)
        assert not lies_in(folder, data)
    assert client.get(f"{put}/record").json()["deleted"] == "2026-04-01T12:00:00Z"
    after = client.get(f"{API}/incidents/{shown_in}").json()
    assert (after["key"]["event"], after["number"]) == ("zone-dwell", 1), "what happened stays"


def incident_of(client: TestClient, folder: Folder, picture: str) -> str:
    """Let an edge tell of something that a picture shows; return the incident's id."""
    folder.put_event(folder.event(snapshot=snapshot(picture)))
    for _ in range(500):
        client.app.state.house.wake()  # type: ignore[attr-defined]
        if found := client.get(f"{API}/incidents").json()["items"]:
            return str(found[0]["id"])
    raise AssertionError("no incident")


def lies_in(folder: Folder, picture: bytes) -> bool:
    """Tell whether a picture lies in any file of the ingest, by itself or within a database."""
    middle = picture[len(picture) // 2 :][:64]
    return any(middle in one.read_bytes() for one in folder.path.rglob("*") if one.is_file())


def test_s29_no_secret_is_told_again(
    client: TestClient, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = sign_in(client, "boss")
    token = {"account": "wang", "label": "x", "scopes": ["see"]}
    made = client.post(f"{API}/tokens", json=token, headers=headers).json()["secret"]
    secrets = [made, PASSWORDS["boss"][1], NODE_KEY, client.cookies["linli_session"]]
    paths = ("/metrics", "/settings/access", f"{API}/tokens", f"{API}/audit", f"{API}/accounts")
    said = "".join(client.get(path).text for path in paths)
    bearer = {"Authorization": f"Bearer {made}"}
    said += client.get(f"{API}/accounts", headers=bearer).text
    said += client.post(f"{API}/login", json={"name": "boss", "password": [secrets[1]]}).text
    said += client.put(f"{API}/evidence/{ONE}", headers={"Authorization": NODE_KEY}).text
    files = [one.read_bytes() for one in folder.path.rglob("*") if one.is_file()]
    for secret in secrets:
        assert secret not in said
        assert secret not in caplog.text
        if secret != PASSWORDS["boss"][1]:
            assert not any(secret.encode() in one for one in files)
    assert secrets[0] not in redact(f"token={made} Authorization: Bearer {made}")


def test_s38_no_exported_cell_is_a_formula_and_no_name_is_a_line(
    client: TestClient, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(folder.state) as connection:
        add_device(connection, node_name=NODE, name="sheet", kind="camera", label="=cmd|' /C x'!A0")
    sign_in(client, "boss")
    text = client.get(f"{API}/registry/export").text
    assert "cmd|" in text
    assert not re.search(r"(^|[,\"])[=+@\t]", text, re.MULTILINE)
    client.post(f"{API}/login", json={"name": "x\naudit 1:forged", "password": "x"})
    client.get(f"{API}/devices/x%0aforged/y/commands")
    assert not [one for one in caplog.text.splitlines() if one.startswith(("forged", "audit 1:f"))]
    assert SITE in text
