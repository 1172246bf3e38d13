"""What boards ask of the REST API, where there is much: incidents, events, lines, newest readings.

    python bench/histories.py [--rows 1000000] [--incidents 100000] [--rounds 9] [--json]

Incidents of 35 days with three steps each, and as many events; readings of 500 devices over 24
hours. Each question goes through the service that the API calls and becomes JSON,
without HTTP. Milliseconds of wall time and of processor time: the median of all rounds, which ask
every question by turns. The machine's load stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import msgspec
from series import BATCH, BEGIN, DAY, batches

from ingest.accounts.account import Viewer
from ingest.series.embedded import EmbeddedTimeseries
from ingest.services.called import called
from ingest.services.counts import By, CountService, Filter, What
from ingest.services.history import Happened, HistoryService
from ingest.services.lines import Match, Together
from ingest.services.series import SeriesService
from ingest.store import state
from ingest.store.engine import open_reader, open_writer, writing
from ingest.store.files import path_of, prepare
from ingest.store.incidents import incident, transition

NOW = datetime.fromtimestamp((BEGIN + DAY) / 1000, UTC)
SPREAD = timedelta(days=35)
DEVICES, AREAS = 300, 20
EVENTS = ("ebike-in-elevator", "bin-full", "lamp-broken", "fire-lane-blocked")
SEVERITIES = ("critical", "high", "medium", "low")
Row = dict[str, object]
VIEWER = Viewer(account="bench", name="bench", role="street")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="readings")
    parser.add_argument("--incidents", type=int, default=100_000, help="and as many events")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linli-histories-") as name:
        folder = Path(name)
        prepare(folder)
        fill_state(folder, arguments.incidents)
        fill_series(folder, arguments.rows)
        found = measured(questions(folder), arguments.rounds)
    result = {"load": [round(one, 1) for one in os.getloadavg()], "ms": found}
    if arguments.json:
        print(json.dumps(result))
        return
    print("load", result["load"])
    for title, (wall, cpu) in found.items():
        print(f"{title:44} {wall:9.1f} {cpu:9.1f}")


def questions(folder: Path) -> dict[str, Callable[[], object]]:
    """Return what is asked, by what it is called."""
    reader = open_reader(path_of(folder, "state"))
    counts = CountService(reader, lambda: called(reader))
    history = HistoryService(reader)
    database = path_of(folder, "series")
    engine = EmbeddedTimeseries(open_reader(database), open_writer(database))
    series = SeriesService(engine)
    day, week, hour = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
    end = BEGIN + DAY
    power, one = Match(name=("power",)), Match(name=("power",), device=("d7",))

    def count(
        span: timedelta, step: timedelta, *, what: What = "opened", by: By | None = None
    ) -> Callable[[], object]:
        return lambda: counts.counts(
            VIEWER, NOW - span, NOW, NOW, what=what, by=by, step=step, only=Filter()
        )

    def rows(
        match: Match, *, step: int | None = None, together: Together | None = None
    ) -> Callable[[], object]:
        return lambda: series.rows(
            VIEWER, (), match, BEGIN, end, now=NOW, step=step, together=together
        )

    return {
        "counts, opened, a day by the hour": count(day, hour),
        "counts, opened, a week by the hour": count(week, hour),
        "counts, opened, a week by kind": count(week, hour, by="event"),
        "counts, opened, a week by device": count(week, day, by="device"),
        "counts, resolved (times to act), a week": count(week, day, what="resolved"),
        "figures of events, a week by the hour": lambda: history.figures(
            VIEWER, NOW - week, NOW, NOW, by=None, step=hour, only=Happened()
        ),
        "history of incidents, 100 newest": lambda: history.steps(
            VIEWER, NOW - week, NOW, only=Happened(), limit=100
        ),
        "history of events, 100 newest": lambda: history.events(
            VIEWER, NOW - week, NOW, only=Happened(), limit=100
        ),
        "points, one device, a day by 5 min": rows(one, step=300),
        "points, 60 devices, a line each": rows(
            Match(name=("power",), device=tuple(f"d{number}" for number in range(60)))
        ),
        "points, 300 devices put together": rows(
            Match(name=("power",), device=tuple(f"d{number}" for number in range(300))),
            together="sum",
        ),
        "latest, 300 devices": lambda: series.latest(
            VIEWER,
            Match(name=("power",), device=tuple(f"d{number}" for number in range(300))),
            BEGIN,
            end,
        ),
        "latest, one device": lambda: series.latest(VIEWER, one, BEGIN, end),
        "which series there are": lambda: series.list(VIEWER, power),
    }


def measured(asked: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Return milliseconds of wall and of processor time, after one round that does not count."""
    spent: dict[str, list[tuple[float, float]]] = {title: [] for title in asked}
    for _ in range(rounds + 1):
        for title, ask in asked.items():
            wall, cpu = time.perf_counter(), time.process_time()
            msgspec.json.encode(ask())
            spent[title].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        title: (middle([wall for wall, _ in some[1:]]), middle([cpu for _, cpu in some[1:]]))
        for title, some in spent.items()
    }


def middle(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 1)


def fill_series(folder: Path, rows: int) -> None:
    path = path_of(folder, "series")
    writer, reader = open_writer(path), open_reader(path)
    engine = EmbeddedTimeseries(reader, writer)
    for number, samples in enumerate(batches(rows), start=1):
        engine.write(samples, number)
    writer.dispose()
    reader.dispose()


def fill_state(folder: Path, most: int) -> None:
    engine = open_writer(path_of(folder, "state"))
    made = list(happened(most))
    with writing(engine) as connection:
        for first in range(0, len(made), BATCH):
            some = made[first : first + BATCH]
            incidents, steps, events = zip(*some, strict=True)
            connection.execute(incident.insert(), incidents)
            connection.execute(transition.insert(), list(chain.from_iterable(steps)))
            connection.execute(state.event.insert(), events)
    engine.dispose()


def happened(number_of: int) -> Iterator[tuple[Row, list[Row], Row]]:
    """Yield incidents with their steps and the event each came from, in order of time."""
    chance = random.Random(3)
    for number in range(1, number_of + 1):
        at = NOW - SPREAD + SPREAD * number / (number_of + 1)
        device, node = f"cam-{number % DEVICES}", f"n{number % AREAS}"
        event, severity = chance.choice(EVENTS), chance.choice(SEVERITIES)
        key = {"site": "c001", "node": node, "device": device, "event": event}
        place = {"area": f"b{number % AREAS}", "node": node, "device": device, "severity": severity}
        body = {"key": key, "number": number, "opened": at, **place}
        name = f"i{number}"
        row = place | {"id": name, "number": number, "key": f"k{number}", "site": "c001"}
        row |= {"event": event, "state": "resolved", "urgency": 9, "last": at}
        row["body"] = msgspec.json.encode(body).decode()
        steps = []
        for step, later in (("opened", 0), ("acknowledged", 60), ("resolved", 900)):
            then = at + timedelta(seconds=later * chance.uniform(0.2, 3))
            steps.append({"incident": name, "step": step, "at": then, "recorded": then})
            steps[-1] |= {"actor": "rule:edge", "body": "{}"}
        micros = int(at.timestamp() * 1e6)
        told = {key: place[key] for key in ("area", "node", "device", "severity")} | {
            "id": number,
            "event_id": f"e{number}",
            "source": "s",
            "name": event,
            "stream": "s",
            "sequence": number,
            "time": micros,
            "received": micros + 200_000,
            "incident": name,
            "phase": "begin",
            "confidence": 0.9,
            "dwell": 3.0,
        }
        yield row, steps, told


if __name__ == "__main__":
    main()
