"""From a message over MQTT to a message at a provider, with a kill -9 while it is being sent."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import paho.mqtt.publish
import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, DEVICE, NODE, Estate, until
from paho.mqtt.client import MQTTv5

from edge import messages
from edge.messages import Address, Place, Stamp
from ingest.duty import book
from ingest.duty.book import Kind
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from ingest.store.registry import team
from linli.clock import SystemClock
from linli.events import EventData
from linli.ids import uuid7

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]
TOPIC = Address(SITE, AREA, NODE).topic(DEVICE, "event", "ebike-in-elevator")
WRITTEN: tuple[tuple[Kind, str, str], ...] = (
    ("routes", book.ONLY, '{"routes": [{"team": "gate"}]}'),
    ("contacts", "team:gate", '{"ways": [{"channel": "group", "address": "the-key"}]}'),
)


class GroupBot:
    """Answers as 企业微信 does, HTTP 200 with a code; the first time not before it is let."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.let = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/send"

    def close(self) -> None:
        self.let.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                bot.taken.append(json.loads(body)["markdown"]["content"])
                bot.let.wait(30)
                answer = b'{"errcode":0,"errmsg":"ok"}'
                try:
                    self.send_response(200)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    return  # whoever asked was killed

            def log_message(self, *_: object) -> None:
                return

        return Handler


class ToldEstate(Estate):
    """An estate whose ingest tells one group."""

    def __init__(self, folder: Path, bot: GroupBot) -> None:
        super().__init__(folder)
        self.more_settings = (
            f'[[notify.channels]]\ntype = "wecom-bot"\nname = "group"\nurl = "{bot.url}"\n'
        )

    def prepare(self) -> None:
        super().prepare()
        engine, now = database_of(load_settings(self.config)).writer("state"), SystemClock().now()
        with writing(engine) as connection:
            connection.execute(team.insert(), {"team": "gate", "label": "门岗"})
            for kind, name, body in WRITTEN:
                book.write(connection, kind, name, body, actor="cli", now=now)
        engine.dispose()

    def publish(self, payload: bytes) -> None:
        paho.mqtt.publish.single(
            str(TOPIC),
            payload,
            qos=1,
            hostname="127.0.0.1",
            port=self.broker.port,
            client_id=NODE,
            auth={"username": NODE, "password": "two"},
            protocol=MQTTv5,
        )

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "ingest" / "state.db", timeout=10)) as database:
            found = database.execute(statement).fetchall()
            database.commit()
            return found


def alarm() -> bytes:
    now = SystemClock().now()
    since = messages.milliseconds(now)
    data = EventData(
        phase="begin", episode=uuid7(now), severity="critical", label="ebike", since=since
    )
    place = Place("0000beef", 1, 1)
    return messages.event(TOPIC, Stamp(now), place, data, event_id=uuid7(now), time=now)


def test_killed_between_sending_and_writing_it_down_it_comes_once_more_and_says_so(
    tmp_path: Path,
) -> None:
    bot = GroupBot()
    estate = ToldEstate(tmp_path, bot)
    try:
        estate.prepare()
        estate.start_ingest()
        estate.wait_ready()
        until(lambda: estate.ask("SELECT * FROM notifier") != [])
        payload = alarm()
        for _ in range(3):  # as MQTT may, with QoS 1
            estate.publish(payload)
        until(lambda: len(bot.taken) == 1)
        estate.kill_ingest()
        bot.let.set()
        assert estate.ask("SELECT state FROM notification WHERE channel <> ''") == [("leased",)]
        estate.ask(
            "UPDATE notification SET lease_until = 1 WHERE lease_until > 0"
        )  # two minutes have passed
        estate.start_ingest()
        until(
            lambda: estate.ask("SELECT state FROM notification WHERE channel <> ''")[0] == ("sent",)
        )
        assert estate.ask("SELECT doubts, attempts FROM notification WHERE channel <> ''") == [
            (1, 2)
        ]
        (incident,) = estate.get("/api/v1/incidents", limit=9)["items"]
        assert incident["count"] == 1
        assert len(bot.taken) == 2
        assert all(f"#{incident['number']}" in one for one in bot.taken)
        shown = estate.get("/api/v1/notifications/status")
        assert (shown["sent"], shown["doubts"]) == (1, 1)
        assert shown["suppressed"] == {"nobody-on-duty": 1}
    finally:
        bot.close()
        estate.close()
