"""The page of accounts, tokens and screens: secrets are shown once, to administrators alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder

from dashboards.web import audit_words
from dashboards.web.mount import mount
from ingest.app import create_app

HERE = "/settings/access"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        yield client
    folder.close()


def sign_in(client: TestClient, name: str, password: str) -> str:
    client.post("/login", data={"name": name, "password": password})
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/settings/password").text)
    assert found, "not signed in"
    return found.group(1)


def secret(text: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', text)
    assert found, text
    return found.group(1)


def test_an_account_a_token_and_a_screen_are_let_in_and_shut_out(client: TestClient) -> None:
    csrf = {"csrf_token": sign_in(client, "boss", PASSWORDS["boss"][1])}
    evil = "<img src=x onerror=alert(1)>"
    page = client.post(f"{HERE}/accounts", data={**csrf, "name": "li", "role": "duty"})
    password = secret(page.text)
    assert (
        client.post(f"{HERE}/accounts", data={**csrf, "name": "li", "role": "duty"}).status_code
        == 400
    )
    token = {**csrf, "account": "li", "label": evil, "scopes": ["see", "act"], "areas": "b03"}
    value = secret(client.post(f"{HERE}/tokens", data=token).text)
    screen = secret(client.post(f"{HERE}/screens", data={**csrf, "label": "值班室"}).text)
    assert screen.startswith("http://linli.test/wall/open/")
    shown = client.get(HERE).text
    assert evil not in shown
    assert "&lt;img" in shown
    assert not any(one in shown for one in (password, value, screen))
    for what in ("tokens", "screens"):
        found = re.search(rf'action="({HERE}/{what}/[^"]+/revoke)"', shown)
        assert found
        assert client.post(found.group(1), data=csrf, follow_redirects=False).status_code == 303
        assert found.group(1) not in client.get(HERE).text
    closed = {**csrf, "role": "community", "areas": "b03, b04", "disabled": "1"}
    client.post(f"{HERE}/accounts/li", data=closed)
    again = client.post("/login", data={"name": "li", "password": password})
    assert again.status_code == 401
    last = client.post(f"{HERE}/accounts/boss", data={**csrf, "role": "duty"})
    assert last.status_code == 400
    assert client.post(f"{HERE}/accounts", data={"name": "x", "role": "duty"}).status_code == 403


def test_ones_own_password_by_form(client: TestClient) -> None:
    old = PASSWORDS["wang"][1]
    csrf = sign_in(client, "wang", old)
    assert client.get(HERE).status_code == 403
    form = {"csrf_token": csrf, "current": "wrong one", "new": "another long evening"}
    assert client.post("/settings/password", data=form).status_code == 400
    form["current"] = old
    done = client.post("/settings/password", data=form, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    sign_in(client, "wang", "another long evening")


def test_every_act_of_the_log_has_words(client: TestClient) -> None:
    root = Path(__file__).parents[2]
    code = "".join(
        one.read_text(encoding="utf-8")
        for folder in ("ingest", "linli/cli")
        for one in (root / folder).rglob("*.py")
        if re.search(r"audit import book|import audit", one.read_text(encoding="utf-8"))
    )
    calls = re.findall(r"(?:audit\.|_)note\((.*?)\)", code, re.DOTALL)
    said = {one for call in calls for one in re.findall(r' "([a-z]+(?:-[a-z]+)+)"', call)}
    assert len(said) > 25
    assert said <= audit_words.ACTS.keys()
    sign_in(client, "boss", PASSWORDS["boss"][1])
    assert client.get("/api/v1/registry/export").status_code == 200
    shown = client.get(f"{HERE}?lang=zh-CN").text
    assert "<strong>boss</strong> 登录" in shown
    assert "导出了档案" in shown
