"""Sensors through mapping, marks and spool on one core, and what 2,000 of them take in memory.

    python bench/sensors.py [--sensors 2000] [--messages 20000] [--rounds 5] [--json]

The same payloads, as Zigbee2MQTT, Tasmota and ChirpStack publish them, go by turns through JSON
decoding alone (the limit), through the mapping, through the desk (marks, alarms, silence), and
through desk, messages of the contract and the spool on disk: together once for each second that the
sensors would take at one message in ten seconds, and, as the peer, a commit for each message.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from end_to_end import machine

from edge.agent.sensor_keeper import SensorKeeper
from edge.messages import Address
from edge.sensors.desk import SensorDesk
from edge.sensors.happening import Happening
from edge.sensors.known import KnownSensor, known_sensors
from edge.sensors.mapped import map_payload
from edge.sensors.reading import Reading
from edge.sensors.topics import Said
from edge.spool import Spool
from linli.clock import SystemClock
from linli.process import rss
from linli.sensor_config import Sensor, SensorSource

SOURCES = (
    SensorSource(id="zigbee", kind="zigbee2mqtt"),
    SensorSource(id="wifi", kind="tasmota"),
    SensorSource(id="lora", kind="chirpstack"),
)
EVERY = 10.0


class Nowhere:
    def __init__(self) -> None:
        self.readings = 0

    def keep(self, readings: Mapping[str, Sequence[Reading]]) -> None:
        self.readings += sum(len(one) for one in readings.values())

    def tell(self, happening: Happening) -> None: ...


def known(count: int) -> tuple[KnownSensor, ...]:
    sensors = []
    for number in range(count):
        source = SOURCES[number % 3].id
        mapping = "milesight-em300-sld" if source == "lora" else None
        address = f"{number:016x}"
        name = f"sensor-{number}"
        sensors.append(
            Sensor(
                id=name, label=f"传感器 {number}", source=source, address=address, mapping=mapping
            )
        )
    return known_sensors(SOURCES, sensors)


def payload(sensor: KnownSensor, turn: int) -> bytes:
    if sensor.source == "zigbee":
        said: dict[str, Any] = {
            "temperature": 20 + turn % 50 / 10, "humidity": 40 + turn % 30, "battery": 90,
            "illuminance": turn % 900, "occupancy": bool(turn % 2), "linkquality": 100,
        }  # fmt: skip
    elif sensor.source == "wifi":
        said = {
            "Time": "2026-03-02T12:00:00",
            "ENERGY": {
                "Total": 1 + turn / 1000, "Yesterday": 0.05, "Today": 0.04, "Period": 0,
                "Power": turn % 200, "Factor": 0.43, "Voltage": 231, "Current": 0.089,
            },
        }  # fmt: skip
    else:
        said = {
            "deduplicationId": f"{sensor.address}-{turn}",
            "deviceInfo": {"deviceName": "x", "devEui": sensor.address, "tags": {}},
            "dr": 1, "fPort": 85, "data": "qg==", "rxInfo": [{"rssi": -36, "snr": 10.5}],
            "object": {
                "battery": 92, "temperature": 20 + turn % 99 / 10, "humidity": 50.5,
                "leakage_status": "normal",
            },
        }  # fmt: skip
    return json.dumps(said).encode()


Messages = list[tuple[KnownSensor, Said, bytes]]


def messages(sensors: Sequence[KnownSensor], count: int) -> Messages:
    return [
        (one, Said("payload", one.address), payload(one, turn))
        for turn, one in ((at // len(sensors), sensors[at % len(sensors)]) for at in range(count))
    ]


def through_decoding(sent: Messages) -> int:
    decode = msgspec.json.decode
    for _, _, data in sent:
        decode(data)
    return 0


def through_mapping(sent: Messages) -> int:
    return sum(len(map_payload(one.mapping, data).values) for one, _, data in sent)


def through_desk(sent: Messages, sensors: Sequence[KnownSensor]) -> int:
    nowhere = Nowhere()
    desk = SensorDesk(SOURCES, sensors, nowhere, SystemClock())
    for one, said, data in sent:
        desk.take(one.source, said, data)
    desk.tick()
    return nowhere.readings


def through_spool(sent: Messages, sensors: Sequence[KnownSensor], together: int) -> int:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "spool.db", clock) as spool:
        address = Address("c001", "b03", "c001-n01")
        keeper = SensorKeeper(clock, address=address, spool=spool, recorded=lambda _one: None)
        desk = SensorDesk(SOURCES, sensors, keeper, clock)
        for at, (one, said, data) in enumerate(sent, 1):
            desk.take(one.source, said, data)
            if at % together == 0:
                desk.tick()
        desk.tick()
        assert keeper.lost_readings == 0
        return desk.counts["readings"]


def measured(run: Callable[[], int], count: int) -> tuple[float, float, int]:
    """Return messages per second of this process's core time and of time, and readings."""
    core, began = time.process_time(), time.perf_counter()
    readings = run()
    return count / (time.process_time() - core), count / (time.perf_counter() - began), readings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sensors", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before = rss()
    sensors = known(options.sensors)
    desk = SensorDesk(SOURCES, sensors, Nowhere(), SystemClock())
    sent = messages(sensors, options.messages)
    held = rss()
    for one, said, data in sent[: len(sensors)]:
        desk.take(one.source, said, data)
    desk.tick()
    memory = (rss() - held) + _size_of_sensors(before, held, sent)
    together = max(1, round(len(sensors) / EVERY))
    few = sent[: max(1, len(sent) // 10)]
    runs: dict[str, Callable[[], tuple[float, float, int]]] = {
        "decoding alone": lambda: measured(lambda: through_decoding(sent), len(sent)),
        "mapping": lambda: measured(lambda: through_mapping(sent), len(sent)),
        "desk": lambda: measured(lambda: through_desk(sent, sensors), len(sent)),
        "desk and spool": lambda: measured(
            lambda: through_spool(sent, sensors, together), len(sent)
        ),
        "a commit each": lambda: measured(lambda: through_spool(few, sensors, 1), len(few)),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    walls: dict[str, list[float]] = {name: [] for name in runs}
    per_message = 0.0
    for _ in range(options.rounds):
        for name, run in runs.items():
            rate, wall, readings = run()
            rates[name].append(rate)
            walls[name].append(wall)
            if name == "desk":
                per_message = readings / len(sent)
    found = {name: round(statistics.median(one)) for name, one in rates.items()}
    by_the_clock = {name: round(statistics.median(one)) for name, one in walls.items()}
    result = {
        "sensors": len(sensors),
        "messages_per_second_of_core": found,
        "messages_per_second": by_the_clock,
        "readings_per_message": round(per_message, 2),
        "readings_per_second": round(found["desk and spool"] * per_message),
        "together": together,
        "rss_mb_of_all_sensors": round(memory / 1e6, 1),
        "rss_mb_of_the_process": round(rss() / 1e6, 1),
        "machine": machine(),
    }
    if options.json:
        json.dump(result, sys.stdout, ensure_ascii=False)
        return
    limit = found["decoding alone"]
    for name, rate in found.items():
        wall = by_the_clock[name]
        print(f"{name:16} {rate:>8} messages per core second, {limit / rate:>6.1f} x the time of "
              f"decoding; {wall:>8} per second by the clock")  # fmt: skip
    print(f"{result['readings_per_second']} readings per core second, {per_message:.1f} a message")
    print(f"{len(sensors)} sensors: {result['rss_mb_of_all_sensors']} MB more, heard once each")


def _size_of_sensors(before: int, held: int, sent: Messages) -> int:
    """Return what sensors and desk took: all of it, less the payloads made meanwhile."""
    payloads = sum(sys.getsizeof(data) + sys.getsizeof(said) + 80 for _, said, data in sent)
    return max(0, held - before - payloads)


if __name__ == "__main__":
    main()
