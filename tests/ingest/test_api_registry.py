"""The registry over HTTP: entity tags, merge patches, files with a preview, who sees phones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, AREA, CAMERA, NODE, SITE, Folder, running, sign_in

from ingest.receive.directory import read_directory

BASE = "/api/v1/registry"
PROBLEM = "application/problem+json"
LAMP = {"kind": "lamp", "label": "东门灯", "network": NODE, "capabilities": ["dim"]}
FILE = (
    "类型,编号,名称,位置,种类,上级网络,岗位,电话\n"
    f"单元,{SITE}/{AREA}/u1,1 单元,,,,,\n"
    f"设备,{NODE}/lamp-1,东门灯,{SITE}/{AREA}/u1,路灯,{NODE}/sw-1,,\n"
    f"设备,{NODE}/sw-1,交换机,,交换机,,,\n"
    "人员,wang,王芳,,,,值班,13912345678\n"
)


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
    return sign_in(client, "boss")


def upload(client: TestClient, headers: dict[str, str], data: bytes, **query: Any) -> Any:
    return client.post(f"{BASE}/import", content=data, params=query, headers=headers)


def test_a_device_from_its_making_to_its_removal(client, folder, boss) -> None:
    path = f"{BASE}/devices/{NODE}/lamp-1"
    assert client.get(path).status_code == 404
    made = client.put(path, json=LAMP, headers={**boss, "If-None-Match": "*"})
    assert made.status_code == 201
    assert made.json() == {
        "id": f"{NODE}/lamp-1",
        "label": "东门灯",
        "label_en": None,
        "retired": False,
        "kind": "lamp",
        "place": None,
        "vendor": None,
        "model": None,
        "capabilities": ["dim"],
        "network": NODE,
        "power": None,
    }
    assert read_directory(folder.state).standing(SITE, AREA, NODE, "lamp-1") == "known"
    tag = made.headers["etag"]
    assert client.get(path).headers["etag"] == tag
    assert client.put(path, json=LAMP, headers={**boss, "If-None-Match": "*"}).status_code == 412
    assert client.put(path, json=LAMP, headers={**boss, "If-None-Match": tag}).status_code == 412
    other = {**boss, "If-None-Match": '"another"'}
    assert client.put(path, json=LAMP, headers=other).status_code == 428, "not `*` by any value"
    assert client.put(path, json=LAMP, headers=boss).status_code == 428
    changed = client.patch(
        path, json={"label_en": "East lamp", "network": None}, headers={**boss, "If-Match": tag}
    )
    assert (changed.json()["label_en"], changed.json()["network"]) == ("East lamp", None)
    assert (
        client.patch(path, json={"label": "x"}, headers={**boss, "If-Match": tag}).status_code
        == 412
    )
    weak = {**boss, "If-Match": f'"old", W/{changed.headers["etag"]}'}
    assert client.put(path, json=LAMP, headers=weak).json()["label_en"] is None
    assert client.delete(path, headers=boss).status_code == 428
    assert client.delete(path, headers={**boss, "If-Match": "*"}).status_code == 204
    assert client.delete(path, headers={**boss, "If-Match": "*"}).status_code == 404
    history = client.get(f"{BASE}/changes", params={"type": "device", "record": f"{NODE}/lamp-1"})
    assert [one["change"]["action"] for one in history.json()["items"]] == [
        "removed",
        "changed",
        "changed",
        "created",
    ]
    assert history.json()["items"][0]["actor"] == "user:boss"


def test_a_box_taken_out_of_use_is_unknown_from_then_on(client, folder, boss) -> None:
    anyway = {**boss, "If-Match": "*"}
    path = f"{BASE}/edges/{NODE}"
    refused = client.patch(path, json={"retired": True}, headers=anyway)
    assert refused.status_code == 422
    assert refused.json()["faults"] == [
        {
            "where": "retired",
            "what": f"'{NODE}': this edge is in use. device '{NODE}/{CAMERA}' depends on it: "
            "change or retire that first",
        }
    ]
    camera = client.patch(f"{BASE}/devices/{NODE}/{CAMERA}", json={"retired": True}, headers=anyway)
    assert camera.status_code == 200
    assert client.patch(path, json={"retired": True}, headers=anyway).json()["retired"] is True
    assert read_directory(folder.state).standing(SITE, AREA, NODE, CAMERA) == "unknown"
    assert client.get(f"{BASE}/edges").json()["items"] == []
    assert len(client.get(f"{BASE}/edges", params={"retired": True}).json()["items"]) == 1
    assert client.get("/api/v1/devices").json() == {"next": None, "items": [], "nodes": []}
    labels = client.app.state.services.devices.labels(ADMIN)
    assert labels[NODE, CAMERA] == "1 号电梯"  # incidents of before still name it


@pytest.mark.parametrize(
    ("path", "body", "faults"),
    [
        ("teams/x", {"lable": "x"}, {"lable", "label"}),
        ("teams/X", {"label": "x"}, {"id"}),
        ("teams/x", {"id": "y", "label": "x"}, {"id"}),
        ("devices/none/cam", {"label": "x", "kind": "camera"}, {"id"}),
        ("places/c002", {"label": "x", "kind": "site"}, {"id"}),
        ("people/li", {"label": "李", "role": "duty", "phone": 13912345678}, {"phone"}),
        ("people/li", {"label": "李", "role": "duty", "account": "nobody"}, {"account"}),
    ],
)
def test_every_broken_rule_is_a_fault_of_a_problem(client, boss, path, body, faults) -> None:
    answer = client.put(f"{BASE}/{path}", json=body, headers=boss)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert {one["where"] for one in answer.json()["faults"]} == faults
    assert client.get(f"{BASE}/{path}").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"1" * 100_000, b'{"label": NaN}'])
def test_bodies_that_are_none(client, boss, body) -> None:
    for method in ("PUT", "PATCH"):
        answer = client.request(method, f"{BASE}/teams/x", content=body, headers=boss)
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


def test_a_file_is_looked_at_before_it_is_applied(client, folder, boss) -> None:
    data = FILE.encode("gbk")
    seen = upload(client, boss, data, dry_run=True)
    preview = seen.json()
    assert (preview["created"], preview["faults"], preview["applied"]) == (4, [], False)
    assert preview["notes"] == ["read as GB18030"]
    assert client.get(f"{BASE}/people").json()["items"] == []
    assert upload(client, boss, data).status_code == 428
    done = upload(client, {**boss, "If-Match": seen.headers["etag"]}, data)
    assert done.json() == {**preview, "applied": True}
    again = upload(client, boss, data, dry_run=True).json()
    assert (again["unchanged"], again["changes"]) == (4, [])
    for titles in ("zh", "en"):
        export = client.get(f"{BASE}/export", params={"titles": titles})
        assert "attachment" in export.headers["content-disposition"]
        back = upload(client, boss, export.content, dry_run=True).json()
        assert (back["changes"], back["faults"]) == ([], [])
    only = client.get(f"{BASE}/export", params={"titles": "en", "type": "person"}).text
    assert len(only.splitlines()) == 2


def test_a_preview_that_no_longer_holds_is_refused_and_nothing_is_done(client, boss) -> None:
    data = FILE.encode()
    tag = upload(client, boss, data, dry_run=True).headers["etag"]
    client.put(f"{BASE}/people/wang", json={"label": "王", "role": "duty"}, headers=boss)
    stale = upload(client, {**boss, "If-Match": tag}, data)
    assert (stale.status_code, stale.headers["content-type"]) == (412, PROBLEM)
    assert client.get(f"{BASE}/places/{SITE}/{AREA}/u1").status_code == 404
    tag = upload(client, boss, data, dry_run=True).headers["etag"]
    client.put(f"{BASE}/teams/night", json={"label": "夜班"}, headers=boss)
    assert upload(client, {**boss, "If-Match": tag}, data).json()["changed"] == 1


def test_one_refused_row_keeps_the_others_out(client, boss) -> None:
    data = (FILE + f"设备,{NODE}/Lamp 2,x,,路灯,,,\n").encode()
    seen = upload(client, boss, data, dry_run=True)
    (fault,) = seen.json()["faults"]
    assert (fault["row"], fault["column"], fault["hint"]) == (
        6,
        "编号",
        f"Did you mean '{NODE}/lamp-2'?",
    )
    done = upload(client, {**boss, "If-Match": seen.headers["etag"]}, data)
    assert done.status_code == 422
    assert done.json()["faults"][0]["where"] == "row 6, 编号"
    assert client.get(f"{BASE}/people").json()["items"] == []


@pytest.mark.parametrize(
    ("data", "query", "status"),
    [
        (b"", {}, 400),
        (b"PK\x03\x04\x00", {}, 400),
        (b"id,label\nx,y\n", {}, 400),
        (b"id,label\nx,y\n", {"type": "team"}, 200),
        (b"id,label\nx,y\n", {"type": "robot"}, 422),
        (b"x" * (2 * 1024 * 1024 + 1), {}, 413),
    ],
)
def test_files_that_are_none(client, boss, data, query, status) -> None:
    answer = upload(client, boss, data, dry_run=True, **query)
    assert answer.status_code == status
    assert status == 200 or answer.headers["content-type"] == PROBLEM


def test_who_sends_too_much_is_told_how_much_is_taken(client, boss) -> None:
    answer = upload(client, boss, b"x" * (2 * 1024 * 1024 + 1), dry_run=True)
    assert answer.json()["detail"] == "a request has at most 2097152 bytes"


def test_phones_are_for_administrators(client, boss) -> None:
    person = {"label": "王芳", "role": "duty", "phone": "139 1234 5678"}
    client.put(f"{BASE}/people/wang", json=person, headers=boss)
    assert client.get(f"{BASE}/people/wang").json()["phone"] == "139 1234 5678"
    sign_in(client, "wang")
    for found in (
        client.get(f"{BASE}/people/wang").json(),
        client.get(f"{BASE}/people").json()["items"][0],
    ):
        assert found["phone"] == "••• 5678"
    sign_in(client, "guest")
    assert client.get(f"{BASE}/people").status_code == 403


def test_lists_and_the_history_are_paged(client, boss) -> None:
    for number in range(5):
        client.put(f"{BASE}/teams/t{number}", json={"label": str(number)}, headers=boss)

    def walk(path: str, name: str) -> list[Any]:
        seen, cursor = [], None
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = client.get(f"{BASE}/{path}", params=query).json()
            seen += [one[name] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return seen

    assert walk("teams", "id") == [f"t{number}" for number in range(5)]
    numbers = walk("changes", "number")
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers) >= 5
    assert client.get(f"{BASE}/changes", params={"cursor": "x"}).status_code == 400
