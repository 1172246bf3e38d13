"""`linli privacy` (S27): what is kept of a place and a time, handed over, deleted, written down."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from handed_in import arrival
from house import CAMERA, NODE, NOON, SITE, Folder, jpeg

from ingest import registry
from ingest.audit import book as audit
from ingest.evidence import book
from ingest.evidence.retention import HoldStep, Keep
from ingest.evidence.shelf import FolderStore
from ingest.feed import Feed
from ingest.registry import book as history
from ingest.registry.plan import Change, FieldChange
from ingest.services.evidence import EvidenceService
from ingest.store.engine import reading, writing
from ingest.store.registry import device, node
from linli.cli import privacy
from linli.cli.main import command
from linli.errors import InputError
from linli.ids import first_id, time_of, uuid7

HOUR = timedelta(hours=1)
OTHER, KEY = "c001-n08", "another-key-of-its-own-node"


class Office:
    """A store with pictures of three moments and two buildings; one late, one by hand, one held."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path / "data")
        self.shelf = FolderStore(path / "data" / "evidence")
        self.config = path / "ingest.toml"
        self.config.write_text(
            f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "春晖"\n{self.folder.toml}',
            encoding="utf-8",
        )
        with writing(self.folder.state) as connection:
            registry.add_node(
                connection,
                site=SITE,
                area="b04",
                name=OTHER,
                label="4 号楼",
                key="another-key-of-its-own-node",
            )
        self.service = EvidenceService(
            self.folder.reader("state"), self.folder.state, self.shelf, Feed(), keep=Keep()
        )
        self.before = self.take(NOON - HOUR, NOON)
        self.early = self.take(NOON, NOON)
        self.late = self.take(NOON + 2 * HOUR, NOON + 2 * HOUR)
        self.elsewhere = self.take(NOON, NOON, node=OTHER)
        self.wrong_clock = self.take(NOON - timedelta(days=900), NOON + timedelta(minutes=5))
        self.photo = self.service.hand_in(SITE, jpeg((80, 60)), NOON, area="b03")

    def take(self, taken, received, **changes) -> str:
        name, data = uuid7(taken), jpeg((64, 48))
        given = arrival(data, name, expires=received + timedelta(days=20), **changes)
        assert self.service.take(given, data, received)
        return name

    def hold(self, name: str) -> None:
        step = HoldStep(step="held", account="user:boss", at=NOON, why="claim")
        with writing(self.folder.state) as connection:
            book.add_step(connection, name, step)

    def __call__(self, act: str, place: str, *more: str, answer: str = "") -> Result:
        times = (
            () if "--from" in more else ("--from", "2026-03-02T20:00", "--to", "2026-03-02T21:00")
        )
        words = ("privacy", act, "--place", place, *times, *more, "--config", str(self.config))
        result = CliRunner().invoke(command, words, input=answer)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def listed(self, place: str, *more: str) -> set[str]:
        return {one["id"] for one in json.loads(self("list", place, "--json", *more).stdout)}

    def acts(self) -> list[tuple[str, str]]:
        with reading(self.folder.state) as connection:
            rows = audit.page(connection, before=None, limit=10)
        return [(row.act, row.subject) for row in rows]


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.folder.close()


def test_a_place_and_a_time_are_found_with_what_came_by_a_wrong_clock(office: Office) -> None:
    # One was taken before and came within: which clock was right, nobody knows.
    here = {office.before, office.early, office.wrong_clock, office.photo}
    assert office.listed("c001/b03") == here
    assert office.listed("c001") == here | {office.elsewhere}
    assert office.listed("c001/b04") == {office.elsewhere}
    assert office.listed("c001/b0") == set()
    assert "c001/b0 is no place of the registry" in office("list", "c001/b0").stderr
    assert office("list", "c001/b03").stderr == ""
    assert office.listed("c001/b03", "--from", "2026-03-02T22:00+08:00", "--to", "2026-03-03") == {
        office.late
    }


def test_a_camera_that_moved_shows_where_it_hung_then(office: Office) -> None:
    def move(kind: str, name: str, at: timedelta, before: str | None, after: str | None) -> None:
        field = FieldChange(field="place", before=before, after=after)
        action = "created" if before is None else "changed"
        change = Change(type=kind, id=name, action=action, fields=(field,))  # type: ignore[arg-type]
        with writing(office.folder.state) as connection:
            history.note(connection, [change], "user:boss", NOON + at)

    old, new = f"{SITE}/b03/u1/e1", f"{SITE}/b03/u2/e2"
    with writing(office.folder.state) as connection:
        here = device.update().where(device.c.node == NODE)
        connection.execute(here, {"subject": new.removeprefix(f"{SITE}/")})
        connection.execute(node.update().where(node.c.node == OTHER), {"area": "b05"})
    move("device", f"{NODE}/{CAMERA}", -30 * HOUR, None, old)
    move("device", f"{NODE}/{CAMERA}", HOUR, old, new)
    move("edge", OTHER, HOUR, f"{SITE}/b04", f"{SITE}/b05")
    at_noon = {office.before, office.early, office.wrong_clock}
    assert office.listed(f"{SITE}/b03/u1") == at_noon
    assert office.listed(f"{SITE}/b03/u2") == set()
    assert office.listed(f"{SITE}/b03") == at_noon | {office.photo}
    evening = ("--from", "2026-03-02T22:00", "--to", "2026-03-02T23:00")
    assert office.listed(f"{SITE}/b03/u1", *evening) == set()
    assert office.listed(f"{SITE}/b03/u2", *evening) == {office.late}
    assert office.listed(f"{SITE}/b04") == {office.elsewhere}
    assert office.listed(f"{SITE}/b05") == set()
    # Taken before the move and received after it: it counts for both, no one knows which is right.
    offline = office.take(NOON, NOON + 2 * HOUR)
    assert offline in office.listed(f"{SITE}/b03/u1") & office.listed(f"{SITE}/b03/u2")


def test_the_ingest_can_write_while_an_export_is_packed(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = privacy._pack

    def packed(*given: Any) -> None:
        office.hold(office.early)  # waits in vain where the export holds the writer
        pack(*given)

    monkeypatch.setattr(privacy, "_pack", packed)
    office("export", "c001/b03", "--out", str(tmp_path / "x.zip"), "--why", "request 17")
    assert [one.name for one in tmp_path.iterdir() if "x.zip" in one.name] == ["x.zip"]


def test_an_export_holds_pictures_and_a_list_and_is_a_look_at_each(
    office: Office, tmp_path: Path
) -> None:
    out = tmp_path / "request.zip"
    office("export", "c001/b03", "--out", str(out), "--why", "request 17")
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("pictures.csv").decode())))
        found = {row["file"]: hashlib.sha256(archive.read(row["file"])).hexdigest() for row in rows}
        assert len(archive.namelist()) == len(rows) + 1
    assert found == {row["file"]: row["sha256"] for row in rows}
    assert f"{office.early}.jpg" in found
    assert {row["edge"] for row in rows if row["file"] == f"{office.early}.jpg"} == {NODE}
    with reading(office.folder.state) as connection:
        (look,) = book.looks(connection, office.early)
    assert look.purpose == "request"
    assert office.acts()[0] == ("pictures-exported", "c001/b03")
    with pytest.raises(InputError, match="is there already"):
        office("export", "c001/b03", "--out", str(out), "--why", "again")


def test_an_export_that_cannot_be_written_is_no_look(office: Office, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        office("export", "c001/b03", "--out", str(tmp_path / "none" / "a.zip"), "--why", "x")
    with reading(office.folder.state) as connection:
        assert book.looks(connection, office.early) == []
    assert office.acts() == []


def test_what_is_deleted_is_gone_but_what_is_held(office: Office) -> None:
    office.hold(office.before)
    assert office("delete", "c001/b03", "--why", "x", answer="n\n").exit_code == 1
    assert office.shelf.get(office.early) is not None
    done = office("delete", "c001/b03/", "--why", "request 17", "--yes", "--json")
    assert done.exit_code == 1, "something is held"
    gone = {office.early, office.wrong_clock, office.photo}
    assert json.loads(done.stdout) == {
        "deleted": sorted(gone),
        "held": 1,
    }
    assert {one for one in (*gone, office.before) if office.shelf.get(one)} == {office.before}
    assert office.listed("c001/b03") == {office.before}
    assert office.acts() == [("pictures-deleted", "c001/b03")]
    # The same again finds nothing more, and a picture that is gone does not come back.
    again = json.loads(office("delete", "c001/b04", "--why", "x", "--yes", "--json").stdout)
    assert again == {"deleted": [office.elsewhere], "held": 0}
    data = jpeg((64, 48))
    assert office.service.take(arrival(data, office.early, device=CAMERA), data, NOON) is False
    assert office.shelf.get(office.early) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("c002",), "is not here"),
        (("c001", "--from", "yesterday"), "is no time"),
        (("c001", "--from", "2026-03-02T21:00", "--to", "2026-03-02T20:00"), "is not after"),
    ],
    ids=["place", "time", "order"],
)
def test_a_request_that_means_nothing_is_refused(
    office: Office, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        office("list", *words)


@pytest.mark.parametrize("act", ["delete", "export"])
def test_nothing_is_done_without_a_reason(office: Office, tmp_path: Path, act: str) -> None:
    how = ("--yes",) if act == "delete" else ("--out", str(tmp_path / "x.zip"))
    for why in ((), ("--why", " ")):
        refused = office(act, "c001", *how, *why)
        assert refused.exit_code == 2
        assert "--why" in refused.stderr
    assert office.listed("c001/b04") == {office.elsewhere}
    assert not (tmp_path / "x.zip").exists()
    assert office.acts() == []


def test_an_id_tells_its_time() -> None:
    name = uuid7(NOON)
    assert time_of(name) == NOON
    assert first_id(NOON) <= name < first_id(NOON + timedelta(milliseconds=1))
    assert time_of("no id") is None
    assert time_of("ffffffff-ffff-7fff-bfff-ffffffffffff") is None, "of a year that no calendar has"
    assert time_of("6ba7b810-9dad-11d1-80b4-00c04fd430c8") is None, "of another kind"
