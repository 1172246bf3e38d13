"""Line protocol: our encoder and single requests beside the client library's batching `Point` mode.

    python bench/line_protocol.py [--points 20000] [--rounds 5] [--json]

The same readings (eight tags, one field) and events (eight tags, seven fields) go both ways, in
turns, into one VictoriaMetrics by `/api/v2/write`, and ours also into InfluxDB 1.6 by `/write`.
Encoding alone is measured beside the library's `Point`, too. Both send a thousand points in one
request; a side is done when the server has answered for its last point. Times are of the clock;
`processor` is the ratio of the time that this process computed, which other load disturbs less.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from end_to_end import machine
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point as TheirPoint
from influxdb_client.client.write_api import WriteOptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from influx import DATABASE, RunningServer, running_influxd, running_victoria, settings_of

from ingest.influx.endpoint import Endpoint, endpoint_of
from ingest.influx.lines import LineEncoder, Point
from ingest.influx.schema import EVENT, READING

BATCH = 1000
START = 1_772_452_800_000_000_000
PHASES = ("begin", "update", "end")
FLOOR, AIM = 5.0, 8.0


def where(one: int) -> tuple[str, str, str]:
    return "c001", f"b{one % 20:02d}", f"n{one % 50:02d}"


def readings(number: int) -> list[Point]:
    """Return readings of 500 series, a second apart."""
    return [
        Point(
            READING,
            (*where(one), f"lamp-{one % 500}", "lamp", "power", "W", "good"),
            (40.0 + one % 97 / 7,),
            START + one // 500 * 1_000_000_000,
        )
        for one in range(number)
    ]


def events(number: int) -> list[Point]:
    """Return events of 200 cameras."""
    return [
        Point(
            EVENT,
            (*where(one), f"cam-{one % 200}", "zone-dwell", "door", PHASES[one % 3], "medium"),
            (f"018f-{one:012d}", f"018e-{one // 3:012d}", "person", 0, one % 7 / 10, 0.83, 4.5),
            START + one * 1_000_000,
        )
        for one in range(number)
    ]


def ours(points: Sequence[Point], endpoint: Endpoint) -> None:
    encoder = LineEncoder()
    for first in range(0, len(points), BATCH):
        endpoint.write("\n".join(map(encoder.line, points[first : first + BATCH])))


def theirs(points: Sequence[Point], server: RunningServer) -> None:
    failed: list[object] = []
    with InfluxDBClient(server.url, token="", org="linli", timeout=30_000) as client:
        options = WriteOptions(batch_size=BATCH, flush_interval=200)
        with client.write_api(
            write_options=options, error_callback=lambda *said: failed.append(said)
        ) as api:
            for one in points:
                api.write(DATABASE, "linli", their_point(one))
    assert not failed, failed[0]


def their_point(one: Point) -> TheirPoint:
    point: TheirPoint = TheirPoint(one.measurement.name).time(one.time)
    for tag, value in zip(one.measurement.tags, one.tags, strict=True):
        point.tag(tag.name, value)
    for field, content in zip(one.measurement.fields, one.fields, strict=True):
        point.field(field.name, content)
    return point


class Figures:
    """Points per second by the clock and by processor time, of each side and round."""

    def __init__(self) -> None:
        self.clock: dict[str, list[float]] = defaultdict(list)
        self.processor: dict[str, list[float]] = defaultdict(list)

    def take(self, side: str, work: Callable[[], object], number: int) -> None:
        clock, processor = time.perf_counter(), time.process_time()
        work()
        self.clock[side].append(number / (time.perf_counter() - clock))
        self.processor[side].append(number / (time.process_time() - processor))

    def summary(self) -> dict[str, object]:
        return {
            "points_per_second": {name: round(median(one)) for name, one in self.clock.items()},
            "ratio": ratios(self.clock),
            "processor": ratios(self.processor),
        }


def ratios(found: dict[str, list[float]]) -> dict[str, float]:
    each = [one / other for one, other in zip(found["ours"], found["theirs"], strict=True)]
    return {
        name: round(of(each), 2) for name, of in (("low", min), ("median", median), ("high", max))
    }


def encoding(points: Sequence[Point], rounds: int) -> dict[str, object]:
    figures = Figures()

    def encode() -> None:
        encoder = LineEncoder()
        for one in points:
            encoder.line(one)

    def encode_theirs() -> None:
        for one in points:
            their_point(one).to_line_protocol()

    for _ in range(rounds):
        figures.take("ours", encode, len(points))
        figures.take("theirs", encode_theirs, len(points))
    return figures.summary()


def sending(
    points: Sequence[Point], victoria: RunningServer, influxd: RunningServer, rounds: int
) -> dict[str, object]:
    figures = Figures()
    v2 = endpoint_of(settings_of(victoria, api="v2"))
    v1 = endpoint_of(settings_of(influxd))
    for _ in range(rounds):
        figures.take("theirs", lambda: theirs(points, victoria), len(points))
        figures.take("ours", lambda: ours(points, v2), len(points))
        figures.take("ours_to_influxdb_1.6", lambda: ours(points, v1), len(points))
    v1.close()
    v2.close()
    return figures.summary()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, dict[str, object]]] = {}
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        running_victoria(Path(one)) as victoria,
        running_influxd(Path(other)) as influxd,
    ):
        for name, make in (("readings", readings), ("events", events)):
            points = make(options.points)
            found[name] = {
                "encoding": encoding(points, options.rounds),
                "to the server": sending(points, victoria, influxd, options.rounds),
            }
    if options.json:
        print(json.dumps({"machine": machine(), **found}))
        return
    print(f"floor {FLOOR} x, aim {AIM} x the client's batching Point mode")
    for name, parts in found.items():
        for what, figures in parts.items():
            print(f"{name}, {what}:", json.dumps(figures))


if __name__ == "__main__":
    main()
