"""Live pictures: lent for a minute, each look written down, kept nowhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, NODE_KEY, NOON, SITE, STAFF, Folder, jpeg, running, sign_in
from PIL import Image

from ingest.consumers.live import live_command
from ingest.live.desk import AGAIN, FRESH, MOST_CAMERAS, TO_ANSWER, LiveDesk
from ingest.live.look import LEASE, LONGEST, LiveLook
from ingest.refusal import Busy, Gone, NotThere
from ingest.services.live import LiveService
from linli.clock import ManualClock
from linli.commands import AckData
from linli.live import MEDIA_TYPE, MOST_FRAME, PERIOD, LiveBox, LiveFrame

PATH = f"/api/v1/devices/{NODE}/{CAMERA}/live"
PUT = f"/api/v1/live/{CAMERA}"
BY_NODE = {
    "Authorization": f"Bearer {NODE_KEY}",
    "Linli-Node": f"{SITE}/{NODE}",
    "Content-Type": MEDIA_TYPE,
}
BOX = LiveBox(label="person", confidence=0.9, bbox=(0.1, 0.2, 0.3, 0.4))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    """The application; its way to the edges is the desk, that tests read."""
    with running(folder) as client:
        client.app.state.services.live.on = True
        yield client


def desk_of(client: TestClient) -> LiveDesk:
    house: LiveService = client.app.state.services.live
    return house._desk


def frame(data: bytes | None = None, **more: Any) -> bytes:
    withheld = more.pop("withheld", None)
    if data is None and withheld is None:
        data = jpeg()
    made = LiveFrame(time=NOON, age=0.5, jpeg=data, withheld=withheld, **more)
    return msgspec.msgpack.encode(made)


def put(client: TestClient, body: bytes, **headers: str) -> int:
    return client.put(PUT, content=body, headers=BY_NODE | headers).status_code


def begin(client: TestClient, headers: dict[str, str], purpose: str = "fault") -> Any:
    return client.post(PATH, json={"purpose": purpose}, headers=headers)


def test_a_picture_is_there_while_somebody_looks_and_no_longer(
    client: TestClient, folder: Folder
) -> None:
    assert put(client, frame()) == 410, "nobody looks: not even read"
    headers = sign_in(client, "wang")
    assert client.get(PATH).status_code == 404
    begun = begin(client, headers)
    assert begun.status_code == 201, begun.text
    assert (begun.json()["why"], begun.json()["left"]) == ("asking", 60.0)
    assert client.get(f"{PATH}/picture").status_code == 404
    assert put(client, frame(boxes=(BOX,))) == 204
    seen = client.get(PATH).json()
    assert (seen["why"], seen["number"], seen["age"]) == ("showing", 1, 0.5)
    assert seen["boxes"] == [{"label": "person", "confidence": 0.9, "bbox": [0.1, 0.2, 0.3, 0.4]}]
    picture = client.get(f"{PATH}/picture")
    assert Image.open(io.BytesIO(picture.content)).size == (64, 48)
    assert picture.headers["cache-control"] == "private, no-store"
    assert picture.headers["content-type"] == "image/jpeg"
    folder.clock.advance(30)
    assert client.post(f"{PATH}/renew", headers=headers).json()["left"] == 60.0
    folder.clock.advance(60)
    assert client.get(PATH).status_code == 404
    assert client.get(f"{PATH}/picture").status_code == 404
    assert put(client, frame()) == 410
    assert client.post(f"{PATH}/renew", headers=headers).status_code == 404


def test_several_look_at_one_upload_each_with_a_row_and_an_end(
    client: TestClient, folder: Folder
) -> None:
    wang = sign_in(client, "wang")
    begin(client, wang, "incident")
    boss = TestClient(client.app, base_url="http://linli.test")
    of_boss = sign_in(boss, "boss")
    folder.clock.advance(1)
    begin(boss, of_boss, "setup")
    assert len(list(desk_of(client).asks(folder.clock.now()))) == 1, "the edge is asked once"
    put(client, frame())
    assert boss.get(f"{PATH}/picture").content == client.get(f"{PATH}/picture").content
    folder.clock.advance(10)
    assert client.post(f"{PATH}/end", headers=wang).status_code == 204
    assert client.get(f"{PATH}/picture").status_code == 404
    assert boss.get(f"{PATH}/picture").status_code == 200
    assert client.get(f"{PATH}/looks").status_code == 403
    first, second = boss.get(f"{PATH}/looks").json()["items"]
    assert (first["actor"], first["purpose"], first["until"]) == (
        "user:boss",
        "setup",
        "2026-03-02T12:01:01Z",
    )
    assert (second["actor"], second["purpose"]) == ("user:wang", "incident")
    assert (second["began"], second["until"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:00:11Z")
    assert boss.post(f"{PATH}/end", headers=of_boss).status_code == 204
    assert put(client, frame()) == 410


def test_another_purpose_is_another_look_and_a_quarter_of_an_hour_is_enough(
    client: TestClient, folder: Folder
) -> None:
    headers = sign_in(client, "boss")
    begin(client, headers, "fault")
    folder.clock.advance(5)
    begin(client, headers, "fault")
    begin(client, headers, "round")
    purposes = [one["purpose"] for one in client.get(f"{PATH}/looks").json()["items"]]
    assert purposes == ["round", "fault"]
    page = client.get(f"{PATH}/looks", params={"limit": 1}).json()
    assert page["next"] is not None
    rest = client.get(f"{PATH}/looks", params={"cursor": page["next"]}).json()
    assert [one["purpose"] for one in rest["items"]] == ["fault"]
    for _ in range(int(LONGEST.total_seconds() / 50) - 1):
        folder.clock.advance(50)
        last = client.post(f"{PATH}/renew", headers=headers)
    assert last.json()["left"] == 50.0, "no longer than a quarter of an hour"
    folder.clock.advance(50)
    assert client.post(f"{PATH}/renew", headers=headers).status_code == 404


def test_what_cannot_be_looked_at(client: TestClient) -> None:
    headers, of_node = sign_in(client, "wang"), f"/api/v1/devices/{NODE}"
    for path, body, status in (
        (PATH, {"purpose": "curiosity"}, 422),
        (PATH, {}, 422),
        (f"{of_node}/nobody/live", {"purpose": "fault"}, 404),
        (f"{of_node}/self/live", {"purpose": "fault"}, 404),
    ):
        found = client.post(path, json=body, headers=headers).status_code
        assert found == status, (path, body)


def test_without_the_right_nobody_looks(client: TestClient, folder: Folder) -> None:
    assert begin(client, {}).status_code == 401
    headers = sign_in(client, "guest")
    assert begin(client, headers).status_code == 403
    for path in (PATH, f"{PATH}/picture", f"{PATH}/looks"):
        assert client.get(path).status_code == 403
    assert not list(desk_of(client).asks(folder.clock.now()))
    assert put(client, frame()) == 410


def test_who_is_limited_to_other_areas_finds_no_such_camera(
    client: TestClient, folder: Folder
) -> None:
    live: LiveService = client.app.state.services.live
    elsewhere = msgspec.structs.replace(STAFF, areas=frozenset({"b09"}))
    here = msgspec.structs.replace(STAFF, areas=frozenset({AREA}))
    now = folder.clock.now()
    with pytest.raises(NotThere):
        live.begin(elsewhere, (NODE, CAMERA), "fault", now)
    assert live.begin(here, (NODE, CAMERA), "fault", now).left == 60.0


def test_where_edges_cannot_be_asked_it_says_so(folder: Folder) -> None:
    with running(folder) as client:
        refused = begin(client, sign_in(client, "wang"))
        assert refused.status_code == 409
        assert "commands.enabled" in refused.text


def test_what_is_no_live_picture_is_refused(client: TestClient) -> None:
    begin(client, sign_in(client, "wang"))
    for what, body, headers, status in (
        ("not MessagePack", b"\xc1 no", {}, 400),
        ("not a frame", msgspec.msgpack.encode({"age": 1}), {}, 400),
        ("not a JPEG", frame(b"GIF89a"), {}, 415),
        ("cut", frame(jpeg()[:200]), {}, 400),
        ("too many pixels", frame(jpeg((1600, 1000))), {}, 413),
        ("too many bytes", b"x" * (MOST_FRAME + 1), {}, 413),
        ("another kind", frame(), {"Content-Type": "image/jpeg"}, 415),
        ("a wrong key", frame(), {"Authorization": "Bearer wrong"}, 401),
    ):
        assert put(client, body, **headers) == status, what
    assert client.get(PATH).json()["number"] == 0


def test_nothing_but_pixels_comes_through_and_nothing_is_written(
    client: TestClient, folder: Folder
) -> None:
    begin(client, sign_in(client, "wang"))
    marked = jpeg(comment=b"a secret of the maker") + b"<script>"
    assert put(client, frame(marked)) == 204
    assert put(client, frame(marked)) == 503, "faster than agreed"
    shown = client.get(f"{PATH}/picture").content
    assert b"secret" not in shown
    assert b"<script>" not in shown
    for file in folder.path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"a secret of the maker" not in data
            assert shown[:200] not in data
    folder.clock.advance(PERIOD)
    assert put(client, frame(withheld="dark")) == 204
    view = client.get(PATH).json()
    assert (view["why"], view["code"]) == ("withheld", "dark")
    assert client.get(f"{PATH}/picture").status_code == 404, "the last one is gone"


class Desk:
    """A desk with one look, for its own course."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.desk = LiveDesk()
        self.began = self.clock.now()

    def look(self, account: str = "wang", device: str = CAMERA) -> LiveLook:
        now = self.clock.now()
        return LiveLook(
            id=f"look-{account}-{device}",
            account=account,
            actor=f"user:{account}",
            node=NODE,
            device=device,
            purpose="fault",
            began=self.began,
            until=now + LEASE,
        )

    def keep(self, **how: str) -> None:
        self.desk.keep(self.look(**how), (SITE, "b03"), self.clock.now())

    def asks(self) -> list:
        return list(self.desk.asks(self.clock.now()))

    def say(self, command: str, phase: str, code: str = "ok", device: str = CAMERA) -> bool:
        ack = AckData(command=command, phase=phase, code=code)  # type: ignore[arg-type]
        return self.desk.heard((NODE, device), ack, self.clock.now())

    def picture(self) -> None:
        made = LiveFrame(time=NOON, age=0.0, jpeg=b"x")
        self.desk.take((NODE, CAMERA), made, self.clock.now())

    @property
    def why(self) -> tuple[str, str | None]:
        standing = self.desk.standing((NODE, CAMERA), self.clock.now())
        return standing.why, standing.code


def test_why_nothing_comes_is_known() -> None:
    world = Desk()
    world.keep()
    (ask,) = world.asks()
    assert world.asks() == []
    assert world.why == ("asking", None)
    world.clock.advance(TO_ANSWER.total_seconds() + 1)
    assert world.why == ("no-answer", None)
    assert not world.say("other", "done")
    assert not world.say(ask.id, "done", device="cam-e2"), "the word of another camera"
    assert world.say(ask.id, "accepted")
    assert world.why == ("no-answer", None)
    assert world.say(ask.id, "failed", "off")
    assert world.why == ("refused", "off")
    world.clock.advance(AGAIN.total_seconds())
    world.keep()
    (again,) = world.asks()
    assert world.say(again.id, "done")
    assert world.why == ("waiting", None)
    world.clock.advance(FRESH.total_seconds() + 1)
    assert world.why == ("silent", None)
    world.picture()
    assert world.why == ("showing", None)
    world.clock.advance(FRESH.total_seconds() + 1)
    assert world.why == ("silent", None)


def test_an_edge_is_asked_again_in_time_and_not_more_often() -> None:
    world = Desk()
    asked = 0
    for _ in range(30):  # five minutes, with a page that renews every ten seconds
        world.keep()
        for ask in world.asks():
            asked += 1
            world.say(ask.id, "done")
        world.clock.advance(10)
        world.picture()
        lent = world.desk._cameras[NODE, CAMERA].lent_until
        assert lent is not None
        assert lent > world.clock.now(), "the edge would have stopped"
    assert asked == 10
    world.clock.advance(FRESH.total_seconds() + 1)
    world.keep()
    assert len(world.asks()) == 1, "an edge that agreed and sends nothing is asked once more"


def test_a_broker_that_is_away_is_told_and_what_goes_out_is_a_short_command() -> None:
    world = Desk()
    world.keep()
    (ask,) = world.asks()
    topic, command = live_command(ask)
    assert str(topic) == f"linli/v1/{SITE}/b03/{NODE}/{CAMERA}/command/live-view"
    assert (command.data.holds, command.expirytime - command.time) == (60, timedelta(seconds=10))
    assert "wang" not in repr(command)
    world.desk.refuse(ask, "no-broker")
    assert world.why == ("refused", "no-broker")


def test_a_desk_is_bounded_and_forgets() -> None:
    world = Desk()
    for number in range(MOST_CAMERAS):
        world.keep(device=f"cam-{number}")
    with pytest.raises(Busy):
        world.keep(device="cam-x")
    world.clock.advance(LEASE.total_seconds())
    assert world.asks() == []
    assert world.desk._cameras == {}, "nobody looks: no picture stays in memory"
    world.keep(device="cam-x")
    with pytest.raises(Gone):
        world.picture()
