"""Contacts, ladders and routes over REST: versions, rules in words, and who would be told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import Folder, running, sign_in
from msgspec.structs import replace

from ingest.notify_settings import MailSettings, Notify, WebhookSettings, WecomBotSettings

BASE = "/api/v1/duty"
LI = f"{BASE}/contacts/person:li"
SECRET = "693a91f6-7bot-key"
WAYS = {
    "ways": [{"channel": "bot", "address": SECRET, "quiet": {"begin": "22:00", "end": "06:00"}}]
}
LIFTS = {"rungs": [{"who": "on-duty"}, {"who": "team", "after": "PT3M"}]}
# The folder's clock stands at Monday 2026-03-02 20:00 in Shanghai.
BROKEN = (
    ("contacts/li", WAYS, "owner"),
    ("contacts/person:ghost", WAYS, "owner"),
    ("contacts/person:li", {"ways": [{"channel": "fax", "address": "1"}]}, "ways[0].channel"),
    ("contacts/person:li", {"ways": [{"channel": "mail", "address": "li"}]}, "ways[0].address"),
    ("contacts/person:li", {"ways": WAYS["ways"] * 2}, "ways[1].address"),
    ("contacts/person:li", {"ways": [{"channel": "bot", "address": "a\nb"}]}, "address"),
    ("contacts/person:li", {"ways": [{"channel": "bot"}]}, "ways[0]"),
    ("ladders/lifts", {"rungs": []}, "rungs"),
    ("ladders/lifts", {"rungs": [{"who": "on-duty", "after": "-PT1M"}]}, "rungs[0].after"),
    ("ladders/lifts", {"rungs": [{"who": "on-duty", "people": ["x"]}]}, "rungs[0].people"),
    ("ladders/lifts", {**LIFTS, "again_after": "PT0S"}, "again_after"),
    ("ladders/Lifts", LIFTS, "name"),
    ("routes", {"routes": [{"team": "ghosts"}]}, "routes[0].team"),
    ("routes", {"routes": [{"team": "night", "ladder": "steep"}]}, "routes[0].ladder"),
    ("routes", {"routes": [{"team": "night", "site": "c9"}]}, "routes[0].building"),
    ("routes", {"routes": [{"team": "night"}, {"team": "night"}]}, "routes[1]"),
)
INSIDE = (
    *("https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/x", "file:///etc/x"),
    *("https://10.1.2.3/", "https://192.168.0.9/", "https://0x7f.1/x", "https://172.16.0.1/"),
    *("https://user:w0rd@198.51.100.7/", "http://1.1.1.1/plain", "gopher://1.1.1.1/"),
    *("https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://2130706433/"),
)
ROSTER = {"shifts": [{"begin": "00:00", "end": "00:00", "people": ["li"]}]}


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    (tmp_path / "hook").write_text("a-secret")
    channels = (
        WecomBotSettings(name="bot"),
        MailSettings(name="mail", host="127.0.0.1", sender="l@linli.test"),
        WebhookSettings(name="hook", secret_file=str(tmp_path / "hook")),
    )
    folder.settings = replace(folder.settings, notify=Notify(channels=channels))
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
        ("people/li", {"label": "李雷", "role": "duty", "team": "night"}),
        ("people/wu", {"label": "吴", "role": "manager"}),
    ):
        made = client.put(f"/api/v1/registry/{path}", json=values, headers=headers)
        assert made.status_code == 201, made.text
    return headers


def furnish(client: TestClient, boss: dict[str, str]) -> None:
    for path, values in (
        ("contacts/person:li", WAYS),
        ("contacts/team:night", {"ways": [{"channel": "mail", "address": "n@linli.test"}]}),
        ("ladders/lifts", LIFTS),
        ("rosters/night", ROSTER),
        ("routes", {"routes": [{"team": "night", "ladder": "lifts", "event": "zone-dwell"}]}),
    ):
        made = client.put(f"{BASE}/{path}", json=values, headers=boss)
        assert made.status_code == 201, made.text


def test_contacts_have_versions_and_are_for_administrators(client, boss, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    made = client.put(f"{LI}?why=new", json=WAYS, headers=boss)
    assert made.status_code == 201, made.text
    assert client.put(LI, json=WAYS, headers=boss).status_code == 428
    seen = {**boss, "If-Match": made.headers["etag"]}
    other = {"ways": [{"channel": "mail", "address": "li@linli.test", "language": "en"}]}
    assert client.put(LI, json=other, headers=seen).status_code == 200
    assert client.patch(LI, json={"ways": None}, headers=seen).status_code == 412
    items = client.get(f"{LI}/history").json()["items"]
    assert [(one["version"], one["actor"], one["why"]) for one in items] == [
        (2, "user:boss", None),
        (1, "user:boss", "new"),
    ]
    assert client.get(LI).json()["ways"][0]["language"] == "en"
    listed = client.get(f"{BASE}/contacts")
    assert [one["name"] for one in listed.json()["items"]] == ["person:li"]
    assert "li@linli.test" not in listed.text + client.get(f"{LI}/history").text
    assert SECRET not in caplog.text
    sign_in(client, "wang")
    for path in (LI, f"{BASE}/contacts", f"{LI}/history"):
        assert client.get(path).status_code == 403


def test_a_broken_rule_is_named_and_nothing_is_kept(client, boss) -> None:
    for path, values, where in BROKEN:
        check_refused(client, boss, path, values, where)


def check_refused(client, boss, path, values, where) -> None:
    refused = client.put(f"{BASE}/{path}", json=values, headers=boss)
    assert refused.status_code == 422, refused.text
    assert where in str(refused.json()["faults"]), refused.text
    assert SECRET not in refused.text
    assert client.get(f"{BASE}/{path}").status_code == 404


def test_a_webhook_that_leads_inside_is_refused_when_it_is_saved(client, boss) -> None:
    """S16, the half at saving; the half at connecting stands in test_notify_channels."""
    for address in INSIDE:
        check_address(client, boss, address)


def check_address(client, boss, address) -> None:
    refused = client.put(LI, json={"ways": [{"channel": "hook", "address": address}]}, headers=boss)
    assert refused.status_code == 422
    (fault,) = refused.json()["faults"]
    assert fault["where"] == "ways[0].address"
    assert "w0rd" not in refused.text


def test_a_ladder_that_routes_go_by_stays(client, boss) -> None:
    furnish(client, boss)
    any_ = {**boss, "If-Match": "*"}
    refused = client.delete(f"{BASE}/ladders/lifts", headers=any_)
    assert (refused.status_code, "routes[0]" in refused.text) == (422, True)
    assert client.delete(f"{BASE}/routes", headers=any_).status_code == 204
    assert client.delete(f"{BASE}/ladders/lifts", headers=any_).status_code == 204


def test_who_would_be_told_of_such_a_one(client, boss) -> None:
    path = f"{BASE}/preview"
    such = {"event": "zone-dwell", "severity": "high"}
    assert client.get(path, params=such).json()["team"] is None
    furnish(client, boss)
    found = client.get(path, params=such).json()
    assert (found["team"], found["ladder"], found["under_way"]) == ("night", "lifts", False)
    first, second = found["rungs"]
    assert first["reached"][0]["owner"] == "person:li"
    assert first["reached"][0]["address"] == SECRET
    assert [one["owner"] for one in second["reached"]] == ["team:night", "person:li"]
    assert (first["at"], second["at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:03:00Z")
    assert client.get(path, params={**such, "event": "bin-full"}).json()["team"] is None
    assert client.get(path).status_code == 400
    assert client.get(path, params={**such, "incident": "x"}).status_code == 400
    assert client.get(path, params={"incident": "x"}).status_code == 404
    sign_in(client, "wang")
    assert SECRET not in client.get(path, params=such).text
    sign_in(client, "guest")
    assert client.get(path, params=such).status_code == 403


def test_whoever_is_quiet_or_cannot_be_told_is_foreseen(client, folder, boss) -> None:
    furnish(client, boss)
    folder.clock.advance(3 * 3600)  # 23:00 in Shanghai
    boss = sign_in(client, "boss")
    steps = {"rungs": [{"who": "on-duty"}, {"who": "supervisor", "after": "PT9M"}, *LIFTS["rungs"]]}
    client.put(f"{BASE}/ladders/lifts", json=steps, headers={**boss, "If-Match": "*"})
    such = {"event": "zone-dwell", "severity": "high"}
    rungs = client.get(f"{BASE}/preview", params=such).json()["rungs"]
    assert rungs[0]["reached"][0]["at"] == "2026-03-02T22:00:00Z"
    assert rungs[1]["missing"] == [{"owner": "person:wu", "why": "no-contact"}]
    assert rungs[2]["at"] == rungs[1]["at"]  # behind nobody the next does not wait
