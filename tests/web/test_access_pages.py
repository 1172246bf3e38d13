"""The page of accounts, tokens and screens: secrets are shown once, to administrators alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder
from intruder import unguard

from dashboards.web import audit_words
from dashboards.web.mount import mount
from ingest.app import create_app
from ingest.store.access import audit
from ingest.store.engine import writing

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
    client.post("/login", data={"name": name, "password": password}, follow_redirects=False)
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
    again = client.post("/login", data={"name": "li", "password": password}, follow_redirects=False)
    assert again.status_code == 401
    last = client.post(f"{HERE}/accounts/boss", data={**csrf, "role": "duty"})
    assert last.status_code == 400
    assert client.post(f"{HERE}/accounts", data={"name": "x", "role": "duty"}).status_code == 403


def test_accounts_are_a_line_each_and_refusals_open_theirs_in_words(client: TestClient) -> None:
    csrf = {"csrf_token": sign_in(client, "boss", PASSWORDS["boss"][1])}
    shown = client.get(f"{HERE}?lang=zh-CN").text
    assert shown.count("<summary><strong>") == 3
    assert "<details open>" not in shown
    refusals = {
        "accounts": [
            ({"name": "a b", "role": "duty"}, "用户名为 1 至 64"),
            ({"name": "wang", "role": "duty"}, "已有同名的"),
            ({"name": "x", "role": "god"}, "没有这个角色"),
            ({"name": "x", "role": "duty", "whole": "no"}, "请至少选择一栋楼"),
            ({"name": "x", "role": "duty", "whole": "yes", "areas": "b03"}, "只能选一种"),
            ({"name": "x", "role": "duty", "areas": "B 03!"}, "例如 b03"),
        ],
        "accounts/boss": [({"role": "duty"}, "最后一个管理员")],
        "tokens": [
            ({"account": "boss", "label": "x"}, "至少选择一项权限"),
            ({"account": "boss", "label": " ", "scopes": "see"}, "1 至 64 个字符"),
        ],
        "screens": [({"label": "a\nb"}, "写成一行")],
    }
    for what, wrong in refusals.items():
        for form, words in wrong:
            answer = client.post(f"{HERE}/{what}", data={**csrf, **form})
            assert answer.status_code == 400, form
            (fold,) = re.findall(r"<details[^>]* open>(.*?)</details>", answer.text, re.DOTALL)
            assert words in fold, form
    assert len(client.get("/api/v1/accounts").json()["items"]) == 3
    made = {**csrf, "name": "li", "role": "duty", "whole": "no", "areas": ["b03", "b04"]}
    client.post(f"{HERE}/accounts", data=made)
    (found,) = (
        one for one in client.get("/api/v1/accounts").json()["items"] if one["name"] == "li"
    )
    assert found["areas"] == ["b03", "b04"]


def test_somebody_is_signed_out_everywhere_and_the_log_is_checked(client: TestClient) -> None:
    other = TestClient(client.app, base_url="http://linli.test")
    sign_in(other, "wang", PASSWORDS["wang"][1])
    csrf = {"csrf_token": sign_in(client, "boss", PASSWORDS["boss"][1])}
    assert other.get("/settings/password", follow_redirects=False).status_code == 200
    client.post(f"{HERE}/accounts/wang/sign-out", data=csrf)
    assert other.get("/settings/password", follow_redirects=False).status_code == 303
    head = client.get("/api/v1/audit/check").json()["head"]
    told = client.get(f"{HERE}?check=true&lang=zh-CN").text
    assert "每一行都与写入时一致" in told
    assert head in told
    with writing(client.app.state.services.access._writer) as connection:
        unguard(connection)
    assert "保护已被去掉" in client.get(f"{HERE}?check=true").text
    with writing(client.app.state.services.access._writer) as connection:
        connection.execute(audit.update().where(audit.c.id == 1).values(actor="user:x"))
    assert "日志第 1 行缺失或被改动" in client.get(f"{HERE}?check=true").text


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
