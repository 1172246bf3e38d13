"""What a year of a small community takes in the embedded time series: computed, and measured.

    python bench/series_year.py [--days 1] [--devices 4] [--year 365] [--json]

The model below is written down in docs/time-series.md. Two things are measured, both through the
real engine with the batches that the consumer takes: all devices for some days, for the bytes of a
row as they come to lie among thousands of series; and a few devices for a year, with the real sweep
every simulated day, for the room still in use when what is too old was deleted again and again.
Then what the disk is given to write for a reading, when they are committed every so many seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa
from end_to_end import machine

from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.storage import keep_of, used
from ingest.series.sweep import SeriesSweep
from ingest.series.timeseries import Sample, SeriesKey, from_millis
from ingest.settings import Series
from ingest.store.engine import open_reader, open_writer, reading
from ingest.store.migrate import upgrade
from linli.clock import ManualClock

BEGIN = 1_772_409_600_000  # 2026-03-02 00:00 UTC
DAY, TICK = 86_400_000, 10_000
ROLLUPS_A_DAY = 288
MESSAGES = 256
"""A small batch of the consumer: what it has to do when there is little."""


@dataclass(frozen=True)
class Kind:
    """Devices that send the same readings equally often; values are drawn by kind of reading."""

    name: str
    devices: int
    every_s: int
    readings: tuple[tuple[str, str, str], ...]
    """Name, unit, how values look: `measure` has decimals, `count` is small, `state` is 0 or 1."""


MODEL = (
    Kind(
        "camera",
        150,
        10,
        (("fps", "/s", "measure"), ("inference-time", "ms", "measure"), ("people", "1", "count")),
    ),
    Kind(
        "lamp",
        600,
        300,
        (
            ("on", "1", "state"),
            ("off", "1", "state"),
            ("flickering", "1", "state"),
            ("known", "1", "measure"),
        ),
    ),
    Kind(
        "bin",
        100,
        300,
        (
            *((state, "1", "state") for state in ("empty", "half", "full", "overflowing")),
            ("fill-level", "1", "state"),
            ("known", "1", "measure"),
        ),
    ),
)
Device = tuple[Kind, tuple[SeriesKey, ...], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1, help="of all devices")
    parser.add_argument("--devices", type=int, default=4, help="lamps to follow for a year")
    parser.add_argument("--year", type=int, default=365, help="days to follow them")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    keep = Series()
    rows = expected(keep.raw_days)
    whole = measure(devices(1), arguments.days, sweep=False)
    few = measure(devices(600 / arguments.devices), arguments.year, sweep=True)
    result = {
        "machine": machine(),
        "series": sum(kind.devices * len(kind.readings) for kind in MODEL),
        **rows,
        "all_devices": whole,
        "few_devices_a_year": few,
        "written_bytes_per_reading": {f"{every} s": wear(every) for every in (1, 10, 30, 60)},
        "year_bytes": round(
            rows["readings_kept"] * whole["bytes_per_reading"]
            + rows["rollups_a_year"] * whole["bytes_per_rollup"]
        ),
        "max_bytes": keep.max_bytes,
    }
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:22} {value}")


def expected(raw_days: int) -> dict[str, int]:
    """Return how many rows the model makes."""
    a_day = sum(k.devices * len(k.readings) * 86_400 // k.every_s for k in MODEL)
    series = sum(k.devices * len(k.readings) for k in MODEL)
    return {
        "readings_a_day": a_day,
        "readings_kept": a_day * raw_days,
        "rollups_a_year": series * ROLLUPS_A_DAY * 365,
    }


def devices(share: float) -> list[Device]:
    """Return one of `share` of each kind, at least one, and how far into its turn each sends."""
    chance = random.Random(1)
    found = []
    for kind in MODEL:
        for number in range(max(1, round(kind.devices / share))):
            keys = tuple(
                SeriesKey(
                    site="c001",
                    node=f"c001-n{number // 8}",
                    device=f"{kind.name}-{number}",
                    group=kind.name,
                    name=name,
                    unit=unit,
                )
                for name, unit, _ in kind.readings
            )
            found.append((kind, keys, chance.randrange(kind.every_s * 1000)))
    return found


def measure(some: Sequence[Device], days: int, *, sweep: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="linli-year-") as name:
        path = Path(name, "series.db")
        writer = open_writer(path)
        upgrade("series", writer)
        reader = open_reader(path)
        engine = EmbeddedTimeseries(reader, writer)
        clock = ManualClock(from_millis(BEGIN))
        job = SeriesSweep(reader, writer, clock, keep_of(Series()))
        started, number, slowest = time.perf_counter(), 0, 0.0
        for day in range(days):
            for samples in batches(some, BEGIN + day * DAY):
                number += len(samples)
                engine.write(samples, number)
            clock.advance(timedelta(days=1).total_seconds())
            while sweep:
                begun = time.perf_counter()
                more = job.step()
                slowest = max(slowest, time.perf_counter() - begun)
                if not more:
                    break
        spent = time.perf_counter() - started
        result = sizes(reader)
        writer.dispose()
        reader.dispose()
        result |= {
            "days": days,
            "written": number,
            "written_per_s": round(number / spent),
            "file_bytes": path.stat().st_size,
        }
    return result | ({"slowest_slice_ms": round(slowest * 1000)} if sweep else {})


def wear(every: int) -> int:
    """Return bytes given to the disk per reading of all devices in four minutes, after ten."""
    begin, end = BEGIN + 600_000, BEGIN + 840_000
    with tempfile.TemporaryDirectory(prefix="linli-year-", dir="/var/tmp") as name:
        path = Path(name, "series.db")
        writer = open_writer(path)
        upgrade("series", writer)
        reader = open_reader(path)
        engine = EmbeddedTimeseries(reader, writer)
        readings: list[Sample] = []
        for batch in batches(devices(1), BEGIN):
            readings += batch
            if batch[-1].time >= end:
                break
        engine.write([one for one in readings if one.time < begin], 1)
        measured = sorted(
            (one for one in readings if begin <= one.time < end), key=lambda one: one.time
        )
        before = written()
        for _, some in groupby(measured, key=lambda one: one.time // (every * 1000)):
            engine.write(list(some), 2)
        writer.dispose()
        reader.dispose()
        return round((written() - before) / len(measured))


def written() -> int:
    """Return the bytes that this process gave to disks so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def sizes(reader: sa.Engine) -> dict[str, float]:
    """Return bytes per row as the pages of each table are filled."""
    with reading(reader) as connection:
        pages = {
            row.name: row.bytes
            for row in connection.execute(
                sa.text("SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name")
            )
        }
        counts = {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in ("reading", "rollup")
        }
        in_use = used(connection)
    assert in_use is not None
    return {
        "readings": counts["reading"],
        "rollups": counts["rollup"],
        "bytes_per_reading": round(pages["reading"] / counts["reading"], 1),
        "bytes_per_rollup": round(pages["rollup"] / counts["rollup"], 1),
        "used_bytes": in_use,
    }


def batches(some: Sequence[Device], begin: int) -> Iterator[list[Sample]]:
    """Yield a day of readings as the consumer takes them, in the order of their times."""
    chance = random.Random(begin)
    batch: list[Sample] = []
    for tick in range(begin, begin + DAY, TICK):
        for kind, keys, phase in some:
            every = kind.every_s * 1000
            at = begin + phase + -(-(tick - begin - phase) // every) * every
            if not tick <= at < tick + TICK:
                continue
            looks = (one[2] for one in kind.readings)
            batch += [
                Sample(key=key, time=at, value=value(look, chance))
                for key, look in zip(keys, looks, strict=True)
            ]
        if len(batch) >= MESSAGES * 3:
            yield batch
            batch = []
    if batch:
        yield batch


def value(look: str, chance: random.Random) -> float:
    match look:
        case "measure":
            return round(chance.uniform(0, 30), 3)
        case "count":
            return float(chance.randrange(5))
        case _:
            return float(chance.random() < 0.5)


if __name__ == "__main__":
    main()
