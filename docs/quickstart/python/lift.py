"""A lift that keeps the contract: a reading each second, one event, door holds.

    pip install paho-mqtt
    python lift.py --host 127.0.0.1 --port 1883 --site c001 --area b03 --node c001-lift1

The password is read from LINLI_PASSWORD. With --ca-file it speaks TLS (port 8883), with --cert-file
and --key-file under a certificate. What waits for a receipt is kept in lift.db.
"""

import argparse
import json
import os
import secrets
import signal
import sqlite3
import time
import uuid
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

DEVICE = "lift-1"
SEND_AGAIN = 10.0


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def uuid7() -> str:
    stamp = time.time_ns() // 1_000_000
    number = stamp << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))


class Store:
    """Facts without a receipt, and the last word on each command; both outlive a restart."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(
            "PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS stream (id TEXT);"
            "CREATE TABLE IF NOT EXISTS fact"
            " (sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, payload BLOB);"
            "CREATE TABLE IF NOT EXISTS word (command TEXT PRIMARY KEY, phase TEXT, at REAL);"
        )
        if not self.db.execute("SELECT 1 FROM stream").fetchone():
            self.db.execute("INSERT INTO stream VALUES (?)", (secrets.token_hex(4),))
        self.stream = self.db.execute("SELECT id FROM stream").fetchone()[0]

    def add(self, topic: str, make) -> None:
        """Number a fact and keep its bytes: they never change again."""
        self.db.execute("BEGIN IMMEDIATE")
        sequence = self.db.execute("INSERT INTO fact (topic) VALUES (?)", (topic,)).lastrowid
        low = self.db.execute("SELECT min(sequence) FROM fact").fetchone()[0]
        place = {"stream": self.stream, "sequence": f"{sequence:020d}", "low": f"{low:020d}"}
        payload = json.dumps(make(place)).encode()
        self.db.execute("UPDATE fact SET payload = ? WHERE sequence = ?", (payload, sequence))
        self.db.execute("COMMIT")

    def waiting(self) -> list[tuple[int, str, bytes]]:
        return self.db.execute("SELECT * FROM fact ORDER BY sequence LIMIT 64").fetchall()

    def forget(self, first: int, last: int) -> None:
        self.db.execute("DELETE FROM fact WHERE sequence BETWEEN ? AND ?", (first, last))

    def word(self, command: str) -> str | None:
        row = self.db.execute("SELECT phase FROM word WHERE command = ?", (command,)).fetchone()
        return row[0] if row else None

    def keep_word(self, command: str, phase: str) -> None:
        self.db.execute("DELETE FROM word WHERE at < ?", (time.time() - 86_400,))
        self.db.execute("REPLACE INTO word VALUES (?, ?, ?)", (command, phase, time.time()))


class Lift:
    def __init__(self, options: argparse.Namespace) -> None:
        self.o = options
        self.base = f"linli/v1/{options.site}/{options.area}/{options.node}"
        self.store = Store(options.store)
        self.session = secrets.token_hex(4)
        self.ready = False
        self.sent: dict[int, float] = {}
        self.holding: tuple[float, str] | None = None
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=options.node, protocol=mqtt.MQTTv5
        )
        self.client.username_pw_set(options.node, os.environ.get("LINLI_PASSWORD"))
        if options.ca_file:
            self.client.tls_set(options.ca_file, options.cert_file, options.key_file)
        delay = Properties(PacketTypes.WILLMESSAGE)
        delay.WillDelayInterval = 10
        lost = json.dumps({"state": "lost", "session": self.session})
        self.client.will_set(f"{self.base}/self/health/status", lost, 1, True, delay)
        self.client.on_connect = self.on_connect
        self.client.on_message = self.on_message

    # What we say

    def envelope(self, device: str, kind: str, name: str, data: dict, place=None) -> dict:
        return {
            "specversion": "1.0",
            "id": uuid7(),
            "source": f"/{self.o.site}/{self.o.node}/{device}",
            "type": f"linli.{kind}.{name}",
            "time": now(),
            "recordedtime": now(),
            "datacontenttype": "application/json",
            "dataschema": f"urn:linli:schema:{kind}/1.0",
            "clocksync": "synced",  # only while a time server is heard
            **(place or {}),
            "data": data,
        }

    def say(self, device: str, kind: str, name: str, data: dict, qos=1, retain=False) -> None:
        payload = json.dumps(self.envelope(device, kind, name, data))
        self.client.publish(f"{self.base}/{device}/{kind}/{name}", payload, qos, retain)

    def fact(self, kind: str, name: str, data: dict) -> None:
        topic = f"{self.base}/{DEVICE}/{kind}/{name}"
        self.store.add(topic, lambda place: self.envelope(DEVICE, kind, name, data, place))

    def status(self, state: str) -> None:
        payload = json.dumps({"state": state, "session": self.session})
        self.client.publish(f"{self.base}/self/health/status", payload, 1, True)

    def report(self) -> None:
        data = {"agent": "lift.py", "uptime": time.monotonic(), "rss": 0, "diskfree": 0}
        self.say("self", "health", "report", data, qos=0)

    # What we hear

    def on_connect(self, client, _data, _flags, code, _properties) -> None:
        if code.is_failure:
            print("refused:", code, flush=True)
            return
        ours = f"linli/v1/{self.o.site}/_sys"
        client.subscribe(
            [
                (f"{ours}/{self.o.node}/ingest/receipt/+", 1),
                (f"{ours}/{self.o.node}/ingest/reject/+", 1),
                (f"{ours}/all/ingest/health/status", 1),
                (f"{self.base}/+/command/+", 1),
            ]
        )
        self.ready = False
        self.sent.clear()  # what has no receipt goes again
        self.status("ready")
        self.say("self", "meta", "describe", {"kind": "edge", "label": "Quick start"}, retain=True)
        lift = {"kind": "lift", "label": "Lift 1", "capabilities": ["door-hold", "door-release"]}
        self.say(DEVICE, "meta", "describe", lift, retain=True)
        self.report()
        print("connected", flush=True)

    def on_message(self, _client, _data, message) -> None:
        said = json.loads(message.payload or b"{}")
        kind = message.topic.split("/")[6]
        if kind == "health":
            self.ready = said["state"] == "ready"
        elif kind == "receipt" and said["stream"] == self.store.stream:
            for first, last in [(1, said["upto"]), *said.get("ranges", [])]:
                self.store.forget(first, last)
        elif kind == "reject" and said.get("stream") == self.store.stream:
            print("refused:", said["code"], said["path"], flush=True)
            self.store.forget(int(said["sequence"]), int(said["sequence"]))
        elif kind == "command" and said and not message.retain:
            self.command(message.topic.split("/"), said)

    def command(self, levels: list[str], said: dict) -> None:
        device, name = levels[5], levels[7]
        if device != DEVICE or name != "door-hold":
            return
        before = self.store.word(said["id"])
        if before:
            self.answer(said["id"], before)
        elif datetime.fromisoformat(said["expirytime"]) <= datetime.now(UTC):
            self.answer(said["id"], "expired")
        else:
            self.answer(said["id"], "accepted")
            seconds = min(said["data"]["holds"], 60)
            print(f"the door is held for {seconds} s", flush=True)  # here the relay goes on
            self.holding = (time.monotonic() + seconds, said["id"])
            self.answer(said["id"], "done")

    def answer(self, command: str, phase: str) -> None:
        self.store.keep_word(command, phase)
        data = {"command": command, "phase": phase, "code": "ok" if phase != "expired" else phase}
        self.say(DEVICE, "ack", "door-hold", data)

    # What we do

    def run(self) -> None:
        self.client.connect(self.o.host, self.o.port, keepalive=30)
        pause, reading_at, report_at = 1.0, 0.0, time.monotonic() + 60
        self.happen()
        while True:
            if self.client.loop(0.1) != mqtt.MQTT_ERR_SUCCESS:
                time.sleep(pause)
                pause = min(60.0, pause * 2)
                try:
                    self.client.reconnect()
                except OSError:
                    continue
            elif self.client.is_connected():
                pause = 1.0
            clock = time.monotonic()
            if clock >= report_at and self.client.is_connected():
                report_at = clock + 60
                self.report()
            if clock >= reading_at:
                reading_at = clock + 1
                reading = {"n": "temperature", "v": 21.5, "u": "Cel", "t": now()}
                self.fact("telemetry", "sensor", {"readings": [reading]})
            if self.holding and clock >= self.holding[0]:
                print("the door is let go", flush=True)  # here the relay goes off
                self.holding = None
            if self.ready and self.client.is_connected():
                for sequence, topic, payload in self.store.waiting():
                    if clock >= self.sent.get(sequence, 0.0):
                        self.sent[sequence] = clock + SEND_AGAIN
                        self.client.publish(topic, payload, 1)

    def happen(self) -> None:
        """One episode: it begins and it ends."""
        episode, since = uuid7(), now()
        for phase in ("begin", "end"):
            data = {
                "phase": phase,
                "episode": episode,
                "severity": "low",
                "label": "door",
                "since": since,
            }
            self.fact("event", "door-blocked", data)

    def stop(self) -> None:
        if self.client.is_connected():
            self.status("stopped")
            self.client.disconnect()
            while self.client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS:
                pass


def main() -> None:
    options = argparse.ArgumentParser()
    for name, default in (
        *(("host", "127.0.0.1"), ("site", "c001"), ("area", "b03")),
        *(("node", "c001-lift1"), ("store", "lift.db")),
    ):
        options.add_argument(f"--{name}", default=default)
    options.add_argument("--port", type=int, default=1883)
    for name in ("ca-file", "cert-file", "key-file"):
        options.add_argument(f"--{name}")
    lift = Lift(options.parse_args())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        lift.run()
    except KeyboardInterrupt:
        lift.stop()


if __name__ == "__main__":
    main()
