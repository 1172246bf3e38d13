"""Requests with a key: done once, whoever repeats them, whatever falls in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from house import NODE, NOON, SITE, Folder, running, sign_in

from ingest import idempotency
from ingest.idempotency import Claim, Requests, in_hand
from ingest.refusal import Busy, Clash
from ingest.store.engine import reading, writing
from ingest.store.idempotency import request
from ingest.store.incidents import silence

PROBLEM = "application/problem+json"
PATH = "/api/v1/silences"
BODY = {"matchers": {"sites": [SITE]}, "why": "repair", "ends": "2026-03-02T13:00:00Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with running(folder) as client:
        client.headers.update(sign_in(client, "wang"))
        yield client


def rows(folder: Folder, table: sa.Table = silence) -> int:
    with reading(folder.state) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def post(client: TestClient, key: str | None = "k-1", path: str = PATH, **changes):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, json={**BODY, **changes}, headers=headers)


def test_the_same_again_is_answered_as_before_and_done_once(client, folder) -> None:
    first = post(client)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    for key in ("k-1", '"k-1"'):
        again = post(client, key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == "application/json"
        assert again.headers["content-security-policy"]
    assert rows(folder) == 1
    assert post(client, None).json()["id"] != first.json()["id"]
    assert post(client, "k-2").json()["id"] != first.json()["id"]
    assert rows(folder) == 3


def test_sixteen_at_once_have_one_effect(client: TestClient, folder: Folder) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(client), range(16)))
    statuses = Counter(one.status_code for one in answers)
    assert set(statuses) <= {201, 409}, statuses
    assert statuses[201] >= 1
    assert len({one.content for one in answers if one.status_code == 201}) == 1
    assert rows(folder) == 1
    for one in answers:
        if one.status_code == 409:
            assert one.headers["content-type"] == PROBLEM
    assert post(client).json() == next(one for one in answers if one.status_code == 201).json()


def test_another_request_with_the_same_key_is_refused(client: TestClient, folder: Folder) -> None:
    post(client)
    for other in (
        post(client, why="other"),
        post(client, path=f"{PATH}?x=1"),
        post(client, path="/api/v1/incidents/x/resolve"),
    ):
        assert other.status_code == 422
        assert other.headers["content-type"] == PROBLEM
        assert other.json()["faults"][0]["where"] == "Idempotency-Key"
    assert rows(folder) == 1


def test_a_key_belongs_to_an_account(client: TestClient, folder: Folder) -> None:
    mine = post(client).json()
    client.cookies.clear()
    client.headers.update(sign_in(client, "boss"))
    theirs = post(client)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine["id"]
    client.cookies.clear()
    assert post(client).status_code == 401


def test_after_a_day_the_key_is_forgotten(client: TestClient, folder: Folder) -> None:
    path = f"/api/v1/devices/{NODE}/cam-e1/confirm"
    key = {"Idempotency-Key": "k"}
    assert client.post(path, json={}, headers=key).status_code == 200
    requests: Requests = client.app.state.requests
    kept = Claim("wang", "other")
    requests.begin(kept, "f", folder.clock.now())
    with pytest.raises(Clash, match="being done"):
        requests.begin(kept, "f", folder.clock.now())
    folder.clock.advance(24 * 3600)
    requests.begin(kept, "another", folder.clock.now())
    assert rows(folder, request) == 1


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 201, '"'])
def test_a_bad_key_is_a_problem(client: TestClient, key: str) -> None:
    answer = client.post(PATH, json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == PROBLEM


def test_what_was_refused_may_be_sent_again(client: TestClient, folder: Folder) -> None:
    assert post(client, ends="2020-01-01T00:00:00Z").status_code == 400
    assert post(client, why=None).status_code == 422
    assert rows(folder, request) == 0
    assert post(client).status_code == 201
    huge = client.post(PATH, content=b"x" * (3 << 20), headers={"Idempotency-Key": "k-9"})
    assert huge.status_code == 413


def test_signing_in_is_never_answered_from_memory(client: TestClient) -> None:
    for _ in range(2):
        answer = client.post(
            "/api/v1/login",
            json={"name": "wang", "password": "wrong"},
            headers={"Idempotency-Key": "k"},
        )
        assert answer.status_code == 401


def test_a_fall_before_the_effect_lets_it_be_done_after_a_restart(folder: Folder) -> None:
    with running(folder) as client:
        client.headers.update(sign_in(client, "wang"))
        account = "wang-id"
        requests: Requests = client.app.state.requests
        requests.begin(Claim(account, "k"), "f", NOON)
    fresh = Requests(folder.state)
    assert fresh.begin(Claim(account, "k"), "f", NOON) is None


def test_a_fall_between_effect_and_answer_is_told_and_nothing_is_done_twice(
    client: TestClient, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: Requests = client.app.state.requests
    monkeypatch.setattr(requests, "end", lambda claim, answer: None)  # as if we fell here
    assert post(client).status_code == 201
    client.app.state.requests = Requests(client.app.state.house.state_writer)
    again = post(client)
    assert again.status_code == 409
    assert "answer was not kept" in again.json()["detail"]
    assert rows(folder) == 1


def test_the_mark_goes_with_the_effect_or_not_at_all(folder: Folder) -> None:
    idempotency.mark(folder.state)
    requests, claim = Requests(folder.state), Claim("a", "k")
    requests.begin(claim, "f", NOON)
    with pytest.raises(ZeroDivisionError), in_hand(claim), writing(folder.state):
        raise ZeroDivisionError
    with reading(folder.state) as connection:
        assert connection.scalar(sa.select(request.c.done)) == 0
    with in_hand(claim), writing(folder.state):
        pass
    with reading(folder.state) as connection:
        assert connection.scalar(sa.select(request.c.done)) == 1


def test_keys_are_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MOST_KEYS", 3)
    requests = Requests(folder.state)
    for number in range(3):
        requests.begin(Claim("a", str(number)), "f", NOON)
    with pytest.raises(Busy):
        requests.begin(Claim("a", "3"), "f", NOON)
    requests.begin(Claim("b", "3"), "f", NOON)
    requests.begin(Claim("a", "3"), "f", NOON + timedelta(days=1))


def test_every_post_that_does_something_says_that_it_takes_a_key(client: TestClient) -> None:
    without = set()
    for path, operations in client.app.openapi()["paths"].items():
        if "post" not in operations:
            continue
        names = {one["name"] for one in operations["post"].get("parameters", ())}
        if "Idempotency-Key" not in names:
            without.add(path)
    assert without == {
        "/api/v1/login",
        "/api/v1/logout",
        "/api/v1/accounts",
        "/api/v1/accounts/{name}/password",
        "/api/v1/tokens",
        "/api/v1/screens",
        "/api/v1/joins",
        "/api/v1/join",
        "/api/v1/rules/test",
        "/api/v1/silences/preview",
        "/api/v1/notifications/test",  # sends again what is asked for again
        "/api/v1/evidence/{evidence}/link",
        "/webhook/grafana",  # who calls these sends none; the same call again changes nothing
        "/webhook/wecom/{channel}",
    }
