"""Work orders: who may do what and when, and what becomes of the incident."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, GUEST, STAFF, Folder, jpeg, running, sign_in
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import Ledger, at, event
from msgspec.structs import replace
from PIL import Image

from ingest.accounts import book as accounts
from ingest.accounts.account import Viewer
from ingest.evidence.picture import PHOTO_SIDE, photo
from ingest.evidence.retention import Keep
from ingest.evidence.shelf import FolderStore
from ingest.feed import Feed
from ingest.orders.machine import FROM, Person, Wish, decide, steps_for
from ingest.orders.order import Order, OrderStep, apply, fold
from ingest.refusal import Clash, NotAllowed, NotThere, NotUsable, Refusal, TooMuch, WrongKind
from ingest.services.evidence import EvidenceService
from ingest.services.orders import OrderService
from ingest.store.engine import writing

WANG, LI = Person(actor="user:wang"), Person(actor="user:li")
BOSS = Person(actor="user:boss", administers=True)
LI_VIEWER = Viewer(account="li", name="li", role="duty")
PROBLEM = "application/problem+json"


def begun(assignee: str = "user:wang") -> OrderStep:
    given = {"order": "o", "step": "assigned", "at": at(0), "actor": "user:boss"}
    return OrderStep(**given, incident="i", number=7, assignee=assignee)


def told(*wishes: tuple[Person, Wish]) -> list[OrderStep]:
    rows = [begun()]
    for number, (person, wish) in enumerate(wishes, 1):
        row = decide(fold(rows), wish, person, at(number))
        if row is not None:
            rows.append(row)
    return rows


def wish(step: str, note: str | None = None, **more) -> Wish:
    return Wish(step=step, note=note, **more)  # type: ignore[arg-type]


ACCEPT, DONE = wish("accepted"), wish("done", "new lamp")
CHECKED, TO_LI = (LI, wish("checked")), wish("assigned", assignee="user:li")
RATED = wish("rated", stars=4)
OVER = wish("handed-over", "off duty", assignee="user:li")


@pytest.mark.parametrize(
    ("wishes", "state", "assignee"),
    [
        ([], "assigned", "user:wang"),
        ([(WANG, ACCEPT)], "accepted", "user:wang"),
        ([(WANG, ACCEPT), (WANG, ACCEPT)], "accepted", "user:wang"),
        ([(WANG, wish("returned", "ill"))], "returned", None),
        ([(WANG, wish("returned", "ill")), (LI, TO_LI)], "assigned", "user:li"),
        ([(WANG, ACCEPT), (WANG, OVER)], "handed-over", "user:li"),
        ([(WANG, OVER), (LI, ACCEPT)], "accepted", "user:li"),
        ([(WANG, OVER), (LI, wish("returned", "busy"))], "returned", None),
        ([(WANG, ACCEPT), (WANG, DONE)], "done", "user:wang"),
        ([(BOSS, ACCEPT), (BOSS, DONE)], "done", "user:wang"),
        ([(WANG, ACCEPT), (WANG, DONE), CHECKED], "checked", "user:wang"),
        ([(WANG, ACCEPT), (WANG, DONE), (LI, wish("sent-back", "dark"))], "accepted", "user:wang"),
        ([(WANG, ACCEPT), (WANG, DONE), CHECKED, (BOSS, RATED)], "rated", "user:wang"),
        ([(LI, wish("withdrawn"))], "withdrawn", "user:wang"),
        ([(WANG, ACCEPT), (LI, TO_LI)], "assigned", "user:li"),
    ],
)  # fmt: skip
def test_steps_that_lead_on(wishes, state: str, assignee: str | None) -> None:
    order = fold(told(*wishes))
    assert (order.state, order.assignee) == (state, assignee)


@pytest.mark.parametrize(
    ("wishes", "person", "last", "refusal"),
    [
        ([], LI, ACCEPT, NotAllowed),
        ([], WANG, DONE, Clash),
        ([], WANG, wish("returned"), NotUsable),
        ([], WANG, wish("handed-over", "x"), NotUsable),
        ([], WANG, wish("assigned"), NotUsable),
        ([(WANG, ACCEPT)], LI, DONE, NotAllowed),
        ([(WANG, ACCEPT)], WANG, wish("done"), NotUsable),
        ([(WANG, ACCEPT)], LI, wish("checked"), Clash),
        ([(WANG, ACCEPT), (WANG, OVER)], WANG, ACCEPT, NotAllowed),
        ([(WANG, ACCEPT), (WANG, DONE)], WANG, wish("checked"), NotAllowed),
        ([(WANG, ACCEPT), (WANG, DONE)], LI, wish("sent-back"), NotUsable),
        ([(WANG, ACCEPT), (WANG, DONE)], LI, wish("rated", stars=5), Clash),
        ([(WANG, ACCEPT), (WANG, DONE)], LI, wish("withdrawn"), Clash),
        ([(BOSS, ACCEPT), (BOSS, DONE), CHECKED], WANG, wish("rated", stars=5), NotAllowed),
        ([(WANG, ACCEPT), (WANG, DONE), CHECKED], LI, wish("rated", stars=6), NotUsable),
        ([(WANG, ACCEPT), (WANG, DONE), CHECKED], LI, wish("rated"), NotUsable),
        ([(LI, wish("withdrawn"))], WANG, ACCEPT, Clash),
    ],
)  # fmt: skip
def test_steps_that_are_refused(wishes, person: Person, last: Wish, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        decide(fold(told(*wishes)), last, person, at(99))


def test_what_was_done_is_kept_when_it_comes_back() -> None:
    order = fold(told((WANG, ACCEPT), (WANG, DONE), (LI, wish("sent-back", "still dark"))))
    assert (order.words, order.done_by, order.note) == ("new lamp", "user:wang", "still dark")


def test_the_person_is_told_what_they_may_do() -> None:
    order = fold(told((WANG, ACCEPT), (WANG, DONE)))
    assert steps_for(order, WANG) == ()
    assert steps_for(order, LI) == ("checked", "sent-back")
    assert set(steps_for(fold(told()), LI)) == {"assigned", "withdrawn"}


def test_a_history_begins_with_assigned() -> None:
    with pytest.raises(ValueError, match="begins with assigned"):
        fold([replace(begun(), step="done")])
    with pytest.raises(ValueError, match="at least one"):
        fold([])


ANY_WISH = st.builds(
    Wish,
    step=st.sampled_from(sorted(FROM)),
    note=st.sampled_from([None, "because"]),
    assignee=st.sampled_from([None, "user:wang", "user:li"]),
    stars=st.sampled_from([None, 0, 3]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([WANG, LI, BOSS]), ANY_WISH), max_size=12))
def test_any_wishes_make_an_order_whose_rows_lead_to_it(wishes) -> None:
    rows, order = [begun()], apply(None, begun())
    for number, (person, one) in enumerate(wishes, 1):
        try:
            row = decide(order, one, person, at(number))
        except Refusal:
            continue
        if row is None:
            # Said again, or the same meant otherwise: nothing is added.
            continue
        assert row.step in steps_for(order, person)
        rows.append(row)
        order = apply(order, row)
    assert fold(rows) == order
    assert order.version == len(rows)
    if order.checked_by is not None:
        assert order.checked_by != order.done_by or order.state == "accepted"


class Desk:
    """The service over a folder with three accounts, and a fourth."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        reader, feed = self.folder.reader("state"), Feed()
        self.told: list[str] = []
        feed.tell = self.told.append  # type: ignore[method-assign, assignment]
        shelf = FolderStore(path / "evidence")
        self.evidence = EvidenceService(reader, self.folder.state, shelf, feed, keep=Keep())
        self.service = OrderService(reader, self.folder.state, feed, self.evidence)
        self.ledger = Ledger(self.folder.state)
        with writing(self.folder.state) as connection:
            accounts.add_account(connection, "li", "duty", at(0), "another quiet evening")
            accounts.add_account(connection, "gone", "duty", at(0), "no more quiet evenings")
            accounts.disable(connection, "gone")
        self.incident, _ = self.ledger.tell(event())

    def assign(self, name: str = "wang", seconds: float = 1) -> Order:
        return self.service.assign(STAFF, self.incident.id, name, at(seconds), " look at it ")

    def act(self, viewer: Viewer, order: Order, step: str, seconds: float, **more) -> Order:
        return self.service.act(viewer, order.id, step, at(seconds), **more)  # type: ignore[arg-type]

    @property
    def state(self) -> str:
        return self.ledger.all[-1].state


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.folder.close()


def test_an_order_moves_its_incident(desk: Desk) -> None:
    order = desk.assign()
    assert (order.number, order.assignee, order.note) == (1, "user:wang", "look at it")
    assert desk.state == "acknowledged"
    desk.act(STAFF, order, "accepted", 2)
    assert desk.state == "in-progress"
    picture = desk.service.hand_in(STAFF, order.id, jpeg(), at(3))
    done = desk.act(STAFF, order, "done", 4, note="new lamp", picture=picture)
    assert (done.picture, done.done_by, desk.state) == (picture, "user:wang", "resolved")
    desk.act(LI_VIEWER, order, "sent-back", 5, note="still dark")
    assert desk.state == "in-progress"
    desk.act(STAFF, order, "done", 6, note="new switch", picture=picture)
    desk.act(LI_VIEWER, order, "checked", 7)
    rated = desk.act(ADMIN, order, "rated", 8, stars=5)
    assert (rated.stars, rated.rated_by, desk.state) == (5, "user:boss", "resolved")
    rows = desk.service.steps(GUEST, order.id)
    assert fold(rows) == rated == desk.service.get(GUEST, order.id)
    assert [row.step for row in rows] == [
        *("assigned", "accepted", "done", "sent-back", "done", "checked", "rated"),
    ]
    assert desk.told.count("incidents") == 7


def test_an_incident_has_one_open_order(desk: Desk) -> None:
    order = desk.assign()
    with pytest.raises(Clash):
        desk.assign("li")
    desk.act(LI_VIEWER, order, "withdrawn", 3)
    second = desk.assign("li", 4)
    assert [one.id for one in desk.service.of_incident(GUEST, desk.incident.id)] == [
        second.id,
        order.id,
    ]


def test_a_check_that_fails_when_it_has_happened_again_leaves_that_alone(desk: Desk) -> None:
    order = desk.assign()
    desk.act(STAFF, order, "accepted", 2)
    desk.act(STAFF, order, "done", 3, note="done")
    desk.ledger.tell(event(episode="e2", time=900))
    desk.act(LI_VIEWER, order, "sent-back", 901, note="no")
    assert [one.state for one in desk.ledger.all] == ["resolved", "open"]
    assert desk.service.get(GUEST, order.id).state == "accepted"


@pytest.mark.parametrize("name", ["nobody", "guest", "gone"])
def test_only_who_works_here_is_given_an_order(desk: Desk, name: str) -> None:
    with pytest.raises(NotUsable):
        desk.assign(name)
    assert desk.service.assignees(STAFF) == ("boss", "li", "wang")


def test_who_may(desk: Desk) -> None:
    order = desk.assign()
    with pytest.raises(NotAllowed):
        desk.service.assign(GUEST, desk.incident.id, "wang", at(1))
    with pytest.raises(NotAllowed):
        desk.act(GUEST, order, "withdrawn", 2)
    with pytest.raises(NotAllowed):
        desk.act(LI_VIEWER, order, "accepted", 2)
    with pytest.raises(NotThere):
        desk.service.act(STAFF, "x", "accepted", at(2))
    with pytest.raises(NotThere):
        desk.service.assign(STAFF, "x", "wang", at(2))
    with pytest.raises(NotThere):
        desk.service.steps(GUEST, "x")
    assert desk.service.may(GUEST, order) == ()
    assert "accepted" in desk.service.may(STAFF, order)


def test_lists_by_state_and_person_in_pages(desk: Desk) -> None:
    orders = [desk.assign()]
    for number in range(2):
        desk.incident, _ = desk.ledger.tell(event(zone=f"z{number}", episode=f"z{number}"))
        orders.append(desk.assign("li" if number else "wang", number + 2))
    first = desk.service.list(GUEST, limit=2)
    rest = desk.service.list(GUEST, limit=2, cursor=first.next)
    assert [one.id for one in (*first.items, *rest.items)] == [one.id for one in orders[::-1]]
    assert rest.next is None
    mine = desk.service.list(GUEST, assignee="li", states=("assigned",)).items
    assert [one.id for one in mine] == [orders[2].id]


def test_only_a_photograph_handed_in_shows_that_it_is_done(desk: Desk) -> None:
    order = desk.assign()
    desk.act(STAFF, order, "accepted", 2)
    with pytest.raises(NotUsable, match="no such picture"):
        desk.act(STAFF, order, "done", 3, note="done", picture="not-there")
    with pytest.raises(NotUsable):
        desk.act(STAFF, order, "done", 3, note="x" * 2001)


def test_a_photograph_is_made_upright_small_and_bare() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010E] = "where I live"
    Image.new("RGB", (4000, 3000), (10, 120, 30)).save(out, "JPEG", exif=exif)
    made = photo(out.getvalue())
    assert (made.width, made.height) == (PHOTO_SIDE * 3 // 4, PHOTO_SIDE)
    assert b"where I live" not in made.data
    assert made.data[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"GIF89a", WrongKind),
        (b"", WrongKind),
        (jpeg()[:200], NotUsable),
        (b"\xff" * (16 * 1024 * 1024 + 1), TooMuch),
    ],
)
def test_what_is_no_photograph_is_refused(data: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        photo(data)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    folder = Folder(tmp_path)
    ledger = Ledger(folder.state)
    ledger.tell(event())
    with running(folder) as client:
        yield client
    folder.close()


def test_over_rest_from_beginning_to_end(client: TestClient) -> None:
    headers = sign_in(client, "boss")
    (one,) = client.get("/api/v1/incidents").json()["items"]
    base = f"/api/v1/incidents/{one['id']}/orders"
    made = client.post(base, json={"assignee": "wang", "note": "please"}, headers=headers)
    assert (made.status_code, made.json()["state"]) == (201, "assigned")
    again = client.post(base, json={"assignee": "wang"}, headers=headers)
    assert (again.status_code, again.headers["content-type"]) == (409, PROBLEM)
    path = f"/api/v1/orders/{made.json()['id']}"
    headers = sign_in(client, "wang")
    assert client.post(f"{path}/accept", headers=headers).json()["state"] == "accepted"
    # A phone's photograph is larger than any node's picture.
    big = jpeg((4000, 3000), quality=100) + b"\0" * 3_000_000
    kind = {**headers, "Content-Type": "image/jpeg"}
    picture = client.put(f"{path}/picture", content=big, headers=kind)
    assert picture.status_code == 201, picture.text
    said = {"words": "new lamp", **picture.json()}
    done = client.post(f"{path}/done", json=said, headers=headers).json()
    assert (done["state"], done["picture"]) == ("done", picture.json()["picture"])
    link = client.post(f"/api/v1/evidence/{done['picture']}/link", headers=headers).json()
    assert Image.open(io.BytesIO(client.get(link["path"]).content)).size == (1600, 1200)
    own = client.post(f"{path}/check", json={"ok": True}, headers=headers)
    assert own.status_code == 403
    headers = sign_in(client, "boss")
    client.post(f"{path}/check", json={"ok": True}, headers=headers)
    rated = client.post(f"{path}/rate", json={"stars": 4}, headers=headers).json()
    assert (rated["state"], rated["stars"]) == ("rated", 4)
    steps = client.get(f"{path}/steps").json()["items"]
    assert [step["step"] for step in steps] == ["assigned", "accepted", "done", "checked", "rated"]
    assert client.get("/api/v1/orders", params={"assignee": "wang"}).json()["items"] == [rated]
    assert client.get(base).json()["items"] == [rated]


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("image/png", b"x", 415),
        ("image/jpeg", b"x", 404),
        ("image/jpeg", b"\0" * (16 * 1024 * 1024 + 64 * 1024 + 1), 413),
    ],
)
def test_what_is_no_photograph_is_refused_over_rest(client, kind, data, status) -> None:
    headers = {**sign_in(client, "wang"), "Content-Type": kind}
    answer = client.put("/api/v1/orders/x/picture", content=data, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
