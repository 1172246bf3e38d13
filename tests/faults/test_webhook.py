"""Somebody else's system that is told of incidents: slow, failing, and taking what it has twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Literal

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, until
from play import single
from sender import Sender
from stage import OTHER_NODE, Stage, acting
from test_flood import HUNDREDTHS, delays, p99

from edge import messages
from edge.messages import Address, Place, Stamp
from ingest import registry
from ingest.duty import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from ingest.store.registry import team
from linli.clock import SystemClock
from linli.events import EventData
from linli.ids import uuid7
from linli.settings import write_secret

pytestmark = [pytest.mark.full, pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

Mood = Literal["well", "slow", "failing", "forgetful"]
MOODS: tuple[Mood, ...] = ("slow", "failing", "forgetful")
SLOW, LASTS, EACH = 4.0, 10.0, 4
TOPIC = Address(SITE, AREA, OTHER_NODE).topic("cam", "event", "ebike-in-elevator")


class Webhook:
    """Takes what it is sent as its mood is, and remembers by key what it took and answered.

    `forgetful` takes a message and says nothing, so that it must come again.
    """

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.taken: Counter[str] = Counter()
        self.thanked: Counter[str] = Counter()
        self.unanswered: set[str] = set()
        self.failed = 0
        self._ending = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def status(self, key: str) -> int | None:
        """Take a message; return what to answer, None for no answer at all."""
        mood = self.mood
        if mood == "failing":
            self.failed += 1
            return 500
        if mood == "slow":
            self._ending.wait(SLOW)
        again = key in self.taken
        self.taken[key] += 1
        if mood == "forgetful" and not again:
            self.unanswered.add(key)
            return None
        self.thanked[key] += 1
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                status = hook.status(self.headers["webhook-id"])
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        return Handler


class ToldStage(Stage):
    """A stage whose ingest tells a webhook of incidents, with a second box to make them."""

    def __init__(self, folder: Path, hook: Webhook) -> None:
        folder.mkdir()
        super().__init__(folder, straight=True)
        write_secret(folder / "hook.secret", "c2VjcmV0IG9mIGEgdGVzdA==")
        self.told = {
            "routes": (book.ONLY, '{"routes": [{"team": "gate"}]}'),
            "contacts": (
                "team:gate",
                f'{{"ways": [{{"channel": "hook", "address": "{hook.url}"}}]}}',
            ),
        }
        self.more_settings = (
            '[notify]\nallow_networks = ["127.0.0.0/8"]\n'
            '[[notify.channels]]\ntype = "webhook"\nname = "hook"\nsecret_file = "hook.secret"\n'
        )

    def prepare(self) -> None:
        super().prepare()
        engine = database_of(load_settings(self.config)).writer("state")
        with writing(engine) as connection:
            registry.add_node(connection, site=SITE, area=AREA, name=OTHER_NODE, label="Other")
            registry.add_device(
                connection, node_name=OTHER_NODE, name="cam", kind="camera", label="Other"
            )
            connection.execute(team.insert(), {"team": "gate", "label": "Gate"})
            now = SystemClock().now()
            for kind, (name, body) in self.told.items():
                book.write(connection, kind, name, body, actor="cli", now=now)
        engine.dispose()
        self.keep_beginning()

    def outbox(self) -> Counter[tuple[str, str]]:
        """Return state and number of doubts of each message, and how many there are."""
        query = "SELECT state, CASE WHEN doubts > 0 THEN 'doubt' ELSE '' END FROM notification"
        with self.reading("state") as database:
            return Counter(database.execute(query).fetchall())

    def ended(self) -> bool:
        return not any(state in {"waiting", "leased"} for state, _ in self.outbox())


def alarm(number: int) -> bytes:
    """Return an alarm about safety, which no storm gathers, at a place of its own."""
    now = SystemClock().now()
    data = EventData(
        phase="begin",
        episode=uuid7(now),
        severity="critical",
        label="ebike",
        since=messages.milliseconds(now),
        zone=f"zone-{number}",
    )
    place = Place("0000beef", number, 1)
    return messages.event(TOPIC, Stamp(now), place, data, event_id=uuid7(now), time=now)


@pytest.mark.timeout(400)
def test_a_webhook_in_any_mood_gets_everything_and_delays_nothing(
    tmp_path: Path, record_property
) -> None:
    hook = Webhook()
    try:
        with acting(ToldStage(tmp_path / "stage", hook)) as stage:
            other = Sender(stage, OTHER_NODE, "three")
            stage.rate = 50.0
            stage.play_load("--seed", "1", "--telemetry", "10")
            stage.recovered(time.time())
            number, rounds = 0, []
            for mood in MOODS:
                steady = time.time()
                other.wait(lambda since=steady: time.time() > since + LASTS, 60)
                hook.mood, began = mood, time.time()
                for _ in range(EACH):
                    number += 1
                    other.send([alarm(number)], str(TOPIC))
                other.wait(lambda since=began: time.time() > since + LASTS, 60)
                hook.mood, ended = "well", time.time()
                spans = (delays(stage, steady, began), delays(stage, began, ended))
                rounds.append((p99(spans[0]), p99(spans[1])))
            until(stage.ended, 180)
            told = stage.outbox()
            stored_after, worked_after = stage.recovered(ended)
            stage.finish_load()
            other.link.close()
            sent = sum(count for (state, _), count in told.items() if state == "sent")
            row = single(
                stage,
                "webhook slow, failing, forgetting to answer",
                "R18",
                1,
                stored_after=round(stored_after, 2),
                worked_after=round(worked_after, 2),
                note=f"{len(hook.thanked)} messages told, {len(hook.unanswered)} of them twice "
                f"under one key; {hook.failed} failures; delay p99 of facts "
                f"{median(one for one, _ in rounds) * 1000:.0f} ms before, "
                f"{median(one for _, one in rounds) * 1000:.0f} ms during",
            )
    finally:
        hook.close()
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled) == (0, 0)
    assert sent == len(hook.thanked) >= len(MOODS) * EACH, told
    assert set(hook.thanked.values()) == {1}, "told again after it was taken and said so"
    assert {key for key, count in hook.taken.items() if count > 1} == hook.unanswered
    assert hook.failed > 0
    assert hook.unanswered
    times, during = median(after / first for first, after in rounds), median(x for _, x in rounds)
    assert times < 2 or during < HUNDREDTHS, rounds
