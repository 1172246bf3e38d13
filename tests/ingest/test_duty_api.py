"""Rosters over REST: written down by version, who is on duty, who may see and change what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import Folder, running, sign_in

BASE = "/api/v1/duty"
NIGHT = f"{BASE}/rosters/night"
PROBLEM = "application/problem+json"
# The folder's clock stands at Monday 2026-03-02 20:00 in Shanghai.
ROSTER = {
    "shifts": [
        {"begin": "08:00", "end": "20:00", "people": ["wang"]},
        {"begin": "20:00", "end": "08:00", "people": ["li"], "days": [0, 1, 2, 3, 4]},
    ]
}


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder):
    with running(folder) as client:
        yield client


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    headers = sign_in(client, "boss")
    for path, values in (
        ("teams/night", {"label": "夜班"}),
        ("teams/idle", {"label": "后备"}),
        ("people/wang", {"label": "王芳", "role": "duty", "team": "night"}),
        ("people/li", {"label": "李雷", "role": "duty", "team": "night", "phone": "13912345678"}),
        ("people/zhao", {"label": "赵六", "role": "duty"}),
    ):
        made = client.put(f"/api/v1/registry/{path}", json=values, headers=headers)
        assert made.status_code == 201, made.text
    return headers


def night(client: TestClient) -> dict[str, Any]:
    found = client.get(BASE).json()["teams"]
    return next(one for one in found if one["team"] == "night")


def labels(turn: dict[str, Any] | None) -> list[str]:
    return [] if turn is None else [one["label"] for one in turn["people"]]


def test_who_is_on_duty_follows_the_roster(client, folder, boss) -> None:
    assert night(client)["roster"] is False
    assert night(client)["gaps"] == []
    made = client.put(f"{NIGHT}?why=spring", json=ROSTER, headers=boss)
    assert made.status_code == 201, made.text
    found = night(client)
    assert labels(found["now"]) == ["李雷"]
    assert found["now"]["begin"] == "2026-03-02T12:00:00Z"
    assert labels(found["next"]) == ["王芳"]
    # Saturday and Sunday nights.
    assert [one["begin"] for one in found["gaps"]] == [
        "2026-03-07T12:00:00Z",
        "2026-03-08T12:00:00Z",
    ]
    assert "13912345678" not in client.get(BASE).text
    folder.clock.advance(4.5 * 86400)
    sign_in(client, "wang")
    assert night(client)["now"]["people"][0]["id"] == "wang"
    folder.clock.advance(0.5 * 86400)
    sign_in(client, "wang")
    assert night(client)["now"] is None


def test_a_swap_and_a_holiday_are_changed_fields(client, boss) -> None:
    made = client.put(NIGHT, json=ROSTER, headers=boss)
    swap = {
        "begin": "2026-03-02T20:00:00+08:00",
        "end": "2026-03-03T08:00:00+08:00",
        "person": "li",
        "by": "zhao",
    }
    assert client.patch(NIGHT, json={"swaps": [swap]}, headers=boss).status_code == 428
    seen = {**boss, "If-Match": made.headers["etag"]}
    changed = client.patch(NIGHT, json={"swaps": [swap]}, headers=seen)
    assert changed.status_code == 200, changed.text
    assert labels(night(client)["now"]) == ["赵六"]
    assert changed.json()["shifts"] == made.json()["shifts"]
    assert client.patch(NIGHT, json={"swaps": []}, headers=seen).status_code == 412
    seen = {**boss, "If-Match": changed.headers["etag"]}
    cleared = client.patch(NIGHT, json={"swaps": None}, headers=seen)
    assert cleared.json()["swaps"] == []
    assert labels(night(client)["now"]) == ["李雷"]


def test_every_version_says_who_and_when(client, boss) -> None:
    made = client.put(f"{NIGHT}?why=spring", json=ROSTER, headers=boss)
    seen = {**boss, "If-Match": made.headers["etag"]}
    assert client.put(NIGHT, json=ROSTER, headers=seen).headers["etag"] == made.headers["etag"]
    assert client.delete(NIGHT, headers=boss).status_code == 428
    assert client.delete(NIGHT, headers=seen).status_code == 204
    assert client.get(NIGHT).status_code == 404
    assert client.get(f"{BASE}/rosters").json()["items"] == []
    history = client.get(f"{NIGHT}/history").json()["items"]
    assert [(one["version"], one["actor"], one["why"], one["removed"]) for one in history] == [
        (2, "user:boss", None, True),
        (1, "user:boss", "spring", False),
    ]
    assert client.put(NIGHT, json=ROSTER, headers=boss).status_code == 201
    (line,) = client.get(f"{BASE}/rosters").json()["items"]
    assert (line["name"], line["version"]) == ("night", 3)


def test_an_old_version_is_shown_and_written_down_again(client, boss) -> None:
    first = client.put(f"{NIGHT}?why=spring", json=ROSTER, headers=boss)
    seen = {**boss, "If-Match": first.headers["etag"]}
    less = client.put(NIGHT, json={"shifts": []}, headers=seen)
    old = client.get(f"{NIGHT}/history/1").json()
    assert (old["actor"], old["why"]) == ("user:boss", "spring")
    assert old["document"]["shifts"] == first.json()["shifts"]
    again = f"{NIGHT}/history/1/restore"
    assert client.post(again, headers=boss).status_code == 428
    assert client.post(again, headers=seen).status_code == 412
    seen = {**boss, "If-Match": less.headers["etag"]}
    restored = client.post(f"{again}?why=better", headers=seen)
    assert restored.json() == first.json()
    assert client.get(f"{NIGHT}/history").json()["items"][0]["why"] == "better"
    assert client.get(f"{NIGHT}/history/9").status_code == 404
    gone = {**boss, "If-Match": restored.headers["etag"]}
    assert client.delete(NIGHT, headers=gone).status_code == 204
    assert client.get(f"{NIGHT}/history/4").json()["document"] is None
    assert client.post(f"{NIGHT}/history/4/restore", headers=boss).status_code == 404
    assert client.post(again, headers=boss).status_code == 200, "after it was taken away, too"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"shifts": [{"begin": "8:00", "end": "20:00", "people": ["li"]}]}, "shifts[0].begin"),
        ({"shifts": [{"begin": "08:00", "end": "20:00", "people": []}]}, "shifts[0].people"),
        (
            {"shifts": [{"begin": "08:00", "end": "20:00", "people": ["nobody"]}]},
            "shifts[0].people",
        ),
        (
            {"shifts": [{"begin": "08:00", "end": "20:00", "people": ["li"], "days": [7]}]},
            "shifts[0].days",
        ),
        (
            {
                "swaps": [
                    {"begin": "2026-03-02T08:00:00", "end": "2026-03-03T08:00:00", "person": "li"}
                ]
            },
            "swaps[0]",
        ),
        ({"team": "day"}, "team"),
        ({"color": "red"}, "body"),
        ({"cycle": 0}, "cycle"),
    ],
)
def test_a_broken_rule_is_named_and_nothing_is_kept(client, boss, values, where) -> None:
    refused = client.put(NIGHT, json=values, headers=boss)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == PROBLEM
    assert where in refused.text, refused.text
    assert client.get(NIGHT).status_code == 404


def test_a_roster_is_of_a_team_in_use(client, boss) -> None:
    refused = client.put(f"{BASE}/rosters/ghosts", json=ROSTER, headers=boss)
    assert (refused.status_code, "no team" in refused.text) == (422, True)


def test_turns_of_a_span_and_its_bounds(client, boss) -> None:
    client.put(NIGHT, json=ROSTER, headers=boss)
    span = {"start": "2026-03-02T00:00:00+08:00", "end": "2026-03-03T00:00:00+08:00"}
    found = client.get(f"{NIGHT}/turns", params=span).json()["items"]
    assert [labels(one) for one in found] == [["王芳"], ["李雷"]]
    wide = {"start": "2026-01-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"}
    assert client.get(f"{NIGHT}/turns", params=wide).status_code == 400
    assert client.get(f"{BASE}/rosters/idle/turns", params=span).status_code == 404


DEADLINES = {"events": {"ebike-in-elevator": {"acknowledge": "PT120S", "resolve": "PT900S"}}}


def test_deadlines_are_kept_as_iso_durations(client, boss) -> None:
    path = f"{BASE}/deadlines"
    assert client.put(path, json=DEADLINES, headers=boss).status_code == 201
    assert client.get(path).json()["events"] == DEADLINES["events"]
    bad = {"events": {"x": {"acknowledge": "soon"}}}
    assert client.put(path, json=bad, headers={**boss, "If-Match": "*"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "see", "change"), [("guest", 403, 403), ("wang", 200, 403), ("boss", 200, 200)]
)
def test_who_may_see_and_change(client, boss, name: str, see: int, change: int) -> None:
    client.put(NIGHT, json=ROSTER, headers=boss)
    client.put(f"{BASE}/deadlines", json=DEADLINES, headers=boss)
    headers = {**sign_in(client, name), "If-Match": "*"}
    span = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z"
    for path in ("", "/rosters", "/rosters/night", f"/rosters/night/turns?{span}", "/deadlines"):
        assert client.get(f"{BASE}{path}").status_code == see, path
    for path in ("/rosters/night", "/deadlines"):
        assert client.get(f"{BASE}{path}/history").status_code == change, path
        assert client.put(f"{BASE}{path}", json={}, headers=headers).status_code == change
        assert client.patch(f"{BASE}{path}", json={}, headers=headers).status_code == change
        gone = client.delete(f"{BASE}{path}", headers=headers).status_code
        assert gone == (204 if change == 200 else change)


def test_without_signing_in_nothing_is_told(client) -> None:
    for path in ("", "/rosters", "/rosters/night", "/deadlines"):
        assert client.get(f"{BASE}{path}").status_code == 401
