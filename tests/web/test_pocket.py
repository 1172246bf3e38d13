"""The phone of somebody who signed in: what is theirs, what may be pressed, how it is installed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from house import ADMIN, AREA, PASSWORDS, STAFF, Folder
from phones import Phone, phone
from PIL import Image
from pushes import Handset

from ingest.accounts import book
from ingest.notify_settings import Notify, WebPushSettings
from ingest.store.engine import writing
from ingest.store.registry import person


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    folder = Folder(tmp_path)
    channel = WebPushSettings(name="push", contact="mailto:a@example.com")
    notify = Notify(channels=(channel,), allow_networks=("127.0.0.0/8",))
    folder.settings = msgspec.structs.replace(folder.settings, notify=notify)
    with phone(folder) as made:
        yield made


def sign_in(there: Phone, name: str) -> str:
    there.client.cookies.clear()
    there.client.post(
        "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
    )
    found = re.search(r'name="csrf" content="([^"]+)"', there.client.get("/settings/password").text)
    assert found is not None
    return found.group(1)


def mine(there: Phone) -> str:
    """Return what stands on the list above what waits for somebody."""
    return there.client.get("/m").text.partition('id="waiting"')[0]


def test_what_i_took_or_was_given_is_mine_and_nobody_elses(there: Phone) -> None:
    now, link = there.folder.clock.now(), f'href="/m/{there.of}"'
    assert there.client.get("/m").headers["location"] == "/login?next=%2Fm"
    token = sign_in(there, "wang")
    assert link not in mine(there)
    assert link in there.client.get("/m").text
    done = there.client.post(f"/m/{there.of}/acknowledge", data={"csrf_token": token})
    assert done.headers["location"] == f"/m/{there.of}"
    assert link in mine(there)
    sign_in(there, "boss")
    assert link not in mine(there)
    there.services.orders.assign(STAFF, there.of, "boss", now)
    assert link in mine(there)
    there.services.incidents.resolve(ADMIN, there.of, now)
    assert link not in there.client.get("/m").text


def test_only_the_three_steps_can_be_pressed_and_only_by_who_may(there: Phone) -> None:
    token = sign_in(there, "wang")
    page = there.client.get(f"/m/{there.of}").text
    assert set(re.findall(r'data-deed="([a-z-]+)"', page)) == {"acknowledge"}
    for deed in ("door-hold", "door-release", "speak", "false-alarm"):
        answer = there.client.post(f"/m/{there.of}/{deed}", data={"csrf_token": token})
        assert answer.status_code == 400, deed
    assert there.client.post(f"/m/{there.of}/resolve").status_code == 403
    assert there.client.post("/m/none/resolve", data={"csrf_token": token}).status_code == 404
    token = sign_in(there, "guest")
    page = there.client.get(f"/m/{there.of}").text
    assert "data-deed" not in page
    answer = there.client.post(f"/m/{there.of}/acknowledge", data={"csrf_token": token})
    assert answer.status_code == 403
    assert there.incident().state == "open"


def test_the_phone_of_a_persons_account_hears_what_that_person_is_told(there: Phone) -> None:
    body = Handset("http://127.0.0.1:9/p/1").subscription
    token = sign_in(there, "wang")
    assert "data-push" not in there.client.get("/m").text  # no person has this account yet
    with writing(there.folder.state) as connection:
        connection.execute(person.update().values(account="wang"))
    assert "data-push" in there.client.get("/m").text
    assert there.client.post("/m/push", json=body).status_code == 403
    headers = {"X-CSRF-Token": token}
    assert there.client.post("/m/push", json=body, headers=headers).status_code == 204
    (kept,) = there.services.push.list(ADMIN).items
    assert kept.owner == "person:li"


def test_the_phone_of_who_is_limited_to_an_area_is_told_too(there: Phone) -> None:
    word = "a rather long evening"
    with writing(there.folder.state) as connection:
        now = there.folder.clock.now()
        book.add_account(connection, "near", "duty", now, word, areas={AREA})
        connection.execute(person.update().values(account="near"))
    there.client.cookies.clear()
    there.client.post("/login", data={"name": "near", "password": word}, follow_redirects=False)
    page = there.client.get("/m").text
    assert "data-push" in page
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    assert found is not None
    body, headers = Handset("http://127.0.0.1:9/p/1").subscription, {"X-CSRF-Token": found.group(1)}
    assert there.client.post("/m/push", json=body, headers=headers).status_code == 204


def test_larger_type_is_remembered(there: Phone) -> None:
    sign_in(there, "wang")
    assert 'data-type="large"' not in there.client.get("/m").text
    answer = there.client.post("/type", data={"size": "large", "next": "//evil.example"})
    assert answer.headers["location"] == "/"
    assert 'data-type="large"' in there.client.get("/m").text
    assert 'data-type="large"' in there.get().text  # the page behind a link too
    there.client.post("/type", data={"size": ""})
    assert 'data-type="large"' not in there.client.get("/m").text


@pytest.mark.parametrize(
    ("prefix", "language", "name"), [("", "zh-CN", "邻里"), ("/linli", "en", "Linli")]
)
def test_it_can_be_put_on_the_home_screen(
    tmp_path: Path, prefix: str, language: str, name: str
) -> None:
    with phone(Folder(tmp_path, prefix)) as there:
        found = there.client.get(f"{prefix}/manifest.webmanifest?lang={language}")
        assert found.headers["content-type"].startswith("application/manifest+json")
        told = found.json()
        assert told["short_name"] == name
        assert (told["start_url"], told["scope"]) == (f"{prefix}/m", f"{prefix}/")
        assert told["display"] == "standalone"
        for icon in told["icons"]:
            picture = Image.open(io.BytesIO(there.client.get(icon["src"]).content))
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
        worker = there.client.get(f"{prefix}/push-worker.js")
        assert worker.headers["content-type"].startswith("text/javascript")
        assert "default-src 'self'" in worker.headers["content-security-policy"]
        assert f'href="{prefix}/manifest.webmanifest' in there.client.get(f"{prefix}/login").text
