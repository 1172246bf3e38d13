"""How long pictures stay: by class, never while held, and always with a row of who said so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from handed_in import arrival, put_headers
from house import ADMIN, NOON, STAFF, Folder, jpeg, running, sign_in, snapshot
from msgspec.structs import replace

from ingest.evidence import book
from ingest.evidence.retention import ASKED_LASTS, HoldStep, Keep, next_step, protects, standing
from ingest.evidence.shelf import MemoryStore
from ingest.evidence.sweep import SweepJob
from ingest.feed import Feed
from ingest.refusal import Clash, Gone, NotAllowed, NotThere, NotUsable
from ingest.services.evidence import EvidenceService
from ingest.store.engine import reading, writing
from ingest.store.incidents import incident
from linli.ids import uuid7

DAY = timedelta(days=1)
OTHER = replace(ADMIN, account="chief", name="chief")


class Shelf:
    """Pictures of a folder, by hand: taken, shown in an incident, swept."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.store = MemoryStore()
        reader = folder.reader("state")
        self.service = EvidenceService(reader, folder.state, self.store, Feed(), keep=Keep())
        self._reader = reader

    def take(self, *, expires: timedelta = 400 * DAY) -> str:
        name, data = uuid7(NOON), jpeg()
        self.service.take(arrival(data, name, expires=NOON + expires), data, NOON)
        return name

    def show(self, name: str, *, safety: bool, label: str | None = None) -> None:
        with writing(self.folder.state) as connection:
            count = len(connection.execute(incident.select()).all())
            values = {"id": f"i{count}", "number": count + 1, "key": "k", "node": "n"}
            values |= {"device": "d", "state": "resolved", "severity": "low", "urgency": 9}
            more = {"last": NOON, "label": label, "body": "{}"}
            connection.execute(incident.insert(), {**values, **more})
            book.use(connection, name, f"i{count}", safety=safety)

    def sweep(self, *, most_bytes: int = 10_000_000) -> None:
        job = SweepJob(
            self._reader,
            self.folder.state,
            self.store,
            self.folder.clock,
            most_bytes=most_bytes,
            keep=Keep(),
        )
        while job.step():
            pass

    def kept_at(self, days: float) -> set[str]:
        self.folder.clock.jump((NOON + days * DAY - self.folder.clock.now()).total_seconds())
        self.sweep()
        return {name for name in self.names if self.store.get(name) is not None}

    names: tuple[str, ...] = ()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    folder = Folder(tmp_path / "data")
    yield Shelf(folder)
    folder.close()


def test_each_class_has_its_time_and_the_edge_may_say_less(shelf: Shelf) -> None:
    ordinary, safety, wrong, short, unseen = (shelf.take() for _ in range(5))
    short = shelf.take(expires=3 * DAY)
    shelf.show(ordinary, safety=False)
    shelf.show(safety, safety=True, label="true-alarm")
    shelf.show(wrong, safety=True, label="false-alarm")
    shelf.show(short, safety=True)
    shelf.names = (ordinary, safety, wrong, short, unseen)
    assert shelf.kept_at(2.9) == {ordinary, safety, wrong, short, unseen}
    assert shelf.kept_at(3) == {ordinary, safety, wrong, unseen}
    assert shelf.kept_at(6.9) == {ordinary, safety, wrong, unseen}
    assert shelf.kept_at(7) == {ordinary, safety, unseen}
    assert shelf.kept_at(29.9) == {ordinary, safety, unseen}
    assert shelf.kept_at(30) == {safety}
    assert shelf.kept_at(89.9) == {safety}
    assert shelf.kept_at(90) == set()


def test_nobody_sees_what_is_over_before_it_is_swept(shelf: Shelf) -> None:
    name = shelf.take()
    shelf.service.link(STAFF, name, NOON + 29 * DAY)
    with pytest.raises(Gone):
        shelf.service.link(STAFF, name, NOON + 30 * DAY)
    shelf.show(name, safety=True)
    shelf.service.link(STAFF, name, NOON + 30 * DAY)


def test_two_people_hold_it_and_two_people_let_it_go(shelf: Shelf) -> None:
    name = shelf.take()
    shelf.names = (name,)
    hold = shelf.service.hold
    assert hold(ADMIN, name, "hold", "asked for by the police", NOON).hold == "asked"
    with pytest.raises(Clash, match="another person"):
        hold(ADMIN, name, "hold", "again", NOON)
    assert hold(OTHER, name, "hold", "seen the letter", NOON + DAY).hold == "held"
    assert shelf.kept_at(500) == {name}
    later = NOON + 500 * DAY
    shelf.service.link(STAFF, name, later)
    with pytest.raises(Clash, match="already"):
        hold(ADMIN, name, "hold", "again", later)
    assert hold(OTHER, name, "release", "case closed", later).hold == "release-asked"
    with pytest.raises(Clash, match="another person"):
        hold(OTHER, name, "release", "really", later)
    assert shelf.kept_at(501) == {name}
    assert hold(ADMIN, name, "release", "confirmed", later).hold == "released"
    record = shelf.service.record(ADMIN, name, later)
    assert [(one.step, one.account) for one in record.steps] == [
        ("asked", "boss"),
        ("held", "chief"),
        ("release-asked", "chief"),
        ("released", "boss"),
    ]
    assert shelf.kept_at(501) == set()
    with pytest.raises(Gone):
        hold(ADMIN, name, "hold", "too late", later)
    assert shelf.service.record(ADMIN, name, later).deleted is not None


def test_the_word_of_one_protects_for_a_week(shelf: Shelf) -> None:
    name, other = shelf.take(), shelf.take()
    shelf.names = (name, other)
    shelf.service.hold(ADMIN, name, "hold", "wait", NOON + 29 * DAY)
    assert shelf.kept_at(36) == {name}
    assert shelf.kept_at(36.1) == set()


def test_a_held_picture_makes_no_room(shelf: Shelf) -> None:
    first, second = shelf.take(), shelf.take()
    shelf.service.hold(ADMIN, first, "hold", "x", NOON)
    shelf.sweep(most_bytes=1)
    assert shelf.store.get(first) is not None
    assert shelf.store.get(second) is None


def test_what_is_held_while_the_sweep_looks_around_stays(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, looked = shelf.take(), book.due

    def held_meanwhile(*asked: object) -> list[str]:
        found = looked(*asked)
        if found:
            shelf.service.hold(ADMIN, name, "hold", "police", NOON)
            monkeypatch.setattr(book, "due", looked)
        return found

    monkeypatch.setattr(book, "due", held_meanwhile)
    shelf.sweep(most_bytes=0)
    record = shelf.service.record(ADMIN, name, NOON)
    assert (record.hold, record.deleted) == ("asked", None)
    assert shelf.store.get(name) is not None


def test_staff_may_not_and_a_reason_is_needed(shelf: Shelf) -> None:
    name = shelf.take()
    with pytest.raises(NotAllowed):
        shelf.service.hold(STAFF, name, "hold", "x", NOON)
    with pytest.raises(NotAllowed):
        shelf.service.record(STAFF, name, NOON)
    with pytest.raises(NotUsable):
        shelf.service.hold(ADMIN, name, "hold", "  ", NOON)
    with pytest.raises(Clash):
        shelf.service.hold(ADMIN, name, "release", "x", NOON)
    for wrong in (uuid7(NOON), "../../etc/passwd", ""):
        with pytest.raises(NotThere):
            shelf.service.hold(ADMIN, wrong, "hold", "x", NOON)


def said(*steps: str, at: datetime = NOON) -> list[HoldStep]:
    return [HoldStep(step=one, account="a", at=at, why="x") for one in steps]  # type: ignore[arg-type]


def test_standing_is_told_by_the_last_word() -> None:
    assert standing([], NOON) == "released"
    assert standing(said("asked"), NOON + ASKED_LASTS) == "asked"
    assert not protects(said("asked"), NOON + ASKED_LASTS + DAY)
    assert protects(said("asked", "held"), NOON + 9999 * DAY)
    assert next_step(said("asked", "held", "release-asked"), "hold", "a", NOON) == "held"
    assert next_step(said("asked"), "release", "a", NOON) == "released"
    lapsed = NOON + ASKED_LASTS + DAY
    assert next_step(said("asked"), "hold", "a", lapsed) == "asked"


# Over HTTP, from an event to its class.


def test_the_class_comes_from_the_incident_and_looks_are_recorded(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    name, data = uuid7(NOON), jpeg()
    with running(folder) as client:
        path = f"/api/v1/evidence/{name}"
        client.put(path, content=data, headers=put_headers(data))
        headers = sign_in(client, "boss")
        assert client.get(f"{path}/record").json()["retention"] == "ordinary"
        message = folder.event(name="ebike-in-elevator", label="ebike", snapshot=snapshot(name))
        folder.put_event(message)
        record = wait_for(client, f"{path}/record", "safety")
        assert record["until"] == "2026-03-09T12:00:00Z"  # the edge said so
        link = client.post(f"{path}/link?purpose=incident", headers=headers).json()["path"]
        assert client.get(link).status_code == 200
        (look,) = client.get(f"{path}/record").json()["looks"]
        assert (look["purpose"], look["account"] != "") == ("incident", True)
        (one,) = client.get("/api/v1/incidents").json()["items"]
        client.post(f"/api/v1/incidents/{one['id']}/false-alarm", headers=headers)
        assert client.get(f"{path}/record").json()["retention"] == "false-alarm"
        held = client.post(f"{path}/hold", json={"why": "police"}, headers=headers)
        assert (held.status_code, held.json()["hold"]) == (200, "asked")
        again = client.post(f"{path}/hold", json={"why": "police"}, headers=headers)
        assert again.status_code == 409
    folder.close()


def wait_for(client: TestClient, path: str, retention: str) -> dict:
    for _ in range(500):
        client.app.state.house.wake()
        found: dict = client.get(path).json()
        if found["retention"] == retention:
            return found
    raise AssertionError(found)


def test_a_row_of_each_word_is_kept_for_good(shelf: Shelf) -> None:
    name = shelf.take()
    shelf.service.hold(ADMIN, name, "hold", "first", NOON)
    with reading(shelf.folder.state) as connection:
        before = book.hold_steps(connection, name)
    shelf.service.hold(OTHER, name, "release", "second", NOON)
    with reading(shelf.folder.state) as connection:
        assert book.hold_steps(connection, name)[: len(before)] == before
