"""`linli upgrade` refused, cut short, killed: never half, and said before anything changes."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from upgraded import CHANGED, NEW, OLD, Estate, assert_new, assert_old, names

from ingest.doctor import upgrade as doctor
from ingest.store import backup, migrate
from ingest.store.database import Database
from ingest.store.migrate import File
from linli.clock import SystemClock
from linli.errors import InputError, StoreError
from linli.install.layout import INGEST
from linli.owner import sole_owner


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    return Estate(tmp_path, monkeypatch)


def test_what_is_missing_is_said_before_anything_is_stopped(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(backup, "_ROOM", 1 << 62)
        assert "no room for a backup" in str(estate().exception)
    estate.proved = None
    assert "all is not well before: red" in str(estate().exception)
    assert not {"stop", "place", "restart", "keep"} & set(estate.steps)
    assert_old(estate)
    assert estate("--anyway").exit_code == 0
    assert_new(estate)


@pytest.mark.parametrize("bad", [pytest.param("journal", marks=pytest.mark.full), "state"])
def test_tables_that_cannot_be_brought_up_go_back(
    estate: Estate, bad: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = migrate.upgrade

    def fail(file: File, *given: object, **named: object) -> None:
        def finish(_: object) -> None:
            raise StoreError("made to fail")

        upgrade(file, *given, **(named | {"finish": finish} if file == bad else named))

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", fail)
        failed = estate()
    assert "made to fail" in failed.stderr
    assert f"back at {OLD}, all green" in str(failed.exception)
    assert_old(estate)
    assert estate().exit_code == 0
    assert_new(estate)


def test_backups_that_would_not_do_are_found_out_before_tables_change(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up = Database.back_up

    def short(self: Database, file: File) -> Path:
        path = back_up(self, file)
        path.write_bytes(path.read_bytes()[:3000])
        return path

    kind = type(estate.database)
    back_up = kind.back_up
    with monkeypatch.context() as patch:
        patch.setattr(kind, "back_up", short)
        failed = estate()
    assert f"back at {OLD}, all green" in str(failed.exception)
    assert estate.steps.count("place") == 1, "only what was there already"
    assert_old(estate)


def test_one_that_cannot_go_back_yet_goes_on_with_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.works = False
    kind = type(estate.database)
    bring_back = kind.bring_back

    def away(self: Database, file: File, path: Path, *, rehearse: bool = False) -> None:
        if not rehearse:
            raise StoreError("the server is away")
        bring_back(self, file, path, rehearse=True)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "bring_back", away)
        failed = estate()
    assert "not back yet" in str(failed.exception)
    assert "the server is away" in str(failed.exception)
    assert estate.runs is None, "neither version on the other's tables"
    assert [one.code for one in doctor.look()] == ["upgrade-cut-short"]
    with sole_owner(estate.folder, "upgrade"):
        assert list(doctor.look()) == [], "somebody carries it on"
    done = estate()
    assert list(doctor.look()) == []
    assert "was cut short" in done.stdout
    assert f"back at {OLD}, all green" in str(done.exception)
    assert_old(estate)


def ended_well(estate: Estate) -> None:
    """Run it again after a kill; whatever became of it is whole."""
    for file in CHANGED:
        assert estate.database.revision(file) in {migrate.previous(file), migrate.head(file)}
    done = estate()
    if done.exit_code == 0:
        assert estate.works
        assert_new(estate)
        return
    assert f"back at {OLD}, all green" in str(done.exception)
    assert_old(estate)


def test_killed_while_tables_change_it_goes_on(estate: Estate) -> None:
    assert estate.killed_at("restart")
    assert estate.database.revision("state") == migrate.head("state")
    ended_well(estate)
    assert_new(estate)


def test_killed_on_its_way_back_it_goes_on_with_that(estate: Estate) -> None:
    estate.works = False
    assert estate.killed_at("restart", times=2)
    assert estate.runs is None
    ended_well(estate)


def test_what_has_run_for_long_never_goes_back(estate: Estate) -> None:
    assert estate.killed_at("wait_until_green")
    estate.happens("of a month")
    estate.proved, estate.works = SystemClock().now(), False  # it worked; today it is red
    done = estate()
    assert done.exit_code == 0
    assert f"{NEW} has run since, and stays" in done.stdout
    assert "of a month" in names(estate, "state", "tally")
    assert_new(estate)


def test_what_the_old_one_did_after_a_power_cut_is_no_backups_to_undo(estate: Estate) -> None:
    assert estate.killed_at("place")
    estate.start_of_the_machine()
    estate.works = False
    done = estate()
    assert "nothing was changed yet" in done.stdout
    assert f"back at {OLD}, all green" in str(done.exception)
    assert_old(estate)


def test_a_new_one_that_a_power_cut_on_the_way_back_left_stays_once_it_worked(
    estate: Estate,
) -> None:
    estate.works = False
    assert estate.killed_at("place", times=2)
    estate.start_of_the_machine()
    estate.happens("of a month")
    estate.proved = SystemClock().now()
    done = estate()
    assert f"{NEW} has run since, and stays" in done.stdout
    assert "of a month" in names(estate, "state", "tally")
    assert_new(estate)


def test_one_that_worked_and_was_stopped_is_started(estate: Estate) -> None:
    assert estate.killed_at("wait_until_green")
    estate.proved, estate.runs = SystemClock().now(), None
    assert estate().exit_code == 0
    assert_new(estate)


def test_a_unit_that_starts_nothing_is_named(estate: Estate) -> None:
    (estate.folder / "units" / INGEST.unit).write_text("", encoding="utf-8")
    done = estate()
    assert isinstance(done.exception, InputError)
    assert INGEST.unit in str(done.exception)
    assert estate.steps == []


def test_a_power_cut_in_the_middle_starts_a_version_whose_tables_are_there(estate: Estate) -> None:
    assert estate.killed_at("run", after="place")
    estate.start_of_the_machine()
    ended_well(estate)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("works", [True, False], ids=["good", "bad"])
def test_killed_anywhere_it_goes_on_or_back(tmp_path: Path, *, works: bool) -> None:
    for cut in ("kill", "power"):
        for at in count():
            with pytest.MonkeyPatch.context() as patch:
                folder = tmp_path / f"{cut}-{at}"
                folder.mkdir()
                estate = Estate(folder, patch)
                estate.works = works
                if not estate.killed(at):
                    assert at > 10
                    break
                if cut == "power":
                    estate.start_of_the_machine()
                ended_well(estate)
