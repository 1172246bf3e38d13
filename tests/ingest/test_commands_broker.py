"""Commands through a real mosquitto under its real rules, to an edge that the test plays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from brokers import NEEDS_MOSQUITTO, RunningBroker, running_broker
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, SITE, Folder, running, sign_in

from ingest.settings import Commands, Integrator, Mqtt
from linli.clock import ManualClock, SystemClock
from linli.codec import decode_part, encode
from linli.commands import AckData, AckMessage, AskData, CommandMessage
from linli.events import schema_uri
from linli.ids import uuid7
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.settings import write_secret

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
USERS = {NODE: "two", "svc-command": "three", "c001-n02": "four", "ha": "five", "pm-b03": "six"}
PATH = f"/api/v1/devices/{NODE}/{CAMERA}/commands"


class Edge:
    """Hears commands, and says of them what the test tells it to."""

    def __init__(self, port: int, name: str = NODE) -> None:
        self.name, self.heard, self.up = name, list[tuple[CommandMessage, bool]](), False
        self.refused = False
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id=name,
            username=name,
            password=USERS[name],
            subscriptions=(f"linli/v1/{SITE}/{AREA}/{name}/+/command/+",),
        )
        self.link = PahoLink(options, self, SystemClock())

    def on_up(self) -> None:
        self.up = True

    def on_down(self, reason: str) -> None:
        self.up = False

    def on_message(self, delivery: Delivery) -> None:
        self.heard.append((decode_part(delivery.payload, CommandMessage), delivery.retain))
        self.link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        self.refused = self.refused or error is not None

    def until(self, there: Callable[[], Any]) -> None:
        end = time.monotonic() + 45
        while not there():
            assert time.monotonic() < end, "nothing came"
            self.link.step(0.02)

    def say(self, command: str, phase: str, code: str = "ok", device: str = CAMERA) -> None:
        now = SystemClock().now()
        said = AckMessage(
            specversion="1.0",
            id=uuid7(now),
            source=f"/{SITE}/{self.name}/{device}",
            type="linli.ack.door-hold",
            time=now,
            datacontenttype="application/json",
            dataschema=schema_uri("ack"),
            clocksync="synced",
            data=AckData(command=command, phase=phase, code=code),  # type: ignore[arg-type]
        )
        topic = f"linli/v1/{SITE}/{AREA}/{self.name}/{device}/ack/door-hold"
        self.link.publish(topic, encode(said))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker", USERS, integrators=("ha",)) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, broker: RunningBroker) -> Iterator[Folder]:
    made = Folder(tmp_path / "data")
    write_secret(tmp_path / "password", USERS["svc-command"])
    made.settings = msgspec.structs.replace(
        made.settings,
        mqtt=Mqtt(port=broker.port),
        commands=Commands(
            enabled=True,
            username="svc-command",
            password_file=str(tmp_path / "password"),
            integrators=(Integrator(user="ha", commands=("door-hold", "door-release")),),
        ),
    )
    yield made
    made.close()


def hold(client: TestClient, headers: dict[str, str], **more: Any) -> Any:
    body = {"reason": "电动车", "seconds": 30, **more}
    return client.post(f"{PATH}/door-hold", json=body, headers=headers)


def stands(client: TestClient, headers: dict[str, str], command: str) -> str:
    found: str = client.get(f"/api/v1/commands/{command}", headers=headers).json()["state"]
    return found


def ready(client: TestClient, headers: dict[str, str], clock: ManualClock) -> None:
    """Wait until our own way to the broker is up: before, a command is given up at once."""
    for _ in range(200):
        body = {"reason": "Probe"}
        made = client.post(f"{PATH}/door-release", json=body, headers=headers).json()["id"]
        threading.Event().wait(0.1)
        if client.get(f"/api/v1/commands/{made}", headers=headers).json()["code"] is None:
            clock.advance(1)  # later commands have greater ids
            return
    pytest.fail("no way to the broker")


def test_a_hold_is_done_once_cut_and_written_down(broker: RunningBroker, folder: Folder) -> None:
    edge, other = Edge(broker.port), Edge(broker.port, "c001-n02")
    edge.until(lambda: edge.up)
    other.until(lambda: other.up)
    with running(folder) as client:
        headers = sign_in(client, "wang")
        ready(client, headers, folder.clock)
        edge.until(lambda: edge.heard)
        edge.heard.clear()
        key = {**headers, "Idempotency-Key": "one-tap"}
        made = hold(client, key, seconds=99_999)
        again = hold(client, key, seconds=99_999)
        assert (made.status_code, again.json()["id"]) == (202, made.json()["id"])
        edge.until(lambda: edge.heard)
        (heard, retained) = edge.heard[0]
        assert (heard.id, heard.data.holds, retained) == (made.json()["id"], 60, False)
        other.say(heard.id, "done")  # another node's word counts for nothing
        edge.say(heard.id, "done", device="cam-e2")  # nor that of another device
        edge.say(heard.id, "accepted")
        edge.until(lambda: stands(client, headers, heard.id) == "accepted")
        edge.say(heard.id, "done")
        edge.until(lambda: stands(client, headers, heard.id) == "done")
        row = client.get(PATH, headers=headers).json()["items"][0]
        assert (row["actor"], row["reason"], row["state"]) == ("user:wang", "电动车", "done")
        forged = f"linli/v1/{SITE}/{AREA}/{NODE}/{CAMERA}/command/door-hold"
        other.link.publish(forged, encode(heard))
        other.until(lambda: other.refused)
        edge.link.step(0.1)
        assert len(edge.heard) == 1
    # Nothing was retained: who comes later hears nothing old.
    late = Edge(broker.port)
    late.until(lambda: late.up)
    assert late.link.step(0.2) == 0
    for one in (edge, other, late):
        one.link.close()


def test_silence_is_a_timeout_and_nothing_is_sent_again(
    broker: RunningBroker, folder: Folder
) -> None:
    edge = Edge(broker.port)
    edge.until(lambda: edge.up)
    with running(folder) as client:
        headers = sign_in(client, "wang")
        ready(client, headers, folder.clock)
        made = hold(client, headers).json()["id"]
        edge.until(lambda: any(one.id == made for one, _ in edge.heard))
        folder.clock.advance(timedelta(seconds=4).total_seconds())
        edge.until(lambda: stands(client, headers, made) == "timeout")
        broker.kill()
        edge.until(lambda: not edge.up)
        lost = hold(client, headers).json()["id"]
        for _ in range(200):
            if stands(client, headers, lost) == "failed":
                break
            threading.Event().wait(0.05)
        found = client.get(f"/api/v1/commands/{lost}", headers=headers).json()
        assert (found["state"], found["code"]) == ("failed", "no-broker")
        heard = [one.id for one, _ in edge.heard]
        assert heard.count(made) == 1
        assert lost not in heard
    edge.link.close()


def test_who_may_not_send_does_not(broker: RunningBroker, folder: Folder) -> None:
    with running(folder) as client:
        guest = sign_in(client, "guest")
        assert hold(client, guest).status_code == 403
        staff = sign_in(client, "wang")
        assert hold(client, staff, reason="").status_code == 422
        assert hold(client, staff, seconds=None).status_code == 400
        assert hold(client, staff, incident="none").status_code == 404
        wrong = f"/api/v1/devices/{NODE}/none/commands/door-hold"
        assert (
            client.post(wrong, json={"reason": "x", "seconds": 3}, headers=staff).status_code == 404
        )
        odd = client.post(f"{PATH}/format-disk", json={"reason": "x"}, headers=staff)
        assert odd.status_code == 422
        assert client.get(PATH, headers=staff).json()["items"] == []


def test_without_the_setting_commands_are_off(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with running(folder) as client:
        answer = hold(client, sign_in(client, "wang"))
        assert answer.status_code == 409
        assert "commands are off" in answer.json()["detail"]
    folder.close()


def test_what_other_systems_ask_for_is_checked_and_done_once(
    broker: RunningBroker, folder: Folder
) -> None:
    edge, ha, other = Edge(broker.port), Edge(broker.port, "ha"), Edge(broker.port, "pm-b03")
    for one in (edge, ha, other):
        one.until(lambda one=one: one.up)  # type: ignore[misc]
    with running(folder) as client:
        headers = sign_in(client, "wang")
        ready(client, headers, folder.clock)
        edge.until(lambda: edge.heard)
        edge.heard.clear()
        job, now = client.app.state.house._commands, folder.clock.now()  # type: ignore[attr-defined]

        def ask(by: Edge, *, user: str = "", device: str = CAMERA, **more: Any) -> None:
            name, retain = more.pop("name", "door-hold"), more.pop("retain", False)
            given = AskData(
                **{
                    "id": uuid7(now),
                    "expirytime": now + timedelta(seconds=5),
                    "reason": "a button in Home Assistant",
                    "seconds": 99_999,
                    **more,
                }
            )
            topic = f"linli/v1/{SITE}/_req/{user or by.name}/{device}/command/{name}"
            by.link.publish(topic, encode(given), retain=retain)
            by.link.step(0.05)

        same = uuid7(now)
        ask(ha, id=same)
        ask(ha, id=same)
        edge.until(lambda: edge.heard)
        (heard, _) = edge.heard[0]
        assert heard.data.holds == 60
        row = client.get(f"/api/v1/commands/{heard.id}", headers=headers).json()
        assert (row["actor"], row["reason"]) == ("integrator:ha", "a button in Home Assistant")

        for by, user in ((other, ""), (edge, ""), (ha, "svc-command"), (other, "ha")):
            by.refused = False
            ask(by, user=user)
            by.until(lambda by=by: by.refused)  # type: ignore[misc]
        bad: list[dict[str, Any]] = [
            {"expirytime": now},
            {"expirytime": now + timedelta(seconds=11)},
            {"device": "no-such"},
            {"name": "lamp-set", "seconds": None, "level": 1.0},
            {"name": "format-disk"},
            {"seconds": None},
        ]
        for more in bad:
            ask(ha, **more)
        ha.link.publish(f"linli/v1/{SITE}/_req/ha/{CAMERA}/command/door-hold", b"ON")
        for _ in range(400):
            ha.link.step(0.01)
            if job.refused == len(bad) + 1:
                break
        assert job.refused == len(bad) + 1
        edge.link.step(0.1)
        assert len(edge.heard) == 1
        # A retained one is heard by who comes later, and does nothing.
        ask(ha, retain=True, id=uuid7(now))
        edge.until(lambda: len(edge.heard) == 2)
        items = client.get(PATH, headers=headers).json()["items"]
        asked = [one for one in items if one["actor"] == "integrator:ha"]
        assert len(asked) == 2
    folder.clock.advance(1)
    with running(folder) as client:
        ready(client, sign_in(client, "wang"), folder.clock)
        held = [one for one, _ in edge.heard if one.type == "linli.command.door-hold"]
        assert len(held) == 2
    for one in (edge, ha, other):
        one.link.close()
