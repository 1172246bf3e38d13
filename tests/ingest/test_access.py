"""Accounts, tokens and screens, as administrators arrange them over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NOON, PASSWORDS, Folder, running, sign_in

API = "/api/v1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with running(folder) as client:
        yield client


def test_an_account_is_made_changed_and_closed(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    asked = {"name": "li", "role": "duty", "areas": ["b03"]}
    password = client.post(f"{API}/accounts", json=asked, headers=headers).json()["secret"]
    for wrong in ({"role": "god"}, {"areas": []}, {"areas": ["B 03"]}, {"name": "a b"}):
        answer = client.post(f"{API}/accounts", json={**asked, **wrong}, headers=headers)
        assert answer.status_code in (400, 422), wrong
    token = {"account": "li", "label": "x", "scopes": ["see", "act"]}
    secret = client.post(f"{API}/tokens", json=token, headers=headers).json()["secret"]
    own = {"Authorization": f"Bearer {secret}"}
    other = TestClient(client.app, base_url="http://linli.test")
    body = {"name": "li", "password": password}
    assert other.post(f"{API}/login", json=body).json()["role"] == "duty"
    assert other.get(f"{API}/incidents").status_code == 200
    # Another role ends the sessions: who was signed in does not keep what was taken away.
    changed = client.put(
        f"{API}/accounts/li", json={"role": "street", "areas": None}, headers=headers
    )
    assert changed.json()["role"] == "street"
    assert other.get(f"{API}/incidents").status_code == 401
    assert client.post(f"{API}/incidents/x/resolve", headers=own).status_code == 403
    listed = client.get(f"{API}/tokens").json()["items"]
    assert (listed[0]["account"], listed[0]["used"]) == ("li", "2026-03-02T12:00:00Z")
    assert secret not in client.get(f"{API}/tokens").text
    done = client.put(
        f"{API}/accounts/li", json={"role": "street", "disabled": True}, headers=headers
    )
    assert done.status_code == 200
    assert client.get(f"{API}/incidents", headers=own).status_code == 401
    assert other.post(f"{API}/login", json=body).status_code == 401
    assert (
        client.put(f"{API}/accounts/x", json={"role": "duty"}, headers=headers).status_code == 404
    )


def test_the_last_administrator_stays(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    for wish in (
        {"role": "duty"},
        {"role": "admin", "disabled": True},
        {"role": "admin", "areas": ["b03"]},
    ):
        answer = client.put(f"{API}/accounts/boss", json=wish, headers=headers)
        assert answer.status_code == 409, wish
    assert client.get(f"{API}/accounts").status_code == 200


def test_ones_own_password(client: TestClient) -> None:
    headers = sign_in(client, "wang")
    old, new = PASSWORDS["wang"][1], "another quiet evening"
    path = f"{API}/session/password"
    assert client.put(path, json={"current": "no", "new": new}, headers=headers).status_code == 401
    short = client.put(path, json={"current": old, "new": "short"}, headers=headers)
    assert short.status_code in (400, 422)
    assert client.put(path, json={"current": old, "new": new}).status_code == 403
    assert client.put(path, json={"current": old, "new": new}, headers=headers).status_code == 204
    assert client.get(f"{API}/session").status_code == 401
    assert client.post(f"{API}/login", json={"name": "wang", "password": old}).status_code == 401
    assert client.post(f"{API}/login", json={"name": "wang", "password": new}).status_code == 200


def test_signing_in_again_ends_the_session_of_before(client: TestClient) -> None:
    sign_in(client, "wang")
    before = client.cookies["linli_session"]
    sign_in(client, "wang")
    assert client.cookies["linli_session"] != before
    other = TestClient(client.app, base_url="http://linli.test", cookies={"linli_session": before})
    assert other.get(f"{API}/session").status_code == 401


def test_signed_out_everywhere(client: TestClient) -> None:
    sign_in(client, "wang")
    kept = client.cookies["linli_session"]
    other = TestClient(client.app, base_url="http://linli.test")
    headers = sign_in(other, "guest")
    path = f"{API}/accounts/wang/sessions"
    assert other.delete(path, headers=headers).status_code == 403
    headers = sign_in(other, "wang")
    assert other.delete(path, headers=headers).status_code == 204
    client.cookies.set("linli_session", kept)
    assert client.get(f"{API}/session").status_code == 401


def test_a_screen_is_let_in_once_and_revoked(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "boss")
    asked = {"label": "值班室大屏", "areas": ["b03"]}
    made = client.post(f"{API}/screens", json=asked, headers=headers).json()
    access = client.app.state.services.access
    token = access.claim_screen(made["secret"], NOON)
    with pytest.raises(Exception, match="used"):
        access.claim_screen(made["secret"], NOON)
    seen = access.screen(token)
    assert (seen.kind, seen.areas, seen.may("see"), seen.may("act"), seen.may("look")) == (
        "screen",
        frozenset({"b03"}),
        True,
        False,
        False,
    )
    (listed,) = client.get(f"{API}/screens").json()["items"]
    assert listed["claimed"] == "2026-03-02T12:00:00Z"
    assert token not in client.get(f"{API}/screens").text
    path = f"{API}/screens/{made['id']}"
    assert client.delete(path, headers=headers).status_code == 204
    assert access.screen(token) is None
    assert access.screen(None) is None
    assert client.delete(path, headers=headers).status_code == 404
    late = client.post(f"{API}/screens", json={"label": "x"}, headers=headers).json()["secret"]
    folder.clock.advance(86_400)
    with pytest.raises(Exception, match="ended"):
        access.claim_screen(late, folder.clock.now())


def test_a_revoked_token_ends_at_once(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    asked = {"account": "boss", "label": "x", "scopes": ["see"], "days": 1}
    made = client.post(f"{API}/tokens", json=asked, headers=headers).json()
    own = {"Authorization": f"Bearer {made['secret']}"}
    assert client.get(f"{API}/incidents", headers=own).status_code == 200
    assert client.delete(f"{API}/tokens/{made['id']}", headers=headers).status_code == 204
    assert client.get(f"{API}/incidents", headers=own).status_code == 401
    assert client.delete(f"{API}/tokens/{made['id']}", headers=headers).status_code == 404
