"""What is wrong is looked at each minute, kept with since when, and told by the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authorities import authority
from fastapi.testclient import TestClient
from house import NODE, NOON, Folder, sign_in
from msgspec import structs

from ingest.accounts.account import Viewer
from ingest.app import create_app
from ingest.doctor import certificates, disk, machine
from ingest.doctor.job import SECONDS, FindingJob
from ingest.doctor.sources import Sources
from ingest.refusal import NotAllowed
from ingest.repairs import book
from ingest.repairs.disk import Free, left
from ingest.repairs.finding import Finding, settled
from ingest.services.repairs import RepairService
from ingest.settings import Mqtt
from ingest.store import space
from ingest.store.engine import reading, writing
from ingest.store.joining import certificate_task
from linli.broker import free_port

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GIGA = 10**9
ADMIN = Viewer(account="a", name="a", role="admin")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def wrong(code: str, level: str = "bad", **more: object) -> Finding:
    return Finding(code=code, level=level, what="x", **more)  # type: ignore[arg-type]


def job(folder: Folder) -> FindingJob:
    readers = (folder.journal, folder.state, folder.series)
    settings = structs.replace(folder.settings, mqtt=Mqtt(port=free_port()))
    return FindingJob(settings, readers, folder.state, folder.clock)


def sources(folder: Folder, **mqtt: str) -> Sources:
    settings = structs.replace(folder.settings, mqtt=structs.replace(folder.settings.mqtt, **mqtt))
    return Sources(settings, folder.journal, folder.state, folder.series, folder.clock.now())


def test_since_is_kept_while_it_lasts_and_begins_anew_after() -> None:
    earlier = NOON - HOUR
    found = [wrong("a", "warning"), wrong("b", about="n1"), wrong("b", about="n2")]
    found += [wrong("c", since=earlier), Finding(code="fine", level="ok", what="")]
    known = {("b", "n1"): earlier, ("gone", ""): earlier}
    told = [(one.code, one.about, one.since) for one in settled(found, known, NOON)]
    assert told == [("b", "n1", earlier), ("b", "n2", NOON), ("c", "", earlier), ("a", "", NOON)]
    twice = settled([wrong("a", "warning"), wrong("a")], {}, NOON)
    assert [one.level for one in twice] == ["bad"], "the worst of one mark"


def test_when_a_disk_will_be_full() -> None:
    def past(days: int, daily: int) -> list[Free]:
        return [Free(NOON + n * HOUR, 100 * GIGA - n * daily // 24) for n in range(days * 24)]

    assert left([], 0) is None
    assert left(past(1, GIGA), 0) is None, "a day alone says nothing"
    assert left(past(7, 0), 0) is None
    assert left(past(7, -GIGA), 0) is None
    lasts = left(past(7, 5 * GIGA), 2 * GIGA)
    assert lasts is not None
    assert timedelta(days=12) < lasts < timedelta(days=15)
    spike = [Free(one.at, 1) if n == 20 else one for n, one in enumerate(past(7, 0))]
    assert left(spike, 0) is None, "one big file that came and went"


def test_a_disk_that_fills_is_told_before(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = folder.clock.now()
    free = 12 * GIGA

    class Usage:
        def __init__(self) -> None:
            self.free, self.total = free, 100 * GIGA

    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: Usage())
    assert {one.level for one in disk.look(sources(folder))} == {"ok"}, "nothing is known yet"
    with writing(folder.state) as connection:
        for hours in range(72, 0, -1):
            book.sample(connection, free + hours * GIGA // 12, now - hours * HOUR)
        book.sample(connection, free, now - timedelta(minutes=10))
        assert len(book.past(connection)) == 72, "one an hour"
    (found,) = [one for one in disk.look(sources(folder)) if one.level != "ok"]
    assert (found.code, found.level) == ("disk-filling", "warning")
    assert "12.0 GB are free" in found.what
    with writing(folder.state) as connection:
        book.sample(connection, free, now + 30 * DAY)
        assert len(book.past(connection)) == 1, "what is old is forgotten"
        book.sample(connection, free, now - DAY)
        assert len(book.past(connection)) == 1, "so is what lies ahead of a clock that went back"


def test_certificates_that_end(folder: Folder, tmp_path: Path) -> None:
    now = folder.clock.now()
    for days, level in ((90, "ok"), (30, "warning"), (-1, "bad")):
        name = authority(tmp_path / "ca.pem", now + days * DAY)
        (found,) = certificates.look(sources(folder, ca_file=name))
        assert found.level == level
        assert found.code == ("authority" if level == "ok" else "authority-ends")
    assert [one.level for one in certificates.look(sources(folder, ca_file="no-such"))] == ["ok"]
    row = {"node": NODE, "kind": "issue", "asked": now, "until": now + 3 * DAY}
    with writing(folder.state) as connection:
        connection.execute(certificate_task.insert(), row)
    (found,) = certificates.look(sources(folder))
    assert (found.code, found.about, found.level) == ("edge-certificate", NODE, "warning")
    folder.clock.advance(4 * DAY.total_seconds())
    (found,) = certificates.look(sources(folder))
    assert (found.level, found.since) == ("bad", now + 3 * DAY)
    with writing(folder.state) as connection:
        connection.execute(certificate_task.insert(), row | {"until": now + 90 * DAY})
    assert list(certificates.look(sources(folder))) == [], "it has got another"


def test_a_look_each_minute_that_outlives_a_restart(folder: Folder) -> None:
    looks, service = job(folder), RepairService(folder.state)
    assert looks.step() is False
    never = service.list(ADMIN, folder.clock.now())
    assert (never.looked, never.current, never.items) == (None, False, ())
    folder.clock.advance(SECONDS)
    looks.step()
    first = folder.clock.now()
    found = {one.code: one for one in service.list(ADMIN, first).items}
    assert {"receiver-silent", "broker-unreachable", "edge-never-heard"} <= set(found)
    assert found["edge-never-heard"].node == NODE
    assert found["broker-unreachable"].since == first
    folder.clock.advance(SECONDS)
    again = job(folder)
    again.look()
    later = service.list(ADMIN, folder.clock.now())
    assert later.looked == folder.clock.now()
    assert {one.code: one.since for one in later.items}["broker-unreachable"] == first
    folder.clock.advance(600)
    assert not service.list(ADMIN, folder.clock.now()).current
    assert service.serious(ADMIN, folder.clock.now()) == (), "old news is no strip"


def test_who_may_see_how_much(folder: Folder) -> None:
    now, service = folder.clock.now(), RepairService(folder.state)
    one = wrong("disk-low", means="m", do="rm /srv/secret/path")
    with writing(folder.state) as connection:
        book.write(connection, settled([one], {}, now), now)
    for role in ("admin", "supervisor"):
        (found,) = service.list(Viewer(account="a", name="a", role=role), now).items
        assert (found.what, found.do) == ("x", "rm /srv/secret/path")
    (found,) = service.list(Viewer(account="a", name="a", role="duty"), now).items
    assert (found.what, found.do, found.means) == (None, None, "m")
    street = Viewer(account="a", name="a", role="street")
    limited = Viewer(account="a", name="a", role="duty", areas=frozenset({"b03"}))
    for viewer in (street, limited):
        with pytest.raises(NotAllowed):
            service.list(viewer, now)
        assert service.serious(viewer, now) == ()


def test_a_full_disk_is_in_the_answer(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "low", lambda _: 2**62)
    job(folder).look()
    app = create_app(folder.settings, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        assert client.get("/api/v1/health/findings").status_code == 401
        sign_in(client, "wang")
        told = client.get("/api/v1/health/findings").json()
    assert told["current"] is True
    assert "disk-low" in {one["code"] for one in told["items"]}
    with reading(folder.state) as connection:
        looked, found = book.read(connection)
    assert looked == datetime.fromisoformat(told["looked"]).astimezone(UTC)
    assert len(found) == len(told["items"])
