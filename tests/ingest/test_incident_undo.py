"""Taking back one's own step of a moment ago: what it puts back, who is called, when it is over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import Folder, jpeg, running, sign_in
from ledger import NOON, SAFE, Ledger, at, event

from ingest.accounts.account import Viewer
from ingest.feed import Feed
from ingest.incidents import book
from ingest.incidents.fold import fold
from ingest.incidents.undo import TAKEN, standing
from ingest.notify.cue import cue
from ingest.refusal import Clash, NotUsable
from ingest.services.incidents import IncidentService
from ingest.store.engine import reading

WANG = Viewer(account="wang", name="wang", role="duty")
LI = Viewer(account="li", name="li", role="duty")


@pytest.fixture
def ledger():
    made = Ledger()
    yield made
    made.close()


@pytest.fixture
def desk(ledger: Ledger) -> IncidentService:
    return IncidentService(ledger.engine, ledger.engine, Feed(), ledger.around)


def rows(ledger: Ledger, incident: str):
    with reading(ledger.engine) as connection:
        return book.transitions_of(connection, incident, 0, 1000)


STEPS = {
    "acknowledge": lambda desk, one: desk.acknowledge(WANG, one, at(10)),
    "start": lambda desk, one: desk.start(WANG, one, at(10)),
    "resolve": lambda desk, one: desk.resolve(WANG, one, at(10)),
    "false alarm": lambda desk, one: desk.label(WANG, one, "false-alarm", at(10)),
    "drill": lambda desk, one: desk.label(WANG, one, "drill", at(10)),
    "shelve": lambda desk, one: desk.shelve(WANG, one, timedelta(hours=1), at(10)),
}


@pytest.mark.parametrize("step", list(STEPS))
@pytest.mark.parametrize("earlier", ["nothing", "acknowledged"])
def test_what_a_step_moved_is_put_back_by_a_row(ledger, desk, step: str, earlier: str) -> None:
    one = ledger.tell(event(policy=SAFE))[0].id
    if earlier == "acknowledged":
        desk.acknowledge(LI, one, at(5))
    before = standing(desk.get(WANG, one))
    STEPS[step](desk, one)
    kept = rows(ledger, one)
    if standing(desk.get(WANG, one)) == before:
        assert desk.undoable(WANG, one, at(12)) is None
        return
    assert desk.undoable(WANG, one, at(12)) == desk.undoable(WANG, one, at(13))
    after = desk.undo(WANG, one, at(12))
    assert standing(after) == before
    now = rows(ledger, one)
    assert now[: len(kept)] == kept
    assert [row.step for row in now[len(kept) :]] == ["undone"]
    assert fold(now) == after
    assert desk.undoable(WANG, one, at(13)) is None
    # Asking again, as a page does that heard no answer, changes nothing.
    assert desk.undo(WANG, one, at(13)) == after


def test_who_stopped_being_called_is_called_again(ledger, desk) -> None:
    one = ledger.tell(event(policy=SAFE))[0].id
    desk.acknowledge(WANG, one, at(10))
    after = desk.undo(WANG, one, at(15))
    last = rows(ledger, one)[-1]
    assert (last.page, last.why) == ("call", "taken-back")
    assert cue(last, after).calls
    assert not after.owed
    assert after.called == at(15)


def test_a_label_taken_back_calls_nobody(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.label(WANG, one, "drill", at(10))
    desk.undo(WANG, one, at(12))
    assert rows(ledger, one)[-1].page is None


def test_what_was_shelved_before_is_so_again_and_calls_nobody(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.shelve(WANG, one, timedelta(hours=1), at(10))
    desk.unshelve(WANG, one, at(60))
    after = desk.undo(WANG, one, at(62))
    assert after.aside == "shelved"
    assert cue(rows(ledger, one)[-1], after).ends == "held"


def test_it_is_over_after_some_seconds_and_for_what_others_did(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.acknowledge(WANG, one, at(10))
    late = at(10) + TAKEN + timedelta(seconds=0.1)
    assert desk.undoable(WANG, one, late) is None
    for who, when in ((WANG, late), (LI, at(11))):
        with pytest.raises(Clash, match="too late"):
            desk.undo(who, one, when)
    desk.resolve(LI, one, at(12))
    with pytest.raises(Clash, match="went on"):
        desk.undo(WANG, one, at(13))
    assert desk.get(WANG, one).state == "resolved"


def test_what_happens_on_site_meanwhile_stands(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.acknowledge(WANG, one, at(10))
    ledger.tell(event("end", time=11))
    after = desk.undo(WANG, one, at(13))
    assert (after.state, after.condition_active, after.cleared) == ("open", False, at(11))
    assert rows(ledger, one)[-1].why == "over"


def test_getting_worse_meanwhile_leaves_nothing_to_take_back(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.acknowledge(WANG, one, at(10))
    ledger.tell(event("update", time=11, severity="critical"))
    with pytest.raises(Clash):
        desk.undo(WANG, one, at(12))
    assert desk.get(WANG, one).state == "open"


def test_nothing_opens_again_beside_another_of_its_kind(ledger, desk) -> None:
    one = ledger.tell(event())[0].id
    desk.resolve(WANG, one, at(600))
    assert ledger.tell(event("begin", "e2", time=599, delay=4))[0].id != one
    with pytest.raises(Clash, match="another incident"):
        desk.undo(WANG, one, at(606))


@pytest.fixture
def client(tmp_path: Path):
    folder = Folder(tmp_path)
    with running(folder) as made:
        made.folder = folder  # type: ignore[attr-defined]
        yield made
    folder.close()


def one_of(client: TestClient) -> str:
    folder: Folder = client.folder  # type: ignore[attr-defined]
    ledger = Ledger(folder.state)
    return f"/api/v1/incidents/{ledger.tell(event())[0].id}"


def test_over_rest_an_order_is_taken_back_by_itself(client: TestClient) -> None:
    headers, path = sign_in(client, "wang"), one_of(client)
    assert client.post(f"{path}/acknowledge", headers=headers).json()["state"] == "acknowledged"
    assert client.post(f"{path}/undo", headers=headers).json()["state"] == "open"
    client.post(f"{path}/orders", json={"assignee": "wang"}, headers=headers)
    answer = client.post(f"{path}/undo", headers=headers)
    assert answer.status_code == 409
    assert "work order" in answer.json()["detail"]
    assert client.get(path).json()["state"] == "acknowledged"


def test_notes_and_photographs(client: TestClient) -> None:
    headers, path = sign_in(client, "wang"), one_of(client)
    for wrong in ({}, {"note": "  "}, {"note": "x", "photo": "no-such"}):
        assert client.post(f"{path}/note", json=wrong, headers=headers).status_code == 400
    assert client.post(f"{path}/note", json={"note": "x" * 501}, headers=headers).status_code == 422
    kind = {**headers, "Content-Type": "image/jpeg"}
    assert client.put(f"{path}/photo", content=b"no picture", headers=kind).status_code == 415
    exif = jpeg((64, 48), exif=b"Exif\0\0secret")
    photo = client.put(f"{path}/photo", content=exif, headers=kind).json()["picture"]
    said = client.post(f"{path}/note", json={"note": "门已关", "photo": photo}, headers=headers)
    assert said.json()["state"] == "open"
    last = client.get(f"{path}/transitions").json()["items"][-1]
    assert (last["step"], last["note"], last["photo"]) == ("noted", "门已关", photo)
    link = client.post(f"/api/v1/evidence/{photo}/link", headers=headers).json()["path"]
    shown = client.get(link)
    assert shown.headers["content-type"] == "image/jpeg"
    assert b"secret" not in shown.content


def test_a_note_says_something(desk, ledger) -> None:
    one = ledger.tell(event())[0].id
    with pytest.raises(NotUsable):
        desk.note(WANG, one, NOON, " ")
    desk.resolve(WANG, one, at(10))
    desk.note(WANG, one, at(11), "后来又看过")
    assert desk.undoable(WANG, one, at(12)) is not None
