"""Doors from a sight to the relay and back: the hand with its own clock, the agent for real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import msgspec
import pytest
from quick_ingest import NODE, QuickIngest
from vision import ZONE, bright_square_model, square_clip

from edge.actuate.relay import FakeRelay, Relay, TasmotaRelay, WebRelay, Zigbee2MqttRelay
from edge.agent import Agent
from edge.agent.doors import DoorHand, Doors
from edge.doors.fires import FIRES, Fires
from edge.doors.lease import Fire, Floor, Ordered, Released, Sight
from edge.sensors.happening import Happening
from edge.sensors.reading import Quality, Reading
from edge.settings import Camera, EdgeSettings, Model, Scenario, Zone
from linli.actuator_config import TasmotaActuator, Zigbee2MqttActuator
from linli.clock import ManualClock, SystemClock
from linli.commands import Effect
from linli.door_config import Door, HttpRelay
from linli.edge_config import EdgeConfig
from linli.errors import InputError, LinkError
from linli.process import StopSignal
from linli.settings import convert

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
RELAY = {"kind": "http", "hold": "http://192.0.2.1/?t={seconds}", "release": "http://192.0.2.1/"}
DOOR = Door(
    id="lift-1", label="一号梯", relay=HttpRelay(hold=RELAY["hold"], release=RELAY["release"])
)
MAYBE, SURE = Sight(certain=False), Sight(certain=True)


@dataclass
class Orders:
    said: list[tuple[str, str]] = field(default_factory=list)
    late: bool = False
    held: float | None = None

    def expired(self) -> bool:
        self.said += [("expired", "expired")] if self.late else []
        return self.late

    def finish(
        self,
        phase: str,
        code: str = "ok",
        detail: str | None = None,
        effect: Effect | None = None,
    ) -> None:
        del detail
        self.said.append((phase, code))
        self.held = effect.held if effect is not None else None


@dataclass
class World:
    clock: ManualClock
    relay: FakeRelay
    hand: DoorHand
    told: list[Happening]

    def after(self, seconds: float, *facts: object) -> None:
        self.clock.advance(seconds)
        for fact in facts:
            self.hand.put(fact)  # type: ignore[arg-type]
        self.hand.turn()


@pytest.fixture
def world() -> World:
    clock, relay, told = ManualClock(START), FakeRelay(), []
    return World(clock, relay, DoorHand(DOOR, relay, clock, told.append), told)


def test_held_at_the_first_suspicion_and_let_go_when_it_was_nothing(world: World) -> None:
    world.after(0, MAYBE)
    assert (world.relay.told, world.hand.acted.result) == ([15], "done")
    world.after(3)
    assert (world.relay.told, world.hand.acted.result) == ([15, 0], "skipped")
    assert [(one.event, one.phase, one.label) for one in world.told] == [
        ("door-hold", "begin", "suspicion"),
        ("door-hold", "end", "suspicion"),
    ]
    assert (world.told[1].time - world.told[0].since).total_seconds() == 3.0
    assert world.told[0].episode == world.told[1].episode


def test_a_relay_that_does_not_answer_is_asked_again_for_what_is_left(world: World) -> None:
    world.relay.away = True
    world.after(0, MAYBE, SURE)
    assert (world.relay.told, world.hand.acted.result, world.told) == ([], "failed", [])
    world.relay.away = False
    world.after(0.5, SURE)
    assert world.relay.told == []  # only once a second
    world.after(0.5, SURE)
    assert (world.relay.told, world.hand.acted.result) == ([14], "done")


def test_a_release_that_is_not_heard_is_said_again(world: World) -> None:
    world.after(0, SURE)
    world.relay.away = True
    world.after(4)
    assert world.relay.told == [15]
    world.relay.away = False
    world.after(1)
    assert world.relay.told == [15, 0]


@pytest.mark.parametrize(
    ("before", "order", "said"),
    [
        ([], Ordered(30), ("done", "ok")),
        ([Fire(on=True)], Ordered(30), ("failed", "fire")),
        ([Floor(allowed=False)], Ordered(30), ("done", "ok")),
        ([SURE], Released(), ("done", "ok")),
        ([], Released(), ("done", "ok")),
    ],
)
def test_what_staff_order_is_done_or_said_why_not(
    world: World, before: list[object], order: object, said: tuple[str, str]
) -> None:
    world.after(0, *before)
    orders = Orders()
    world.hand.put(order, orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert orders.said == [said]


def test_an_order_that_waited_too_long_holds_no_door_and_a_release_still_lets_go(
    world: World,
) -> None:
    orders = Orders(late=True)
    world.hand.put(Ordered(30), orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert (orders.said, world.relay.told) == ([("expired", "expired")], [])
    world.after(0, SURE)
    world.hand.put(Released(), orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert (orders.said[1:], world.relay.told) == ([("done", "ok")], [15, 0])


def test_held_too_often_in_a_row_it_is_refused(world: World) -> None:
    said = []
    for _ in range(6):
        orders = Orders()
        world.clock.advance(20)
        world.hand.put(Ordered(60), orders)  # type: ignore[arg-type]
        world.hand.turn()
        said += orders.said
    assert said == [("done", "ok")] * 4 + [("failed", "held-too-long")] * 2


def test_an_order_to_a_relay_that_is_away_fails(world: World) -> None:
    world.relay.away = True
    orders = Orders()
    world.hand.put(Ordered(30), orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert orders.said == [("failed", "unreachable")]


def test_what_waits_is_bounded_and_counted(world: World) -> None:
    for _ in range(300):
        world.hand.put(SURE)
    orders = Orders()
    world.hand.put(Ordered(30), orders)  # type: ignore[arg-type]
    assert (world.hand.dropped, orders.said) == (45, [("failed", "busy")])
    world.after(0, Fire(on=True))  # there is always room for what lets go
    assert (world.hand.dropped, world.relay.told) == (45, [15, 0])


def test_an_order_for_less_than_it_is_held_anyway_is_done(world: World) -> None:
    world.after(0, SURE)
    orders = Orders()
    world.hand.put(Ordered(10), orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert (orders.said, world.relay.told) == ([("done", "ok")], [15])


def test_an_order_is_not_done_while_the_relay_does_not_answer(world: World) -> None:
    world.relay.away = True
    world.after(0, SURE)
    orders = Orders()
    world.hand.put(Ordered(10), orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert orders.said == [("failed", "unreachable")]


@pytest.mark.parametrize(
    ("before", "order", "held"),
    [
        ([], Ordered(30), 30),
        ([], Ordered(99_999), 60),
        ([SURE], Ordered(10), 15),
        ([Fire(on=True)], Ordered(30), None),
        ([SURE], Released(), None),
    ],
)
def test_what_is_done_says_for_how_long_the_door_is_held(
    world: World, before: list[object], order: object, held: float | None
) -> None:
    world.after(0, *before)
    orders = Orders()
    world.hand.put(order, orders)  # type: ignore[arg-type]
    world.hand.turn()
    assert orders.held == held


def test_when_the_edge_ends_the_door_is_let_go(world: World) -> None:
    world.after(0, SURE)
    stop = threading.Event()
    stop.set()
    world.hand.run(stop)
    assert world.relay.told == [15, 0]
    assert world.told[-1].phase == "end"


class Words:
    """A broker's ear."""

    where = "mqtt"

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes) -> None:
        self.said.append((topic, payload))


def test_zigbee2mqtt_and_tasmota_let_go_by_their_own_clocks() -> None:
    words = Words()
    lift = Zigbee2MqttRelay(Zigbee2MqttActuator(source="z", address="lift"), "zigbee2mqtt", words)
    lift.hold(15)
    lift.release()
    relay = TasmotaRelay(TasmotaActuator(source="t", address="lift", output=2), words)
    for seconds in (1, 11, 12, 60):
        relay.hold(seconds)
    relay.release()
    assert words.said == [
        ("zigbee2mqtt/lift/set", b'{"state":"ON","on_time":15}'),
        ("zigbee2mqtt/lift/set", b'{"state":"OFF"}'),
        ("cmnd/lift/Backlog", b"PulseTime2 10; Power2 ON"),
        ("cmnd/lift/Backlog", b"PulseTime2 110; Power2 ON"),
        ("cmnd/lift/Backlog", b"PulseTime2 112; Power2 ON"),
        ("cmnd/lift/Backlog", b"PulseTime2 160; Power2 ON"),
        ("cmnd/lift/Power2", b"OFF"),
    ]


@dataclass
class WebDoor:
    port: int
    asked: list[str]
    status: int = 200


@contextmanager
def web_door() -> Iterator[WebDoor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            door.asked.append(self.path)
            self.send_response(door.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door = WebDoor(server.server_address[1], [])
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()


def relay_of(port: int) -> HttpRelay:
    base = f"http://127.0.0.1:{port}"
    return HttpRelay(hold=f"{base}/hold?t={{seconds}}", release=f"{base}/release")


def test_a_web_relay_obeys_or_says_that_it_does_not() -> None:
    with web_door() as door, httpx2.Client() as client:
        relay: Relay = WebRelay(relay_of(door.port), client)
        relay.hold(15)
        relay.release()
        assert door.asked == ["/hold?t=15", "/release"]
        door.status = 500
        with pytest.raises(LinkError, match="HTTP 500"):
            relay.hold(15)
    with httpx2.Client() as client, pytest.raises(LinkError, match="cannot be reached"):
        WebRelay(relay_of(door.port), client).release()


def test_a_camera_holds_the_door_and_the_event_says_so(tmp_path: Path) -> None:
    rule = Scenario(
        event="ebike-in-elevator", labels=("person",), zone="middle", dwell=1.0, door="lift-1"
    )
    camera = Camera(
        id="cam",
        label="c",
        source=str(square_clip(tmp_path / "square.mp4")),
        speed="max",
        zone=(Zone(id="middle", points=ZONE, anchor="center"),),
        scenario=(rule,),
    )
    ingest = QuickIngest()
    with web_door() as web:
        door = msgspec.structs.replace(DOOR, relay=relay_of(web.port), subject="b03/e1")
        model = Model(file=str(bright_square_model(tmp_path / "square.onnx")))
        settings = EdgeSettings(
            data=str(tmp_path / "edge"), node=NODE, model=model, camera=(camera,), door=(door,)
        )
        agent = Agent(settings, SystemClock(), version="1", connect=ingest.link)
        with agent:
            handlers = agent._parts.doors.handlers()
            agent.run(StopSignal(), drain=10)
            agent.verdict()
    # On the page of the incident a person sees the camera, and asks it.
    names = {"door-hold", "door-release"}
    assert set(handlers) == {(device, name) for device in ("cam", "lift-1") for name in names}
    assert web.asked[0] == "/hold?t=15"
    assert web.asked[-1] == "/release"
    of = {(one.type, one.data.phase): one for one in ingest.events()}
    begin = of["linli.event.ebike-in-elevator", "begin"]
    assert [(one.type, one.result) for one in begin.data.action] == [("door-hold", "done")]
    held = of["linli.event.door-hold", "begin"]
    assert (held.data.label, held.subject) == ("suspicion", "b03/e1")
    assert ("linli.event.door-hold", "end") in of


@pytest.mark.parametrize(
    ("readings", "held"),
    [
        pytest.param([("floor", 1.0, "good")], True, id="ground floor"),
        pytest.param([("floor", 7.0, "good")], False, id="another floor"),
        pytest.param([("floor", 7.0, "good"), ("floor", 1.0, "good")], True, id="came down"),
        pytest.param(
            [("floor", 1.0, "good"), ("floor", 7.0, "out-of-range")], True, id="what is marked"
        ),
        pytest.param([], True, id="a lift that tells nothing"),
        pytest.param([("smoke", 1.0, "good")], False, id="smoke"),
        pytest.param(
            [("fire-mode", 1.0, "good"), ("fire-mode", 0.0, "good")], True, id="fire is over"
        ),
        pytest.param([("fire-mode", 0.0, "good")], True, id="no fire"),
        pytest.param(
            [("smoke", 1.0, "good"), ("fire-mode", 0.0, "good")],
            False,
            id="smoke, and a panel that is not in fire mode",
        ),
        pytest.param(
            [("smoke", 1.0, "good"), ("fire-mode", 0.0, "good"), ("smoke", 0.0, "good")],
            True,
            id="the smoke is gone",
        ),
    ],
)
def test_what_the_lift_tells_decides_whether_the_edge_may_hold(
    tmp_path: Path, readings: list[tuple[str, float, Quality]], held: bool
) -> None:
    door = msgspec.structs.replace(DOOR, fire="panel", floor="panel", floors=(1, 2))
    hand = DoorHand(door, relay := FakeRelay(), ManualClock(START), lambda _one: None)
    doors = Doors.__new__(Doors)
    doors._hands = {door.id: hand}
    doors._fires = Fires(tmp_path / "fires.json", {"panel": FIRES})
    for quantity, value, quality in readings:
        doors.take([Reading("panel", quantity, value, "1", START, quality)])
        doors.take([Reading("other", quantity, 99.0, "1", START)])
    hand.put(SURE)
    hand.turn()
    assert relay.told == ([15] if held else [])


def test_a_lift_that_no_longer_tells_its_floor_is_held_on_any(tmp_path: Path) -> None:
    door = msgspec.structs.replace(DOOR, floor="panel", floors=(1,))
    hand = DoorHand(door, relay := FakeRelay(), ManualClock(START), lambda _one: None)
    doors = Doors.__new__(Doors)
    doors._hands = {door.id: hand}
    doors._fires = Fires(tmp_path / "fires.json", {"panel": FIRES})
    doors.take([Reading("panel", "floor", 7.0, "1", START)])
    doors.miss({"another"})
    hand.put(SURE)
    hand.turn()
    assert relay.told == []
    doors.miss({"panel"})
    hand.put(SURE)
    hand.turn()
    assert relay.told == [15]
    doors.take([Reading("panel", "floor", 7.0, "1", START)])
    hand.turn()
    assert not hand._lease.allowed  # it tells again


def configured(**changes: object) -> dict[str, object]:
    door = {"id": "lift-1", "label": "l", "relay": RELAY, **changes}
    return {"camera": [{"id": "c1", "label": "c", "source": "pattern:empty"}], "door": [door]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (configured(id="c1"), "device id 'c1' is there twice"),
        (configured(lease=61), "<= 60"),
        (configured(renewals=4), "<= 3"),
        (configured(fire="nothing"), "names sensor 'nothing', which there is not"),
        (configured(floors=[1]), "has floors and no floor sensor"),
        (configured(relay={**RELAY, "hold": "http://192.0.2.1/on"}), "must let go after them"),
        (configured(relay={**RELAY, "release": "ftp://example"}), "must be http"),
        (
            configured(relay={"kind": "tasmota", "source": "t", "address": "lift"}),
            "names source 't', which is no 'tasmota'",
        ),
        (
            {
                "camera": [
                    {
                        "id": "c1",
                        "label": "c",
                        "source": "pattern:empty",
                        "zone": [{"id": "z", "points": [[0, 0], [1, 0], [1, 1]]}],
                        "scenario": [
                            {"event": "e", "labels": ["person"], "zone": "z", "door": "x"}
                        ],
                    }
                ]
            },
            "names door 'x'; there is: none",
        ),
    ],
)
def test_a_door_that_cannot_be_is_one_clear_error(document: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        convert(document, EdgeConfig, where="test")
