"""A disk that is short: the least goes first, no more than need be, and it is counted."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from crowded import GIGA, Server
from house import NOON, jpeg
from stage import small_disk

from ingest.archive.age import Key
from ingest.consumers.room import RoomJob
from ingest.evidence.shelf import PARTS, FolderStore
from ingest.repairs.room import (
    ORDER,
    PICTURES,
    RESERVE,
)
from ingest.store import space
from ingest.store.engine import reading
from linli.errors import StoreError
from linli.ids import uuid7
from linli.owner import sole_owner
from linli.process import linli_argv


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.folder.close()


def test_all_goes_in_its_order_but_what_is_held_and_what_is_new(server: Server) -> None:
    named = server.furnish()
    event = server.folder.put_event(server.folder.event())
    assert server.steps() == [], "there is room"
    server.free = 999
    order = list(dict.fromkeys(one for one in server.steps() if one != "slack"))
    assert order == [one for one in ORDER if one != "slack"]
    assert server.kept() == {named["held"]}
    assert server.readings() > 0, "the last hour of a chart stays"
    gone = server.given_up()
    assert {what: gone[what] for what in PICTURES} == dict.fromkeys(PICTURES, 1)
    assert gone["reading"] > 200
    with reading(server.folder.journal) as connection:
        rows = connection.exec_driver_sql("SELECT id FROM message").scalars().all()
    assert event in rows
    assert server.steps() == [], "and that is all there is"


def test_it_ends_as_soon_as_there_is_room(server: Server) -> None:
    named = server.furnish()
    server.free = 999
    while not server.given_up().get("reading"):
        server.one_look()
    server.free = 1249
    before = server.given_up()
    server.one_look()
    assert server.given_up() != before, "begun is not over at once"
    before = server.given_up()
    server.room = server.job(1000)
    server.one_look()
    assert server.given_up() == before, "after a start it waits for the limit"
    server.free = 1250
    server.one_look()
    assert server.kept() == set(named.values()) - {named["trial"]}
    server.free = None
    server.one_look()
    assert server.given_up() == before, "who cannot say how much is free gives up nothing"


def test_a_look_gives_up_no_more_than_is_lacking(server: Server) -> None:
    for _ in range(30):
        server.picture(trial="zone-dwell/door")
    server.free = 999
    for look in range(1, 4):  # a file system that says late what became free
        server.one_look()
        assert server.given_up() == {"trial": look}
    size, server.free = len(jpeg()), 1250 - 5 * len(jpeg()) + 1
    assert size > 251
    server.one_look()
    assert server.given_up() == {"trial": 8}


def test_what_was_given_back_is_free_before_it_is_measured_again(server: Server) -> None:
    server.write(range(-6 * 1440, -4 * 1440), keys=3)
    server.picture(trial="zone-dwell/door")
    while not server.sweep.slack():
        assert server.sweep.give_up()
    assert server.sweep.settled()
    file = server.folder.path / "series.db"
    full = file.stat().st_size
    server.room = server.job(1001, lambda: 1000 + full - file.stat().st_size)
    server.one_look()
    assert set(server.given_up()) == {"slack"}
    server.one_look()
    assert set(server.given_up()) == {"slack"}, "that was enough"
    assert file.stat().st_size < full


def test_what_somebody_still_reads_is_waited_for(server: Server) -> None:
    server.furnish()
    server.free = 0
    with reading(server.folder.reader("series")) as pinned:
        pinned.exec_driver_sql("SELECT count(*) FROM reading").scalar_one()
        server.write(range(-30, 0))
        server.one_look()
        assert server.given_up() == {}, "the file cannot get shorter now"
    assert "reading" in server.steps()


def test_what_fails_is_tried_again_and_nothing_goes_in_its_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = server.furnish()

    def locked() -> int:
        raise StoreError("database is locked")

    server.free = 0
    with monkeypatch.context() as failing:
        failing.setattr(server.sweep, "give_up", locked)
        for _ in range(3):
            with pytest.raises(StoreError, match="locked"):
                server.steps()
    assert server.kept() == set(named.values()) - {named["trial"]}
    assert server.steps()[-1] == "unresolved"


def test_pictures_on_another_disk_stay(server: Server, tmp_path: Path) -> None:
    named = server.furnish()
    server.free, server.here = 0, False
    assert set(server.steps()) - {"slack"} == {"reading", "rollup"}
    assert server.kept() == set(named.values())
    assert not space.same_disk(tmp_path, tmp_path / "no-such")
    assert space.same_disk(tmp_path, server.folder.path)
    with small_disk(tmp_path / "disk", 1) as other:
        assert not space.same_disk(tmp_path, other)


def test_room_that_a_backup_takes_comes_back(server: Server) -> None:
    server.furnish()
    server.staging = lambda: True
    server.room = server.job(GIGA)
    server.free = RESERVE
    assert server.steps() == []
    server.free = RESERVE - 1
    server.one_look()
    assert server.given_up(), "what is for events is not for a backup"


def test_what_a_killed_backup_left_is_room_at_the_next_look(server: Server, tmp_path: Path) -> None:
    server.furnish()
    data = server.folder.path
    server.staging = lambda: space.staging(data)
    server.room, server.free = server.job(GIGA), RESERVE
    backup = stuck_backup(tmp_path)
    try:
        while not (data / space.STAGE).exists():
            assert backup.poll() is None
        assert server.steps() == [], "it is being made"
    finally:
        backup.send_signal(signal.SIGKILL)
        backup.wait()
    (data / space.STAGE / "journal.db").write_bytes(b"x")
    (data / space.WORKSHOP).mkdir()
    server.free = 10**12
    assert server.steps() == []
    assert not (data / space.STAGE).exists()
    assert not (data / space.WORKSHOP).exists()
    server.free = RESERVE
    server.one_look()
    assert server.given_up()
    with sole_owner(data, space.BACKUP):
        pass


def stuck_backup(folder: Path) -> subprocess.Popen[bytes]:
    """Make a backup that stands still as soon as it says something: nobody reads what it says."""
    config = folder / "ingest.toml"
    config.write_text('data = "data"\n[site]\nid = "c001"\nlabel = "x"\n')
    unread, full = os.pipe()
    os.set_blocking(full, False)
    with suppress(BlockingIOError):
        while os.write(full, b"x"):
            pass
    os.set_blocking(full, True)
    more = ("--config", str(config), "--to", str(folder / "usb"), "--for", Key.new().public)
    with os.fdopen(full, "wb") as said:
        made = subprocess.Popen(
            linli_argv("backup", "make", *more), stderr=said, pass_fds=(unread,)
        )
    os.close(unread)
    return made


@pytest.mark.parametrize("year", [1970, 2025])
def test_with_a_clock_that_was_set_back_nothing_is_old(server: Server, year: int) -> None:
    named = server.furnish()
    readings = server.readings()
    server.folder.clock.jump((NOON.replace(year=year) - NOON).total_seconds())
    server.free = 0
    assert [one for one in server.steps() if one != "slack"] == ["trial"]
    assert server.kept() == set(named.values()) - {named["trial"]}
    assert server.readings() == readings


def test_bytes_go_after_their_rows_and_no_row_is_marked_while_they_cannot(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(server.picture(trial="zone-dwell/door") for _ in range(2))

    def stuck(name: str) -> None:
        raise StoreError("cannot be removed", where=name)

    server.free = 999
    with monkeypatch.context() as failing:
        failing.setattr(server.store, "remove", stuck)
        for _ in range(3):
            with pytest.raises(StoreError, match="removed"):
                server.room.step()
    assert server.store.get(first) is not None
    assert server.kept() == {second}
    assert server.given_up() == {}
    path = server.folder.path / "evidence" / first[-2:] / f"{first}.jpg"
    os.utime(path, (0, 0))
    for _ in range(PARTS):
        server.pictures.step()
    assert server.store.get(first) is None, "a later start finds it too"
    assert server.store.get(second) is not None


def test_the_last_of_the_disk_is_for_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path, reserve=2**62)
    with pytest.raises(StoreError, match="for events"):
        store.put(str(uuid7(NOON)), b"x")
    FolderStore(tmp_path, reserve=1).put(str(uuid7(NOON)), b"x")


def test_a_small_disk_that_is_filled_in_slices(tmp_path: Path) -> None:
    mega = 1024**2
    with small_disk(tmp_path / "disk", 48) as place:
        server = Server(place)
        try:
            named = server.furnish()
            server.write(range(-6 * 1440, -2 * 1440), keys=20)
            with reading(server.folder.series) as connection:
                assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 2
            order: list[str] = []
            server.room = RoomJob(
                server.folder.state,
                server.sweep,
                server.pictures,
                server.folder.clock,
                least=8 * mega,
                free=lambda: space.free_of(place),
                here=lambda: space.same_disk(place, place / "data" / "evidence"),
                staging=lambda: False,
            )
            with (place / "others").open("wb", buffering=0) as others:
                for _ in range(60):
                    if (space.free_of(place) or 0) > 6 * mega:
                        others.write(b"\0" * mega)
                    order = list(dict.fromkeys([*order, *server.steps()]))
                    if "unresolved" in order:
                        break
            assert [one for one in order if one != "slack"] == [o for o in ORDER if o != "slack"]
            assert server.kept() == {named["held"]}
            assert server.given_up()["slack"] > 2 * mega, "room of readings went back to the disk"
            server.folder.put_event(server.folder.event())
        finally:
            server.folder.close()
