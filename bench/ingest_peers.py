"""The ingest beside its peers: how fast, how soon, how big, and whether size of the estate matters.

    python bench/ingest_peers.py                         # all rows, about 20 minutes
    python bench/ingest_peers.py rate window --pairs 9   # some rows
    python bench/ingest_peers.py memory --count 1000000 --json

rate     messages/s at QoS 1 through mosquitto: checks, journal (synchronous=FULL), receipts,
         beside a bare paho consumer that acknowledges and stores nothing; both drain the same
window   the same on a broker that keeps a window of 20 exactly, beside a window of 1000
latency  fact published → incident committed → on the live stream, at 50 messages/s
memory   resident megabytes of all processes of the ingest while so many messages go through
devices  processor time per message at 100, 1000 and 10,000 registered and active devices

Real processes and a real mosquitto; each ratio is the median of pairs in turn within one run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from bare_consumer import USER as BARE
from end_to_end import machine
from in_process import cost_per_message
from load import Community, family_pss, family_rss, fresh, load_average, until
from processes import PATIENCE, Broker, Client, running, write_config
from wire import FILTERS, SITE, Sent, write_messages

from ingest.accounts import book
from ingest.store.engine import open_reader, open_writer, reading, writing
from ingest.store.files import path_of
from ingest.store.journal import last_position
from linli.broker import free_port
from linli.cli.demo.watch import Watcher
from linli.clock import SystemClock

HERE = Path(__file__).resolve().parent
ROWS = ("rate", "window", "latency", "memory", "devices")
AHEAD = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="\n".join(__doc__.splitlines()[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "rows",
        nargs="*",
        choices=[*ROWS, []],
        metavar="ROW",
        help=f"{', '.join(ROWS)}; default: all",
    )
    parser.add_argument("--pairs", type=int, default=7, help="pairs of each ratio")
    parser.add_argument("--messages", type=int, default=30_000, help="messages of each drain")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the latency row")
    parser.add_argument("--count", type=int, default=1_000_000, help="messages of the memory row")
    parser.add_argument("--sizes", default="100,1000,10000", help="of the devices row")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "load_before": load_average()}
    for row in arguments.rows or ROWS:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            result[row] = measure(row, Path(folder), arguments)
        result[row]["load"] = load_average()
        if not arguments.json:
            show(row, result[row])
    if arguments.json:
        print(json.dumps(result))


def measure(row: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    if row == "rate":
        return rate(folder, arguments.messages, arguments.pairs)
    if row == "window":
        return window(folder, arguments.messages, arguments.pairs)
    if row == "latency":
        return latency(folder, arguments.seconds)
    if row == "memory":
        return memory(folder, arguments.count)
    sizes = tuple(int(one) for one in arguments.sizes.split(","))
    return cost_per_message(folder, sizes, arguments.pairs)


def show(row: str, found: dict[str, Any]) -> None:
    print(row)
    for name, value in found.items():
        print(f"  {name:28} {value}")
    sys.stdout.flush()


def rate(folder: Path, count: int, pairs: int) -> dict[str, Any]:
    """Let each drain the same messages, which wait in the broker's queue before it starts."""
    community = Community(100, 20)
    community.register(folder / "template")
    messages = list(community.events(count, datetime.now(UTC)))
    ours: list[float] = []
    bare: list[float] = []
    (folder / "broker").mkdir()
    with Broker(folder / "broker") as broker:
        time.sleep(0.5)
        for number in range(pairs):
            turn = [bare_rate, receiver_rate][:: 1 if number % 2 else -1]
            for one in turn:
                (bare if one is bare_rate else ours).append(one(folder, broker.port, messages))
    return against("bare_per_second", bare, "ours_per_second", ours)


def against(peer: str, theirs: list[float], name: str, ours: list[float]) -> dict[str, Any]:
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        peer: round(statistics.median(theirs)),
        name: round(statistics.median(ours)),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": sorted(round(one, 2) for one in ratios),
    }


def fill(port: int, user: str, messages: list[Sent]) -> None:
    """Make a session of `user` in the broker and let the messages wait in it."""
    session = Client(port, user, FILTERS, keep=True)
    while session.link.step(0.2):
        pass  # what the last one of this name left behind
    session.link.close()
    sender = Client(port, "bench", keep=False)
    sender.send(messages)
    sender.link.close()


def bare_rate(folder: Path, port: int, messages: list[Sent]) -> float:
    del folder
    fill(port, BARE, messages)
    argv = [sys.executable, str(HERE / "bare_consumer.py")]
    done = subprocess.run(
        [*argv, "--port", str(port), "--count", str(len(messages))],
        stdout=subprocess.PIPE,
        check=True,
    )
    return len(messages) / float(json.loads(done.stdout)["seconds"])


def receiver_rate(folder: Path, port: int, messages: list[Sent]) -> float:
    data = fresh(folder / "template", "data")
    fill(port, "svc-ingest", messages)
    watcher = Client(port, "bench", (f"linli/v1/{SITE}/_sys/+/ingest/receipt/+",), keep=False)
    with running("receiver", "--config", str(write_config(folder, data, port))):
        watcher.step_until(lambda: watcher.upto == len(messages))
        ended = time.time()
    watcher.forget_receipts()
    watcher.link.close()
    reader = open_reader(path_of(data, "journal"))
    with reading(reader) as connection:
        batches = connection.exec_driver_sql(
            "SELECT received, count(*) FROM message WHERE kind = 'event' GROUP BY 1 ORDER BY 1"
        ).all()
    reader.dispose()
    assert sum(count for _, count in batches) == len(messages)
    # The first batch waits until it is sure that no other ingest is at work under this name.
    (_, first), (began, _), *_ = batches
    return float((len(messages) - first) / (ended - began / 1e6))


def window(folder: Path, count: int, pairs: int) -> dict[str, Any]:
    community = Community(100, 20)
    community.register(folder / "template")
    write_messages(folder / "messages", list(community.events(count, datetime.now(UTC))))
    found: dict[int, list[float]] = {20: [], 1000: []}
    for number in range(pairs):
        for width in (20, 1000)[:: 1 if number % 2 else -1]:
            found[width].append(strict_rate(folder, width))
    return against("wide_per_second", found[1000], "narrow_per_second", found[20])


def strict_rate(folder: Path, width: int) -> float:
    argv = [sys.executable, str(HERE / "strict_broker.py")]
    data = fresh(folder / "template", "data")
    with subprocess.Popen(
        [*argv, "--messages", str(folder / "messages"), "--window", str(width)],
        stdout=subprocess.PIPE,
        text=True,
    ) as broker:
        assert broker.stdout is not None
        config = write_config(folder, data, int(broker.stdout.readline()))
        with running("receiver", "--config", str(config)):
            said = json.loads(broker.stdout.readline())
    return float(said["messages"]) / float(said["seconds"])


@dataclass(frozen=True, slots=True)
class Whole:
    """An ingest at work: who sends to it, who reads its journal, who follows its pages."""

    community: Community
    sender: Client
    reader: sa.Engine
    watcher: Watcher
    parent: int


@contextlib.contextmanager
def whole_ingest(folder: Path, devices: int, nodes: int) -> Iterator[Whole]:
    """Run mosquitto and the whole ingest on a community of its own."""
    (folder / "broker").mkdir()
    community = Community(devices, nodes)
    data, http = folder / "data", free_port()
    community.register(data)
    engine = open_writer(path_of(data, "state"))
    now = datetime.now(UTC)
    with writing(engine) as connection:
        book.add_account(connection, "bench", "admin", now)
        token = book.add_token(
            connection, "bench", "bench", {"see"}, now=now, lasts=timedelta(days=1)
        )
    engine.dispose()
    with Broker(folder / "broker") as broker:
        config = write_config(folder, data, broker.port, http)
        with running("run", "--config", str(config)) as parent:
            sender = Client(broker.port, "bench", keep=False)
            reader = open_reader(path_of(data, "journal"))
            watcher = Watcher(f"http://127.0.0.1:{http}", token, SystemClock())
            until(lambda: answers(watcher), PATIENCE, "the ingest does not start", 0.1)
            yield Whole(community, sender, reader, watcher, parent.pid)
            reader.dispose()
            sender.link.close()


def answers(watcher: Watcher) -> bool:
    with contextlib.suppress(Exception):
        return bool(watcher.stats())
    return False


def latency(folder: Path, seconds: float, rate: float = 50.0) -> dict[str, Any]:
    with whole_ingest(folder, 40, 10) as estate:
        watcher, link = estate.watcher, estate.sender.link
        watcher.start()
        time.sleep(2.0)
        sent: dict[str, datetime] = {}
        started = time.monotonic()
        for number in range(int(seconds * rate)):
            while time.monotonic() < started + number / rate:
                link.step(max(0.0, min(0.01, started + number / rate - time.monotonic())))
            now = datetime.now(UTC)
            topic, payload = estate.community.event(now)
            link.publish(topic, payload)
            link.step(0.0)
            message = json.loads(payload)
            if message["data"]["phase"] == "begin":
                sent[message["id"]] = now
        until(lambda: len(sent.keys() - watcher.visible().keys()) == 0, 30, "facts are missing")
        watcher.stop()
        seen = watcher.visible()
        late = sorted((seen[one] - at).total_seconds() * 1000 for one, at in sent.items())
        rss = family_rss(estate.parent)
    return {
        "facts": len(late),
        "p50_ms": round(late[len(late) // 2], 1),
        "p95_ms": round(late[int(len(late) * 0.95)], 1),
        "max_ms": round(late[-1], 1),
        "rss_mb": rss,
    }


def memory(folder: Path, count: int) -> dict[str, Any]:
    """Send readings, one event in twenty, as fast as they are stored; look at ten points."""
    with whole_ingest(folder, 100, 20) as estate:
        sender, reader, community = estate.sender, estate.reader, estate.community

        def answered(number: int) -> bool:
            return number - sender.answered < 500

        def stored(number: int) -> bool:
            return number - kept(reader) < AHEAD

        sizes = [family_rss(estate.parent)]
        peak = Peak(estate.parent)
        started = time.monotonic()
        for number in range(1, count + 1):
            now = datetime.now(UTC)
            one = community.event(now) if number % 20 == 0 else community.reading(now)
            sender.link.publish(*one)
            if number % 200 == 0:
                sender.step_until(partial(answered, number))
            if number % 1000 == 0:
                until(partial(stored, number), PATIENCE, "it is stuck")
            if number % (count // 10) == 0:
                sizes.append(family_rss(estate.parent))
        sender.step_until(lambda: sender.answered == count)
        until(lambda: kept(reader) >= count, PATIENCE, "not everything was stored", 0.1)
        spent = time.monotonic() - started
        watcher = estate.watcher
        until(lambda: max(watcher.stats()["behind"].values()) < 100, 3600, "consumers lag", 1.0)
        sizes.append(family_rss(estate.parent))
        shared_once = family_pss(estate.parent)
        peak.stop()
    return {
        "messages": count,
        "stored_per_second": round(count / spent),
        "at_start_mb": sizes[0],
        "total_mb": [round(sum(one.values()), 1) for one in sizes],
        "at_end_mb": sizes[-1],
        "most_mb": round(peak.most, 1),
        "at_end_shared_once_mb": shared_once,
    }


def kept(reader: sa.Engine) -> int:
    with reading(reader) as connection:
        return last_position(connection)


class Peak(threading.Thread):
    """Looks at the size of a family of processes every half second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._end, self.most = pid, threading.Event(), 0.0
        self.start()

    def run(self) -> None:
        while not self._end.wait(0.5):
            self.most = max(self.most, sum(family_rss(self._pid).values()))

    def stop(self) -> None:
        self._end.set()
        self.join()


if __name__ == "__main__":
    main()
