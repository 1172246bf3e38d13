"""`linli restore`: everything comes back, no old page goes out, nothing deleted comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from handed_in import arrival
from house import NOON, SITE, Folder, jpeg
from intruder import unguard
from notices import Office

from ingest.archive import make as archive
from ingest.archive import restore as restoring
from ingest.archive import tables
from ingest.archive.age import Key
from ingest.archive.manifest import DATABASES
from ingest.archive.restore import Restored, restore
from ingest.audit import book as audit
from ingest.audit.row import Anchor
from ingest.evidence import book, keys
from ingest.evidence.shelf import FolderStore
from ingest.notify import outbox
from ingest.services.people_file import PeopleFile
from ingest.settings import IngestSettings, Site
from ingest.store import access, state
from ingest.store.engine import reading, writing
from ingest.store.files import UNFINISHED, Files
from linli.cli.main import command
from linli.clock import ManualClock
from linli.errors import InputError
from linli.ids import uuid7
from linli.owner import sole_owner
from linli.seal import about, opened, seal

KEY = Key.new()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def keep_picture(folder: Folder) -> str:
    data, name = jpeg(), uuid7(NOON)
    FolderStore(folder.path / "evidence").put(name, data)
    kept = {"received": NOON, "sha256": "0", "bytes": len(data), "width": 64, "height": 48}
    with writing(folder.state) as connection:
        book.add(connection, arrival(data, name), kept)
    return name


def backed_up(folder: Folder, target: Path, **more: object) -> Path:
    now = folder.clock.now()
    return archive.make(folder.settings, target, [KEY.public], now, **more).path  # type: ignore[arg-type]


def clean(path: Path, site: str = SITE) -> IngestSettings:
    path.mkdir()
    return IngestSettings(data=str(path), site=Site(id=site, label="x"))


def bring_back(settings: IngestSettings, path: Path, **later: float) -> Restored:
    return restore(settings, path, KEY, ManualClock(NOON + timedelta(**later)))


def deleted(settings: IngestSettings, name: str) -> bool:
    engine = Files(settings.folder).reader("state")
    try:
        with reading(engine) as connection:
            row = book.find(connection, name)
            assert row is not None
            return row.deleted is not None
    finally:
        engine.dispose()


def test_all_is_back_on_a_clean_host(folder: Folder, tmp_path: Path) -> None:
    name = keep_picture(folder)
    (folder.path / "link-key").write_text("a" * 64)
    with writing(folder.state) as connection:
        public = keys.make(connection)
    sealed = seal(b"a picture", public, about(SITE, "n", name))
    settings = clean(tmp_path / "new")
    done = bring_back(settings, backed_up(folder, tmp_path / "usb"), seconds=1)
    assert done.aside is None
    assert (done.settled.gone, done.settled.quiet) == (0, 0)
    new = tmp_path / "new"
    for database in DATABASES:
        file = new / f"{database}.db"
        assert file.stat().st_mode & 0o777 == 0o600
        more = {"audit": 1} if database == "state" else {}  # the restore itself
        assert tables.rows(file) == {**tables.rows(folder.path / file.name), **more}
    shelves = [FolderStore(one / "evidence") for one in (new, folder.path)]
    assert shelves[0].get(name) == shelves[1].get(name) is not None
    assert (new / "link-key").read_text() == "a" * 64
    assert not list(new.glob("restore-*"))
    files = Files(new)
    assert files.prepare() == []
    with reading(files.reader("state")) as connection:
        (key,) = keys.known(connection)
        private = keys.private(connection, key)
    assert private is not None
    assert opened(sealed, private, about(SITE, "n", name)) == b"a picture"


def test_no_old_page_goes_out_and_a_new_one_does(tmp_path: Path) -> None:
    old = Office(tmp_path / "old")
    wait = {"rungs": [{"who": "on-duty", "after": "PT0S"}, {"who": "team", "after": "PT5M"}]}
    old.written_down(msgspec.convert({"ladders": {"usual": wait}}, PeopleFile))
    old.begin(zone="a")
    old.once()
    assert old.said("bot"), "called, and the next rung is five minutes away"
    old.begin(zone="b")
    old.incidents.step()
    old.notify.step()
    waiting = old.tally().get("waiting", 0)
    assert waiting, "decided and not yet sent"
    with writing(old.folder.state) as connection:
        (note, *_) = outbox.due(connection, "bot", old.clock.now(), 10)
        assert outbox.lease(connection, note, old.clock.now() + timedelta(minutes=2))
    old.begin(zone="c")  # in the journal, seen by nobody yet
    path = backed_up(old.folder, tmp_path / "usb")
    old.close()

    new = Office(tmp_path / "new")
    new.folder.close()
    new.clock.advance(3 * 3600)  # after a day nothing is told anyway
    done = restore(new.folder.settings, path, KEY, new.clock)
    assert done.settled.quiet >= waiting + 1
    new.work(minutes=30)
    assert len(new.open()) == 3
    assert new.said("bot") == new.said("mail") == []
    new.begin(zone="d")
    new.once()
    assert new.said("bot")
    new.close()


def test_what_was_deleted_or_made_since_is_not_undone(folder: Folder, tmp_path: Path) -> None:
    kept, erased = keep_picture(folder), keep_picture(folder)
    path = backed_up(folder, tmp_path / "usb")
    FolderStore(folder.path / "evidence").remove(erased)
    with writing(folder.state) as connection:
        book.deleted(connection, erased, NOON)
        keys.make(connection)
        (newer,) = keys.known(connection)
    folder.close()
    done = bring_back(folder.settings, path, seconds=1)
    assert (done.settled.gone, done.settled.keys) == (1, 1)
    assert FolderStore(folder.path / "evidence").get(erased) is None
    assert deleted(folder.settings, erased)
    assert not deleted(folder.settings, kept)
    with reading(folder.state) as connection:
        assert keys.known(connection) == [newer]
    assert done.aside is not None
    assert (done.aside / "state.db").is_file()
    assert (done.aside / "evidence").is_dir()


def test_pictures_whose_time_is_over_or_that_were_left_out_do_not_come_back(
    folder: Folder, tmp_path: Path
) -> None:
    name = keep_picture(folder)
    path = backed_up(folder, tmp_path / "usb")
    late = clean(tmp_path / "late")
    assert bring_back(late, path, days=31).settled.gone == 1
    assert FolderStore(late.folder / "evidence").get(name) is None
    assert deleted(late, name)
    folder.clock.advance(60)
    bare = clean(tmp_path / "bare")
    path = backed_up(folder, tmp_path / "usb", pictures="none")
    assert bring_back(bare, path, seconds=61).settled.gone == 1
    assert deleted(bare, name)


def test_what_the_log_of_who_did_what_lost_is_told(folder: Folder, tmp_path: Path) -> None:
    with writing(folder.state) as connection:
        audit.note(connection, NOON, "user:wang", "looked", "p1")
    path = backed_up(folder, tmp_path / "usb")
    with writing(folder.state) as connection:
        audit.note(connection, NOON, "user:wang", "looked", "p2")
        lost = audit.head(connection)
    folder.close()
    done = bring_back(folder.settings, path, seconds=1)
    with writing(folder.state) as connection:
        said = audit.page(connection, before=None, limit=1)[0]
        assert (said.act, said.detail) == ("restored", {"had": str(lost)})
        assert audit.verify(connection, [Anchor.parse(done.manifest.audit or "")]) is None
        unguard(connection)
        connection.execute(access.audit.delete())  # and what the archive held is missed
        broken = audit.verify(connection, [Anchor.parse(done.manifest.audit or "")])
        assert broken is not None


def test_who_was_signed_in_is_not(folder: Folder, tmp_path: Path) -> None:
    row = {"token_hash": "x", "account": "wang", "csrf": "y", "created": NOON, "expires": NOON}
    with writing(folder.state) as connection:
        row["account"] = connection.scalar(sa.select(state.account.c.id).limit(1)) or ""
        connection.execute(state.session.insert(), row)
    settings = clean(tmp_path / "new")
    bring_back(settings, backed_up(folder, tmp_path / "usb"))
    assert tables.rows(settings.folder / "state.db")["session"] == 0


@pytest.mark.parametrize("harm", ["cut", "other site", "other key", "newer tables"])
def test_what_cannot_be_restored_leaves_all_as_it_was(
    folder: Folder, tmp_path: Path, harm: str
) -> None:
    if harm == "newer tables":
        with writing(folder.state) as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = 'state_9999'"))
    path = backed_up(folder, tmp_path / "usb")
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    site = "c002" if harm == "other site" else SITE
    settings = msgspec.structs.replace(folder.settings, site=Site(id=site, label="x"))
    folder.close()
    before = {one.name: one.stat().st_ino for one in folder.path.iterdir()}
    with pytest.raises(InputError):
        restore(settings, path, Key.new() if harm == "other key" else KEY, ManualClock(NOON))
    assert {one.name: one.stat().st_ino for one in folder.path.iterdir()} == before


def test_a_damaged_ingest_can_be_restored(folder: Folder, tmp_path: Path) -> None:
    path = backed_up(folder, tmp_path / "usb")
    folder.close()
    (folder.path / "state.db").write_bytes(b"not a database, and no " * 1000)
    said: list[str] = []
    done = restore(folder.settings, path, KEY, ManualClock(NOON), say=said.append)
    assert any("cannot be read" in one for one in said)
    assert done.aside is not None
    assert tables.rows(folder.path / "state.db")["account"] == 3


def test_a_restore_that_was_cut_short_lets_nothing_start_until_it_is_done(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = backed_up(folder, tmp_path / "usb")
    with writing(folder.state) as connection:
        keys.make(connection)
    folder.close()
    settings = folder.settings
    moved: list[Path] = []
    replace = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if self.parent.name == restoring.STAGE:
            moved.append(self)
            if len(moved) == 2:
                raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(KeyboardInterrupt):
        bring_back(settings, path)
    monkeypatch.undo()
    with pytest.raises(InputError, match="a restore was cut short"):
        Files(settings.folder).prepare()
    done = bring_back(settings, path, seconds=1)
    assert done.settled.keys == 1, "it lies in what the first one put aside"
    assert not (settings.folder / UNFINISHED).exists()
    assert Files(settings.folder).prepare() == []


class Shell:
    def __init__(self, path: Path) -> None:
        self.config = path / "ingest.toml"
        self.config.write_text(f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "x"\n')
        self.key = path / "backup.key"
        self.key.write_text(f"# made by somebody\n{KEY.private}\n")

    def __call__(self, *words: str, answer: str = "") -> Result:
        more = ("--config", str(self.config), "--key", str(self.key))
        result = CliRunner().invoke(command, ("restore", *words, *more), input=answer)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


def test_the_command_asks_before_data_and_not_beside_an_ingest(
    folder: Folder, tmp_path: Path
) -> None:
    shell, path = Shell(tmp_path), str(backed_up(folder, tmp_path / "usb"))
    folder.close()
    with sole_owner(folder.path), pytest.raises(InputError, match="another ingest runs"):
        shell(path, "--yes")
    refused = shell(path, answer="n\n")
    assert refused.exit_code == 1
    assert "Put it aside" in refused.stderr
    assert not list(folder.path.glob(f"{restoring.ASIDE}*"))
    assert "not told again: 0" in shell(path, answer="y\n").stdout
    done = json.loads(shell(path, "--yes", "--json").stdout)
    assert Path(done["aside"]).is_dir()
    assert done["rows"]["state"] > 0
