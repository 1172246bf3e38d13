"""Rules over REST and on the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import CAMERA, NODE, NOON, Folder, running, sign_in

import ingest.services.rules as service_module
from ingest.rules import versions
from ingest.rules.trial import SLICE
from ingest.store.engine import reading, writing
from ingest.store.journal import CLOCK
from linli.cli.main import command, main
from linli.errors import InputError
from linli.events import Reading

HOT = """
[[rule]]
type = "threshold"
id = "hot"
label = "热"
reading = "temperature"
above = 60
"""
RULES = "/api/v1/rules"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder):
    with running(folder) as client:
        yield client


def hot(folder: Folder) -> None:
    for value in (61, 20, 70):
        folder.put_readings(Reading(n="temperature", v=value, u="Cel", t=folder.clock.now()))
        folder.clock.advance(60)
    folder.put(CLOCK, "tick", b"", device="")


def put(client: TestClient, text: str, tag: str, headers: dict[str, str], **query: str):
    headers = {**headers, "If-Match": tag, "Content-Type": "application/toml"}
    return client.put(RULES, content=text.encode(), headers=headers, params=query)


def test_rules_are_read_changed_and_kept_by_version(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "boss")
    first = client.get(RULES)
    shown = first.json()
    assert (shown["version"], shown["text"], shown["position"]) == (0, "", 0)
    assert [(one["id"], one["origin"]) for one in shown["rules"]] == [
        ("ebike-in-elevator", "builtin"),
        ("fire", "builtin"),
        ("passages", "builtin"),
        ("door-hold", "builtin"),
        ("voice-prompt", "builtin"),
        ("lamp-set", "builtin"),
        ("camera-away", "builtin"),
        ("sensor-offline", "builtin"),
        ("edge-silent", "builtin"),
        ("edge", "builtin"),
    ]
    made = put(client, HOT, first.headers["etag"], headers, note="heat")
    assert made.status_code == 200, made.text
    assert made.json()["rules"][0] == {
        "id": "hot",
        "type": "threshold",
        "label": "热",
        "origin": "site",
        "severity": "medium",
        "incident": "hot",
        "safety": False,
        "raises": True,
        "enabled": True,
    }
    assert made.headers["etag"] == client.get(RULES).headers["etag"] != first.headers["etag"]
    assert put(client, HOT, made.headers["etag"], headers).json()["version"] == 1  # nothing new
    (row,) = client.get(f"{RULES}/history").json()["items"]
    assert (row["version"], row["actor"], row["note"]) == (1, "user:boss", "heat")
    assert client.get(f"{RULES}/history/1").json()["text"] == HOT
    assert client.get(f"{RULES}/history/0").json()["text"] == ""
    assert client.get(f"{RULES}/history/2").status_code == 404


def test_they_hold_after_the_next_row(client: TestClient, folder: Folder) -> None:
    headers = sign_in(client, "boss")
    put(client, HOT, client.get(RULES).headers["etag"], headers)
    assert client.get(RULES).json()["position"] is None
    hot(folder)
    for _ in range(500):
        client.app.state.house.wake()
        items = client.get("/api/v1/incidents").json()["items"]
        if items:
            break
    assert [one["rule"] for one in items] == ["rule:hot@1"]
    assert client.get(RULES).json()["position"] == 0


def test_two_people_do_not_overwrite_each_other(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    tag = client.get(RULES).headers["etag"]
    assert put(client, HOT, tag, headers).status_code == 200
    late = put(client, HOT + "# mine\n", tag, headers)
    assert (late.status_code, late.json()["title"]) == (412, "Changed meanwhile")
    missing = client.put(RULES, content=HOT.encode(), headers=headers)
    assert (missing.status_code, "If-Match" in missing.json()["detail"]) == (428, True)


def test_every_fault_is_told(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    tag = client.get(RULES).headers["etag"]
    answer = put(client, HOT + "clear = 70\nfor = '0s'\n", tag, headers)
    assert answer.status_code == 422
    assert [one["where"] for one in answer.json()["faults"]] == [
        "rule 'hot': for",
        "rule 'hot': clear",
    ]
    assert client.get(RULES).json()["version"] == 0
    bad = client.put(RULES, content=b"\xff", headers={**headers, "If-Match": tag})
    assert bad.status_code == 400
    assert put(client, HOT, tag, headers, note="x" * 501).status_code == 422
    where = {"start": NOON.isoformat(), "end": NOON.isoformat()}
    assert client.post(f"{RULES}/test", params=where, headers=headers).status_code == 400
    where["end"] = (NOON + timedelta(days=1)).isoformat()
    answer = client.post(f"{RULES}/test", params=where, content=b"x", headers=headers)
    assert answer.json()["faults"][0]["what"].startswith("not valid TOML")


def test_trying_rules_writes_nothing(client: TestClient, folder: Folder, monkeypatch) -> None:
    headers = sign_in(client, "boss")
    hot(folder)
    where = {"start": NOON.isoformat(), "end": (NOON + timedelta(hours=1)).isoformat()}
    answer = client.post(f"{RULES}/test", params=where, content=HOT.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    (row,) = [one for one in found["rules"] if one["rule"] == "hot"]
    assert (found["complete"], row["raised"], row["lasting"]) == (True, 2, 1)
    assert row["counts"] == [{"device": f"{NODE}/{CAMERA}", "day": "2026-03-02", "raised": 2}]
    assert client.get(RULES).json()["version"] == 0
    for _ in range(SLICE):
        folder.put_status("ready")
    monkeypatch.setattr(service_module, "PATIENCE", 0.0)
    answer = client.post(f"{RULES}/test", params=where, content=HOT.encode(), headers=headers)
    assert not answer.json()["complete"]


def test_a_document_of_another_linli_is_shown_with_its_faults(client, folder: Folder) -> None:
    sign_in(client, "guest")
    with writing(folder.state) as connection:
        versions.add(connection, "nonsense", actor="user:x", at=NOON)
    shown = client.get(RULES).json()
    assert shown["faults"][0].startswith("not valid TOML")
    assert [one["origin"] for one in shown["rules"]] == ["builtin"] * 10


@pytest.fixture
def shell(folder: Folder, tmp_path: Path):
    """Return what runs `linli rules …` on this folder, and gives exit code and output."""
    config = tmp_path / "ingest.toml"
    said = f'data = "data"\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}'
    config.write_text(said, encoding="utf-8")
    (tmp_path / "rules.toml").write_text(HOT, encoding="utf-8")
    (tmp_path / "bad.toml").write_text(HOT + "abov = 3\nclear = 'x'\n", encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        words = [str(tmp_path / one) if one.endswith(".toml") else one for one in arguments]
        result = CliRunner().invoke(command, ["rules", *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


def test_check_says_whether_a_file_is_good(shell, tmp_path: Path) -> None:
    assert shell("check", "rules.toml") == (
        0,
        f"{tmp_path / 'rules.toml'}: good. 1 rule, 10 built-in behind them\n",
    )
    assert json.loads(shell("check", "rules.toml", "--json")[1])["rules"] == ["hot"]
    code, said = shell("check", "bad.toml")
    assert (code, "rule 'hot': abov: nobody knows this key. Did you mean 'above'?" in said) == (
        2,
        True,
    )
    code, said = shell("check", "bad.toml", "--json")
    assert (code, json.loads(said)["faults"][0]["key"]) == (2, "abov")
    with pytest.raises(InputError, match="no such file"):
        shell("check", "nothing.toml")


def test_apply_and_show(shell, folder: Folder) -> None:
    assert shell("apply", "rules.toml", "--note", "heat", "--config", "ingest.toml")[1] == (
        "version 1\n"
    )
    assert shell("apply", "rules.toml", "--config", "ingest.toml")[1] == "version 1, as it was\n"
    code, said = shell("show", "--config", "ingest.toml")
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "version 1, not yet in force, written by user:command line"
    assert [line.split()[0] for line in lines[1:]] == [
        "hot",
        "ebike-in-elevator",
        "fire",
        "passages",
        "door-hold",
        "voice-prompt",
        "lamp-set",
        "camera-away",
        "sensor-offline",
        "edge-silent",
        "edge",
    ]
    assert shell("show", "--text", "--config", "ingest.toml")[1] == HOT
    shown = json.loads(shell("show", "--json", "--config", "ingest.toml")[1])
    assert (shown["version"], shown["position"]) == (1, None)
    with reading(folder.state) as connection:
        assert versions.newest(connection).note == "heat"
    with pytest.raises(InputError, match="abov"):
        shell("apply", "bad.toml", "--config", "ingest.toml")


def test_test_shows_a_table_and_examples(shell, folder: Folder) -> None:
    hot(folder)
    times = ("--from", "2026-03-02T12:00Z", "--to", "2026-03-02T13:00Z")
    code, said = shell("test", "rules.toml", "--config", "ingest.toml", *times)
    assert code == 0
    assert "2026-03-02 20:00:00 to 2026-03-02 21:00:00: 4 journal rows read" in said
    assert "hot                                    2         1        1" in said
    assert f"2026-03-02  {NODE}/{CAMERA}" in said
    assert "e.g. 2026-03-02 20:00:00 to 2026-03-02 20:01:00" in said
    assert "ebike-in-elevator" not in said
    assert (
        "ebike-in-elevator"
        in shell("test", "rules.toml", "--config", "ingest.toml", "--all", *times)[1]
    )
    local = ("--from", "2026-03-02T20:00", "--to", "2026-03-02T20:00:30")
    found = json.loads(shell("test", "rules.toml", "--config", "ingest.toml", "--json", *local)[1])
    assert [(one["rule"], one["raised"]) for one in found["rules"]] == [("hot", 1)]


def test_test_refuses_times_that_are_none(shell) -> None:
    for start, said in (("yesterday", "is no time"), ("2999-01-01", "is not before")):
        with pytest.raises(InputError, match=said):
            shell("test", "rules.toml", "--config", "ingest.toml", "--from", start)


def test_a_folder_without_an_ingest_is_said(shell, tmp_path: Path) -> None:
    config = tmp_path / "empty.toml"
    config.write_text('data = "none"\n[site]\nid = "c001"\nlabel = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match="no ingest has run here yet"):
        shell("show", "--config", "empty.toml")


def test_faults_end_the_command_with_two(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", "check", str(tmp_path / "no.toml")])
    assert ended.value.code == 2
    assert "no such file" in capsys.readouterr().err
