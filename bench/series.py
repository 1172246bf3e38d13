"""Charts from the embedded time series beside Debian's InfluxDB 1.6.7, filled with the same rows.

    python bench/series.py [--rows 1000000,10000000] [--rounds 15] [--json]

500 devices over 24 hours. Rows go in by turns, 5000 at a time; questions are asked by turns, as a
caller has them answered: points in Python, and JSON over HTTP read by msgspec. InfluxDB's program
(package `influxdb`) is started with a configuration and a folder of its own. Pairs: ours, theirs.
A ratio of times below 1 means that we are faster. On a busy machine look at processor time (`cpu`),
of which InfluxDB may use several cores at once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypedDict
from urllib.parse import urlencode

import msgspec
from end_to_end import machine

from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.timeseries import Sample, SeriesKey
from ingest.store.engine import open_reader, open_writer
from ingest.store.migrate import upgrade

DEVICES = 500
DAY, FIVE = 86_400_000, 300_000
BEGIN = 1_772_409_600_000  # 2026-03-02 00:00 UTC
BATCH = 5000
LONG = 5_000_000
"""Rows above which InfluxDB is not asked what takes it minutes."""
DATABASE = "bench"
CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[logging]
level = "error"
"""
Summary = Callable[[Iterable[float]], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="1000000,10000000", help="sizes, with commas")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("influxd") is None:
        sys.exit("no influxd here: apt-get install influxdb")
    sizes: list[dict[str, object]] = []
    for rows in (int(part) for part in arguments.rows.split(",")):
        sizes.append(measure(rows, arguments.rounds))
        if not arguments.json:
            for name, value in sizes[-1].items():
                print(f"{name:34} {value}")
            sys.stdout.flush()
    if arguments.json:
        print(json.dumps({"machine": machine(), "sizes": sizes}))


def measure(rows: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="linli-series-") as name, influx(Path(name)) as server:
        path = Path(name, "series.db")
        writer = open_writer(path)
        upgrade("series", writer)
        reader = open_reader(path)
        engine = EmbeddedTimeseries(reader, writer)
        spent = fill(engine, server, rows)
        one = by_turns(server, rounds, *one_series(engine, server, random.Random(2)))
        site = by_turns(server, rounds, *site_wide(engine, server))
        same = by_turns(server, 1, *site_wide(engine, server, same=True)) if rows < LONG else None
        engine_bytes = path.stat().st_size
        server_bytes = sum(file.stat().st_size for file in Path(name, "influx").rglob("*.*"))
        writer.dispose()
        reader.dispose()
    return {
        "rows": rows,
        **told("insert_s", spent),
        **told("one_series_ms", one, 1000),
        **told("site_wide_ms", site, 1000),
        **(told("site_wide_same_ms", same, 1000) if same else {}),
        "bytes_per_row": [round(size / rows, 1) for size in (engine_bytes, server_bytes)],
    }


def told(name: str, spent: Spent, scale: float = 1) -> dict[str, object]:
    told: dict[str, object] = {}
    for kind, (ours, theirs) in {"": spent.wall, "_cpu": spent.cpu}.items():
        told[name + kind] = [round(ours * scale, 2), round(theirs * scale, 2)]
        told[f"{name}{kind}_ratio"] = round(ours / max(theirs, 1e-9), 3)
    return told


def fill(engine: EmbeddedTimeseries, server: Server, rows: int) -> Spent:
    """Write the same rows to both, by turns; return the seconds that each took."""
    watch = Watch(server)
    for number, samples in enumerate(batches(rows), start=1):
        lines = "\n".join(
            f"reading,device={one.key.device} value={one.value} {one.time}" for one in samples
        ).encode()
        watch.ours(partial(engine.write, samples, number))
        watch.theirs(partial(server.write, lines))
    return watch.total()


def batches(rows: int) -> Iterator[list[Sample]]:
    """Yield readings in the order of their times, all devices by turns."""
    chance = random.Random(1)
    every = DAY * DEVICES / rows
    keys = [key(number) for number in range(DEVICES)]
    for first in range(0, rows, BATCH):
        yield [
            Sample(
                key=keys[row % DEVICES],
                time=BEGIN + int(row // DEVICES * every) + row % DEVICES,
                value=round(chance.gauss(40, 8), 2),
            )
            for row in range(first, min(first + BATCH, rows))
        ]


def key(number: int) -> SeriesKey:
    return SeriesKey(
        site="c001", node="n1", device=f"d{number}", group="lamp", name="power", unit="W"
    )


def one_series(
    engine: EmbeddedTimeseries, server: Server, chance: random.Random
) -> tuple[Callable[[], None], Callable[[], None]]:
    def ours() -> None:
        found = engine.query(key(chance.randrange(DEVICES)), BEGIN, BEGIN + DAY, FIVE)
        assert sum(point.count for point in found) > 0

    def theirs() -> None:
        device = f"\"device\" = 'd{chance.randrange(DEVICES)}'"
        answer = server.ask(f"{MEANS} WHERE {device} AND {SPAN} GROUP BY time(5m)")
        assert len(values(answer)) == DAY // FIVE

    return ours, theirs


def site_wide(
    engine: EmbeddedTimeseries, server: Server, *, same: bool = False
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Ours answers mean, sum, lowest, highest of the devices' means, all of them weighed alike.

    InfluxDB is asked what is cheapest for it, one mean over all rows; or the same as we are.
    """
    keys = [key(number) for number in range(DEVICES)]
    question = f"SELECT mean(value) FROM reading WHERE {SPAN} GROUP BY time(5m)"
    if same:
        each = f"{EACH} WHERE {SPAN} GROUP BY time(5m), device"
        question = f"SELECT mean(m), sum(m), min(l), max(h), count(m) FROM ({each})"
        question += f" WHERE {SPAN} GROUP BY time(5m)"

    def ours() -> None:
        found = engine.combine(keys, BEGIN, BEGIN + DAY, FIVE)
        assert found[7].series == DEVICES

    def theirs() -> None:
        assert len(values(server.ask(question))) == DAY // FIVE

    return ours, theirs


MEANS = "SELECT mean(value), min(value), max(value), count(value) FROM reading"
EACH = "SELECT mean(value) AS m, min(value) AS l, max(value) AS h FROM reading"
SPAN = f"time >= {BEGIN}ms AND time < {BEGIN + DAY}ms"


def values(answer: Answer) -> list[object]:
    (result,) = answer["results"]
    (series,) = result["series"]
    return series["values"]


def by_turns(
    server: Server, rounds: int, ours: Callable[[], None], theirs: Callable[[], None]
) -> Spent:
    """Return the median seconds of each, asked by turns after one unmeasured round."""
    ours()
    theirs()
    watch = Watch(server)
    for _ in range(rounds):
        watch.ours(ours)
        watch.theirs(theirs)
    return watch.median()


class Line(TypedDict):
    values: list[object]


class Result(TypedDict):
    series: list[Line]


class Answer(TypedDict):
    """What InfluxDB says to a question; to one that made something, nothing in `results`."""

    results: list[Result]


class Spent(NamedTuple):
    """Seconds by the clock, and of the processor: ours, theirs."""

    wall: tuple[float, float]
    cpu: tuple[float, float]


class Watch:
    """Times both sides; what reads their answers counts as theirs by the clock only."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ours: list[tuple[float, float]] = []
        self._theirs: list[tuple[float, float]] = []

    def ours(self, action: Callable[[], None]) -> None:
        self._ours.append(timed(action, time.process_time))

    def theirs(self, action: Callable[[], None]) -> None:
        self._theirs.append(timed(action, self._server.cpu))

    def total(self) -> Spent:
        return self._of(math.fsum, math.fsum)

    def median(self) -> Spent:
        """Means of processor time: its ticks are too coarse for a median."""
        return self._of(statistics.median, statistics.fmean)

    def _of(self, wall: Summary, cpu: Summary) -> Spent:
        sides = (self._ours, self._theirs)
        first, second = ((wall(w for w, _ in one), cpu(c for _, c in one)) for one in sides)
        return Spent((first[0], second[0]), (first[1], second[1]))


def timed(action: Callable[[], None], cpu: Callable[[], float]) -> tuple[float, float]:
    used, started = cpu(), time.perf_counter()
    action()
    return time.perf_counter() - started, cpu() - used


class Server:
    """One connection, kept open."""

    def __init__(self, port: int, process: int) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        ticks = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._http.close()

    def write(self, lines: bytes) -> None:
        self._http.request("POST", f"/write?db={DATABASE}&precision=ms", lines)
        answer = self._http.getresponse()
        said = answer.read()
        assert answer.status == 204, said

    def ask(self, question: str, method: str = "GET") -> Answer:
        asked = urlencode({"db": DATABASE, "q": question, "epoch": "ms"})
        self._http.request(method, f"/query?{asked}")
        answer = self._http.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        found: Answer = msgspec.json.decode(said)
        return found


@contextmanager
def influx(folder: Path) -> Iterator[Server]:
    """Run a fresh server of our own."""
    port, rpc = free_port(), free_port()
    place = folder / "influx"
    place.mkdir()
    config = folder / "influxdb.conf"
    config.write_text(CONFIG.format(folder=place, port=port, rpc=rpc), encoding="utf-8")
    process = subprocess.Popen(
        ["influxd", "run", "-config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Server(port, process.pid)
        for _ in range(300):
            try:
                server.ask(f"CREATE DATABASE {DATABASE}", "POST")
                break
            except OSError:
                server.close()
                time.sleep(0.1)
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()
