"""Backups that make themselves: when, where to, which stay; deletions outlive them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from house import ADMIN, NOON, SITE, Folder
from night_backups import KEY, Shell, keep_picture

from ingest.archive import delivery, left, make, record, tombstones
from ingest.archive.delivery import deliver
from ingest.archive.folder_place import FolderPlace
from ingest.archive.leaving import LeavingJob
from ingest.archive.record import Record, Standing
from ingest.archive.schedule import due, kept
from ingest.backup_settings import Backup, BackupPlace
from ingest.doctor import backups
from ingest.doctor.sources import Sources
from ingest.evidence import book
from ingest.evidence.shelf import FolderStore
from ingest.feed import Feed
from ingest.nightly import BURY, NAME, Nightly
from ingest.registry import book as registry
from ingest.registry.records import Person
from ingest.repairs.finding import Finding
from ingest.services.registry import NOTHING_YET, RegistryService, Seen
from ingest.settings import IngestSettings
from ingest.store import space
from ingest.store.engine import reading, writing
from ingest.store.files import Files
from linli.errors import InputError, LinliError
from linli.owner import sole_owner
from linli.process import Child

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "tried", "failed", "expected"),
    [
        ("2026-03-02T12:00", None, False, True),
        ("2026-03-02T03:29", "2026-03-01T03:30", False, False),
        ("2026-03-02T03:30", "2026-03-01T03:30", False, True),
        ("2026-03-02T11:00", "2026-03-01T03:31", False, True),
        ("2026-03-02T23:59", "2026-03-02T03:31", False, False),
        ("2026-03-02T04:30", "2026-03-02T03:31", True, False),
        ("2026-03-02T04:32", "2026-03-02T03:31", True, True),
        ("2026-03-02T12:00", "2027-01-01T00:00", False, True),
    ],
    ids=["never", "early", "now", "was-off", "done", "failed", "failed-an-hour", "clock-set-back"],
)
def test_when_one_is_due(now: str, tried: str | None, *, failed: bool, expected: bool) -> None:
    last = None if tried is None else local(tried).astimezone(UTC)
    assert due(local(now).astimezone(UTC), "03:30", ZONE, last, failed=failed) is expected


def test_which_ones_stay() -> None:
    nights = [local("2026-12-31T03:30") - timedelta(days=back) for back in range(365)]
    rule = Backup(daily=7, weekly=4, monthly=6)
    stay = sorted(kept(nights, rule, ZONE), reverse=True)
    assert stay[:7] == nights[:7]
    weeks = {one.isocalendar()[1] for one in stay}
    assert {53, 52, 51, 50} <= weeks
    assert [f"{one:%m-%d}" for one in stay[-5:]] == ["11-30", "10-31", "09-30", "08-31", "07-31"]
    assert len(stay) <= 7 + 4 + 6
    assert kept(stay, rule, ZONE) == set(stay), "what stays, stays the next time too"
    assert kept([], rule, ZONE) == set()
    assert kept(nights, Backup(daily=1, weekly=0, monthly=0), ZONE) == {nights[0]}


def settings_of(folder: Folder, *places: Path) -> IngestSettings:
    rule = Backup(keys=(KEY.public,), places=tuple(BackupPlace(to=str(one)) for one in places))
    return msgspec.structs.replace(folder.settings, backup=rule)


def delivered(settings: IngestSettings, now: datetime) -> delivery.Delivered:
    return deliver(settings, now, noted=True)


def found(settings: IngestSettings, folder: Folder, now: datetime) -> dict[str, Finding]:
    sources = Sources(settings, folder.journal, folder.state, folder.series, now)
    return {one.code: one for one in backups.look(sources)}


def test_a_place_that_is_away_keeps_no_other_from_its_archive(
    folder: Folder, tmp_path: Path
) -> None:
    usb, nas = tmp_path / "usb", tmp_path / "nas"
    nas.mkdir()
    settings = settings_of(folder, usb, nas)
    first = delivered(settings, NOON)
    assert list(first.failed) == [str(usb)]
    assert len(list(nas.iterdir())) == 2, "an archive, and what was deleted"
    assert make.verify(nas / first.made.path.name, KEY, make.fresh(tmp_path / "s")).site == SITE
    later = NOON + timedelta(days=1)
    delivered(settings, later)
    known = record.read(settings.folder)
    assert known.tried == later
    assert known.places[str(nas)] == Standing(good=later)
    assert known.places[str(usb)].since == NOON, "since when, not since the last try"
    says = found(settings, folder, later)
    assert says["backup-missing"].since == NOON
    assert "no such folder" in says["backup-missing"].what
    assert says["backup"].level == "ok"
    usb.mkdir()
    assert delivered(settings, later + timedelta(hours=1)).failed == {}
    assert set(found(settings, folder, later + timedelta(hours=2))) == {"backup"}
    old = found(settings, folder, later + timedelta(days=4))["backup-missing"]
    assert (old.level, old.since) == ("bad", later + timedelta(hours=1))
    assert not (settings.folder / space.WORKSHOP).exists()


def test_one_that_cannot_be_made_is_written_down_and_no_old_one_goes(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    settings = settings_of(folder, usb)
    once = msgspec.structs.replace(settings.backup, daily=1, weekly=0, monthly=0)
    settings = msgspec.structs.replace(settings, backup=once)
    (usb / "c009-20200101T000000Z.linli.age").touch()
    (usb / "c001-east-20200101T000000Z.linli.part").touch()
    first = delivered(settings, NOON).made.path
    (usb / "c001-20200101T000000Z.linli.part").touch()
    (usb / "c001-20200101T000000Z.linli.age.part").touch()
    second = delivered(settings, NOON + timedelta(days=1))
    assert second.dropped == (str(first),)
    life = tombstones.name_of(SITE, tombstones.life(folder.path))
    others = {"c009-20200101T000000Z.linli.age", "c001-east-20200101T000000Z.linli.part"}
    names = {*others, life, second.made.path.name}
    assert {one.name for one in usb.iterdir()} == names

    def bad(*_: object) -> None:
        raise InputError("cut short")

    monkeypatch.setattr(make, "verify", bad)
    with pytest.raises(InputError, match="cut short"):
        delivered(settings, NOON + timedelta(days=2))
    assert {one.name for one in usb.iterdir()} == names
    known = record.read(settings.folder)
    assert known.failed
    assert known.places[str(usb)].good == NOON + timedelta(days=1)
    says = found(settings, folder, NOON + timedelta(days=2, hours=1))
    assert "cut short" in says["backup-failed"].what


def test_an_estate_without_backups_hears_of_it_after_some_days(folder: Folder) -> None:
    assert found(folder.settings, folder, NOON) == {}
    assert set(found(folder.settings, folder, NOON + timedelta(days=4))) == {"backup-none"}


class Children:
    """What the parent starts."""

    def __init__(self) -> None:
        self.started: list[Child] = []
        self.runs = False

    def start(self, child: Child) -> None:
        self.started.append(child)
        self.runs = True

    def process(self, name: str) -> object | None:
        assert name in {NAME, BURY}
        return self if self.runs else None


def test_the_ingest_starts_one_each_night(folder: Folder, tmp_path: Path) -> None:
    children, config = Children(), tmp_path / "ingest.toml"
    settings = settings_of(folder, tmp_path / "usb")
    nightly = Nightly(settings, config)
    nightly.look(children, NOON)  # type: ignore[arg-type]
    (child,) = children.started
    assert list(child.argv[-4:]) == ["backup", "make", "--config", str(config)]
    assert not child.restart
    for minutes in range(0, 100, 2):  # it runs; then it fell without a word
        children.runs = minutes < 30
        nightly.look(children, NOON + timedelta(minutes=minutes))  # type: ignore[arg-type]
    assert len(children.started) == 2, "again after an hour"
    children.runs = False
    record.write(folder.path, Record(tried=NOON + timedelta(hours=2)))
    nightly.look(children, NOON + timedelta(hours=6))  # type: ignore[arg-type]
    assert len(children.started) == 2
    nightly.look(children, NOON + timedelta(hours=16))  # type: ignore[arg-type]
    assert len(children.started) == 3
    Nightly(folder.settings, config).look(children, NOON)  # type: ignore[arg-type]
    assert len(children.started) == 3, "nothing says where to"


def test_who_was_deleted_stays_so_on_a_clean_host_with_an_older_archive(
    folder: Folder, tmp_path: Path
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    erased = keep_picture(folder)
    shell = Shell(tmp_path, usb)
    made = shell("backup", "make")
    assert made.exit_code == 0
    assert record.read(folder.path).places[str(usb)].good is not None
    (address,) = shell.addresses()
    words = ("--place", SITE, "--from", "2020-01-01", "--why", "request 17", "--yes")
    assert "1 deleted" in shell("privacy", "delete", *words).stdout
    later = keep_picture(folder)
    folder.close()  # and the machine burns, before another backup was made

    clean = Shell(tmp_path, usb, "clean")
    words = ("--key", str(clean.key), "--json")
    done = json.loads(clean("restore", address, *words).stdout)
    assert done["gone"] == 1
    engine = Files(tmp_path / "clean").reader("state")
    with reading(engine) as connection:
        row = book.find(connection, erased)
        assert row is not None
        assert row.deleted is not None
        assert book.find(connection, later) is None
    engine.dispose()
    assert FolderStore(tmp_path / "clean/evidence").get(erased) is None
    again = Shell(tmp_path, usb, "again")
    assert again("backup", "list").stdout.endswith(f"{address}\n")
    (usb / f"{SITE}-deleted.age").write_bytes(b"nonsense")
    with pytest.raises(LinliError, match="what was deleted since is not known"):
        again("restore", address, *words)
    assert json.loads(again("restore", address, "--alone", *words).stdout)["gone"] == 0
    with pytest.raises(InputError, match="no such archive"):
        again("restore", f"{usb}/{SITE}-20200101T000000Z.linli.age", "--yes", *words)


def test_a_new_server_leaves_the_backups_of_the_old_one_alone(
    folder: Folder, tmp_path: Path
) -> None:
    usb, nas = tmp_path / "usb", tmp_path / "nas"
    usb.mkdir()
    old = delivered(settings_of(folder, usb), NOON).made.path
    before = {one.name: one.stat().st_mtime_ns for one in usb.iterdir()}
    new = Folder(tmp_path / "new")
    try:
        settings = settings_of(new, usb)
        later = NOON + timedelta(hours=1)
        with pytest.raises(InputError, match="knows nothing of"):
            delivered(settings, later)
        assert "--anew" in (record.read(new.path).places[str(usb)].why or "")
        assert {one.name: one.stat().st_mtime_ns for one in usb.iterdir()} == before
        nas.mkdir()
        both = settings_of(new, usb, nas)
        assert list(delivered(both, later + timedelta(minutes=1)).failed) == [str(usb)]
        assert (
            delivery.deliver(both, later + timedelta(minutes=2), noted=True, anew=True).failed == {}
        )
        assert delivered(both, later + timedelta(minutes=3)).dropped != ()
    finally:
        new.close()
    assert old.exists(), "the newest of its day in its life"
    assert len([one for one in usb.iterdir() if one.name.endswith(make.SUFFIX)]) == 2
    assert before.keys() <= {one.name for one in usb.iterdir()}, "and the list of the old one"


def test_what_goes_at_a_disk_that_is_away_is_nothing(folder: Folder, tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    with pytest.raises(InputError, match="no such folder"):
        delivered(settings_of(folder, usb), NOON)
    assert not usb.exists(), "nothing is made on the disk below"
    with pytest.raises(InputError, match="no such folder"):
        tombstones.gather([FolderPlace(usb)], SITE, KEY, tmp_path / "scratch")
    assert "no such folder" in delivery.bury(settings_of(folder, usb), NOON)[str(usb)]


def test_who_writes_down_which_place_knows_waits_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left, "_WAIT_SECONDS", 0.0)
    left.note(tmp_path, "a", left.Left(mark="1", number=1))
    with sole_owner(tmp_path, "left"):
        with pytest.raises(InputError, match="another left"):
            left.note(tmp_path, "b", left.Left(mark="1", number=1))
        with pytest.raises(InputError, match="another left"):
            left.note_failure(tmp_path, "a", NOON, "no such folder")
    left.note_failure(tmp_path, "b", NOON, "no such folder")
    assert left.told(tmp_path).keys() == {"a", "b"}


def test_each_life_of_the_data_has_a_list_of_its_own(folder: Folder, tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    shell, words = Shell(tmp_path, usb), ("--key", str(tmp_path / "backup.key"), "--json", "--yes")
    assert shell("backup", "make", "--json").exit_code == 0
    (monday,) = shell.addresses()
    Path(monday).rename(first := usb / f"{SITE}-20260301T030000Z.linli.age")
    erased = keep_picture(folder)
    assert shell("backup", "make", "--json").exit_code == 0
    tuesday = str(usb / f"{SITE}-20260302T030000Z.linli.age")  # names are by the second
    Path(shell.addresses()[-1]).rename(tuesday)
    asked = ("--place", SITE, "--from", "2020-01-01", "--why", "request 17", "--yes")
    assert "1 deleted" in shell("privacy", "delete", *asked).stdout
    folder.close()
    for name in ("state.db", "state.db-wal", "state.db-shm"):  # nothing put aside helps
        (folder.path / name).unlink(missing_ok=True)
    away = tmp_path / "once"
    away.mkdir()
    first = first.rename(away / first.name)
    assert shell("restore", str(first), *words).exit_code == 0
    assert str(away) in record.read(folder.path).begun, "the next may be written there with --to"
    assert delivered(settings_of(folder, usb), datetime.now(UTC)).failed == {}, "a known place"
    assert len([one for one in usb.iterdir() if tombstones.is_list(SITE, one.name)]) == 2
    assert str(usb) in record.read(folder.path).begun
    shutil.rmtree(folder.path)
    assert json.loads(shell("restore", tuesday, *words).stdout)["gone"] == 1
    assert FolderStore(folder.path / "evidence").get(erased) is None


def test_a_place_that_cannot_be_opened_hides_nothing(folder: Folder, tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    keep_picture(folder)
    shell = Shell(tmp_path, usb)
    assert shell("backup", "make", "--json").exit_code == 0
    with shell.config.open("a") as out:
        out.write(
            '[[backup.places]]\nto = "s3://estate"\nendpoint = "http://127.0.0.1:1"\n'
            'access_key = "x"\nsecret_file = "not-there"\n'
        )
    listed = shell("backup", "list")
    assert (listed.exit_code, str(usb) in listed.stdout) == (1, True)
    assert "not known of s3://estate" in listed.stderr
    asked = ("--place", SITE, "--from", "2020-01-01", "--why", "request 17", "--yes")
    done = shell("privacy", "delete", *asked)
    assert done.stdout == "1 deleted\n"
    assert "not told to s3://estate yet" in done.stderr


def test_a_deletion_during_a_delivery_is_not_undone(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    settings = settings_of(folder, usb)
    name = keep_picture(folder)
    put = FolderPlace.put

    def deletes(self: FolderPlace, source: Path, called: str) -> None:
        put(self, source, called)
        if called.endswith(make.SUFFIX):
            with writing(folder.state) as connection:
                book.deleted(connection, name, NOON)
            assert delivery.bury(settings, NOON) == {}

    monkeypatch.setattr(FolderPlace, "put", deletes)
    assert delivered(settings, NOON).failed == {}
    (found,) = tombstones.gather([FolderPlace(usb)], SITE, KEY, tmp_path / "scratch")
    assert name in found.pictures


class Staff:
    """People of a folder as a page changes them, and the web process that notices."""

    def __init__(self, folder: Folder) -> None:
        self._service = RegistryService(folder.state, folder.state, Feed(), SITE)
        self._job = LeavingJob(folder.state, folder.path, folder.clock)
        self._clock = folder.clock

    def comes(self, name: str) -> None:
        wish = {"label": name, "role": "security", "phone": "13800138000"}
        self._service.put(ADMIN, "person", name, wish, seen=NOTHING_YET, now=self._clock.now())
        self._job.step()

    def leaves(self, name: str, *, retired: bool = True) -> None:
        now, seen = self._clock.now(), Seen(frozenset("*"))
        wish = {"retired": retired}
        self._service.put(ADMIN, "person", name, wish, seen=seen, now=now, whole=False)
        self._job.step()


def test_who_left_is_written_down_without_a_backup_in_between(
    folder: Folder, tmp_path: Path
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    shell, staff, children = Shell(tmp_path, usb), Staff(folder), Children()
    staff.comes("li")
    staff.comes("wu")
    assert shell("backup", "make").exit_code == 0
    record.write(folder.path, Record(tried=NOON))
    nightly = Nightly(settings_of(folder, usb), shell.config)
    nightly.look(children, NOON)  # type: ignore[arg-type]
    assert not children.started, "nobody left"
    staff.leaves("li")
    for seconds in range(1, 60):
        nightly.look(children, NOON + timedelta(seconds=seconds))  # type: ignore[arg-type]
        children.runs = False
    (child,) = children.started
    assert list(child.argv[-4:]) == ["backup", "bury", "--config", str(shell.config)]
    nightly.look(children, NOON + timedelta(hours=1, minutes=1))  # type: ignore[arg-type]
    assert len(children.started) == 2, "it fell without a word: again after an hour"
    assert shell("backup", "bury").exit_code == 0
    assert left.lacking(folder.path, [str(usb)]) == {}
    (address,) = shell.addresses()
    folder.close()  # and the machine burns

    clean = Shell(tmp_path, usb, "clean")
    assert clean("restore", address, "--key", str(clean.key), "--json").exit_code == 0
    engine = Files(tmp_path / "clean").reader("state")
    with reading(engine) as connection:
        people = [registry.one(connection, "person", name) for name in ("li", "wu")]
    engine.dispose()
    assert [(one.retired, one.phone) for one in people if isinstance(one, Person)] == [
        (True, None),
        (False, "13800138000"),
    ]


def test_a_place_that_cannot_be_told_is_said_and_told_by_the_next_backup(
    folder: Folder, tmp_path: Path
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    shell, staff, settings = Shell(tmp_path, usb), Staff(folder), settings_of(folder, usb)
    delivered(settings, NOON)
    staff.comes("li")
    staff.leaves("li")
    assert set(found(settings, folder, NOON)) == {"backup"}, "it is about to be told"
    late = NOON + timedelta(minutes=11)
    assert found(settings, folder, late)["backup-untold"].since == NOON, "nobody even tried"
    usb.rename(away := tmp_path / "away")
    failed = shell("backup", "bury")
    assert (failed.exit_code, "no such folder" in failed.stderr) == (1, True)
    said = found(settings, folder, NOON)["backup-untold"]
    assert said.what.startswith(f"that 1 people, accounts or tokens left is not written at {usb}:")
    away.rename(usb)
    delivered(settings, NOON + timedelta(minutes=1))
    assert set(found(settings, folder, late)) == {"backup"}
    (grave,) = tombstones.gather([FolderPlace(usb)], SITE, KEY, tmp_path / "scratch")
    assert list(grave.retired) == ["li"]
    staff.leaves("li", retired=False)
    assert left.lacking(folder.path, [str(usb)]), "back again: the list must not retire them"
