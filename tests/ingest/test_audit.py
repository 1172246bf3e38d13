"""The audit log: a row for what people do, and no row that can be changed unseen."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
import stores
from click.testing import CliRunner
from house import NOON, PASSWORDS, Folder, running, sign_in
from intruder import unguard

from ingest.audit import book
from ingest.audit.row import Anchor
from ingest.store.access import audit
from ingest.store.engine import reading, writing
from ingest.store.guard import guarded
from linli.cli.main import command

MISSING = postgres.missing()


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def fill(folder: Folder, rows: int = 5) -> None:
    with writing(folder.state) as connection:
        for number in range(rows):
            at = NOON + timedelta(seconds=number)
            book.note(connection, at, "user:wang", "looked", f"p{number}", purpose="incident")


def broken(folder: Folder, *anchors: Anchor) -> tuple[int, str] | None:
    with reading(folder.state) as connection:
        found = book.verify(connection, anchors)
    return None if found is None else (found.id, found.why)


ON_SERVER = pytest.param(
    "postgresql",
    marks=[pytest.mark.postgres, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))],
)


@pytest.mark.parametrize("kind", ["sqlite", ON_SERVER])
def test_the_database_itself_refuses_to_change_a_row(tmp_path: Path, kind: str) -> None:
    with stores.use(kind):
        folder = Folder(tmp_path)
        fill(folder)
        again = "INSERT INTO audit SELECT id, at, 'user:li', act, subject, detail, hash FROM audit"
        refused = [
            "UPDATE audit SET actor = 'user:li' WHERE id = 3",
            "DELETE FROM audit WHERE id = 5",
            "DELETE FROM audit",
            f"{again} WHERE id = 3",
            "TRUNCATE audit" if kind == "postgresql" else again.replace("INSERT", "REPLACE"),
        ]
        for statement in refused:
            with pytest.raises(sa.exc.IntegrityError), writing(folder.state) as connection:
                connection.exec_driver_sql(statement)
        assert broken(folder) is None
        with writing(folder.state) as connection:
            assert len(book.page(connection, before=None, limit=9)) == 5
            assert guarded(connection)
            book.note(connection, NOON, "user:wang", "looked")  # and goes on
            unguard(connection)
            assert not guarded(connection)
        folder.close()


def test_an_edit_of_the_file_itself_is_found(folder: Folder) -> None:
    if folder.settings.database.url is not None:
        pytest.skip("there is no file")
    fill(folder)
    folder.state.dispose()
    path = folder.path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    assert whole.count(b"p3{") == 1
    path.write_bytes(whole.replace(b"p3{", b"p9{"))
    found = broken(folder)
    assert found is not None
    assert found[0] == 4


@pytest.mark.parametrize(
    ("change", "row", "why"),
    [
        (sa.update(audit).where(audit.c.id == 3).values(actor="user:li"), 3, "was changed"),
        (sa.update(audit).where(audit.c.id == 3).values(detail="{}"), 3, "was changed"),
        (
            sa.update(audit).where(audit.c.id == 2).values(at=NOON - timedelta(days=1)),
            2,
            "was changed",
        ),
        (sa.delete(audit).where(audit.c.id == 3), 3, "is missing"),
        (sa.delete(audit).where(audit.c.id == 1), 1, "is missing"),
    ],
    ids=["actor", "detail", "backdated", "taken-out", "first"],
)
def test_the_first_row_that_was_touched_is_named(folder, change, row, why) -> None:
    fill(folder)
    assert broken(folder) is None
    with writing(folder.state) as connection:
        unguard(connection)
        connection.execute(change)
    found = broken(folder)
    assert found is not None
    assert found[0] == row
    assert why in found[1]


def test_rows_that_changed_places_and_rows_written_anew_are_named(folder: Folder) -> None:
    fill(folder)
    with reading(folder.state) as connection:
        head = book.head(connection)
    assert head is not None
    with writing(folder.state) as connection:
        unguard(connection)
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(sa.update(audit).where(audit.c.id == old).values(id=new))
    found = broken(folder)
    assert found is not None
    assert found[0] == 2
    with writing(folder.state) as connection:  # all of it anew, with hashes that fit
        connection.execute(audit.delete())
    fill(folder, 3)
    fill(folder, 2)
    assert broken(folder) is None
    found = broken(folder, head)
    assert found == (5, "is not the row that the anchor names")


def test_a_cut_end_shows_beside_an_anchor(folder: Folder) -> None:
    fill(folder)
    with reading(folder.state) as connection:
        head = book.head(connection)
    assert head is not None
    with writing(folder.state) as connection:
        unguard(connection)
        connection.execute(audit.delete().where(audit.c.id > 3))
    assert broken(folder) is None
    assert broken(folder, head) == (4, "is missing: there was a row 5")


def test_the_command_names_the_first_broken_row(folder: Folder, tmp_path: Path) -> None:
    fill(folder)
    config = tmp_path / "ingest.toml"
    config.write_text(
        f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}', encoding="utf-8"
    )
    runner = CliRunner()
    told = runner.invoke(command, ["audit", "verify", "--json", "--config", str(config)])
    assert told.exit_code == 0, told.output
    head = json.loads(told.stdout)["head"]
    with writing(folder.state) as connection:
        book.note(connection, NOON, "user:x\nforged line", "signed-in", "\x1b[31m")
        unguard(connection)
    told = runner.invoke(command, ["audit", "verify", "--config", str(config)])
    assert told.exit_code == 1
    assert "triggers were taken away" in told.output
    with writing(folder.state) as connection:
        connection.execute(audit.delete().where(audit.c.id == 5))
    told = runner.invoke(command, ["audit", "verify", "--anchor", head, "--config", str(config)])
    assert (told.exit_code, told.output) == (1, "row 5 is missing\n")
    lines = runner.invoke(command, ["audit", "list", "--config", str(config)]).output.splitlines()
    assert len(lines) == 5
    assert "\x1b" not in lines[0]


def test_what_people_do_is_written_down(folder: Folder) -> None:
    with running(folder) as client:
        wrong = {"name": "wang", "password": "not this one"}
        assert client.post("/api/v1/login", json=wrong).status_code == 401
        unknown = {"name": "a password typed here", "password": "x"}
        assert client.post("/api/v1/login", json=unknown).status_code == 401
        headers = sign_in(client, "boss")
        api = "/api/v1"
        made = client.post(
            f"{api}/accounts", json={"name": "li", "role": "community"}, headers=headers
        )
        assert made.status_code == 201, made.text
        token = {"account": "li", "label": "grafana", "scopes": ["see"]}
        assert client.post(f"{api}/tokens", json=token, headers=headers).status_code == 201
        assert client.get(f"{api}/registry/export").status_code == 200
        page = client.get(f"{api}/audit").json()
        rows = [(one["actor"], one["act"], one["subject"]) for one in reversed(page["items"])]
        assert rows == [
            ("nobody", "sign-in-refused", "wang"),
            ("nobody", "sign-in-refused", "unknown"),
            ("user:boss", "signed-in", "boss"),
            ("user:boss", "account-made", "li"),
            ("user:boss", "token-made", "li"),
            ("user:boss", "registry-exported", "place edge device team person"),
        ]
        secrets = [made.json()["secret"], PASSWORDS["boss"][1], "a password typed here"]
        assert not any(one in client.get(f"{api}/audit").text for one in secrets)
        assert client.get(f"{api}/audit/check").json()["broken"] is None
        assert client.get(f"{api}/audit/check?anchor=x").status_code == 400
        cut = client.get(f"{api}/audit", params={"limit": 2, "cursor": page["items"][1]["id"]})
        assert [one["id"] for one in cut.json()["items"]] == [4, 3]
        only = client.get(f"{api}/audit?act=signed-in").json()["items"]
        assert [one["subject"] for one in only] == ["boss"]


def test_who_is_shown_phones_and_addresses_is_written_down_once_an_hour(folder: Folder) -> None:
    api = "/api/v1"
    with running(folder) as client:
        headers = sign_in(client, "boss")
        li = {"label": "李伟", "role": "duty", "phone": "+86 138 0000 1111"}
        made = client.put(
            f"{api}/registry/people/li", json=li, headers={**headers, "If-None-Match": "*"}
        )
        assert made.status_code == 201, made.text
        for _ in range(3):
            for path in (
                "registry/people",
                "registry/people/li",
                "notifications",
                "registry/places",
            ):
                assert client.get(f"{api}/{path}").status_code == 200, path
        folder.clock.advance(3601)
        assert client.get(f"{api}/registry/people/li").status_code == 200
        sign_in(client, "wang")
        assert "0000" not in client.get(f"{api}/registry/people/li").text
        assert client.get(f"{api}/notifications").status_code == 200
    with reading(folder.state) as connection:
        rows = book.page(connection, before=None, limit=100, acts=["personal-shown"])
    told = [(one.actor, one.subject) for one in reversed(rows)]
    subjects = ("people", "person li", "notifications", "person li")
    assert told == [("user:boss", subject) for subject in subjects]


def test_a_refusal_is_written_down_and_a_thousand_are_not(folder: Folder) -> None:
    with running(folder) as client:
        headers = sign_in(client, "guest")
        for _ in range(30):
            assert client.get("/api/v1/accounts").status_code == 403
        client.post("/api/v1/drills", json={"node": "c001-n07", "device": "cam-e1"})
        client.get("/settings/access")
        client.get("/api/v1/accounts", headers={"Authorization": "Bearer x"})
        folder.clock.advance(3601)
        forged = {**headers, "X-CSRF-Token": "not this one"}
        refused = client.post("/api/v1/drills", json={"node": "x", "device": "y"}, headers=forged)
        assert refused.status_code == 403
    with reading(folder.state) as connection:
        rows = book.page(connection, before=None, limit=100, acts=["refused"])
    assert {one.actor for one in rows} == {"user:guest"}
    told = [one.subject for one in rows]
    assert told == ["POST /api/v1/drills", *["GET /api/v1/accounts"] * 20]


def test_what_is_done_at_the_desk_is_written_down(folder: Folder) -> None:
    api = "/api/v1"
    with running(folder) as client:
        headers = sign_in(client, "boss")
        ends = (NOON + timedelta(hours=1)).isoformat()
        wish = {"matchers": {"sites": ["c001"]}, "why": "repair", "ends": ends}
        silence = client.post(f"{api}/silences", json=wish, headers=headers).json()["id"]
        for _ in range(2):  # the second changes nothing, and is not told
            over = client.post(f"{api}/silences/{silence}/end", headers=headers)
            assert over.status_code == 200, over.text
        place = {"node": "c001-n07", "device": "cam-e1"}
        drill = client.post(f"{api}/drills", json=place, headers=headers).json()["id"]
        for _ in range(2):
            assert client.post(f"{api}/drills/{drill}/end", headers=headers).status_code == 200
        acts = [one["act"] for one in client.get(f"{api}/audit").json()["items"]]
    wanted = ["signed-in", "silence-made", "silence-ended", "drill-begun", "drill-ended"]
    assert acts[::-1] == wanted
