"""What the registry costs at 10², 10³ and 10⁴ devices: a list brought in, and who may be heard.

    python bench/registry.py

Prints one JSON object per size. Milliseconds of wall time, the median of five; `lookup` is what one
message pays, `watch` what the receiver pays twice a second while only other things are written.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ingest import registry
from ingest.receive.directory import DirectoryWatch, read_directory
from ingest.registry import book, sheet
from ingest.registry.records import Device, Edge, Place, Record
from ingest.services.registry import plan_of_file
from ingest.store.engine import open_reader, open_writer, writing
from ingest.store.files import path_of, prepare

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SITE, LOOKUPS, TIMES = "c001", 10_000, 5


def estate(devices: int) -> str:
    """Return a list of one site whose boxes have fifty devices each."""
    boxes = max(1, devices // 50)
    found: list[Record] = [Place(id=SITE, kind="site", label="和园")]
    for box in range(boxes):
        area = f"{SITE}/b{box}"
        found.append(Place(id=area, kind="building", label=f"{box} 号楼"))
        found.append(Edge(id=f"n{box}", label=f"{box} 号楼盒子", place=area))
        found.append(Device(id=f"n{box}/sw", kind="switch", label="交换机"))
    for number in range(devices - boxes):
        box = number % boxes
        name = f"n{box}/cam-{number}"
        found.append(Device(id=name, kind="camera", label=name, network=f"n{box}/sw"))
    return sheet.write(found, "zh")


def median(work: Callable[[], object], times: int = TIMES) -> float:
    """Return milliseconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(spent), 3)


def bring_in(state: sa.Engine, data: bytes) -> None:
    with writing(state) as connection:
        made = plan_of_file(connection, data, None, SITE)
        assert not made.preview.faults
        book.write(connection, made, "bench", NOW)


def measure(devices: int, folder: Path) -> dict[str, float]:
    prepare(folder)
    state, reader = (make(path_of(folder, "state")) for make in (open_writer, open_reader))
    data = estate(devices).encode()
    first = median(lambda: bring_in(state, data), times=1)
    again = median(lambda: bring_in(state, data))
    watch = DirectoryWatch(reader)
    known = watch.refresh()
    assert known is not None

    def heard() -> None:
        with writing(state) as connection:
            registry.seen(connection, "n0", NOW)

    def told() -> None:
        heard()
        watch.refresh()

    def look() -> None:
        for _ in range(LOOKUPS):
            known.standing(SITE, "b0", "n0", "cam-0")

    commit = median(heard, times=25)
    watched = median(told, times=25)
    result = {
        "devices": devices,
        "bytes": len(data),
        "bring_in": first,
        "bring_in_unchanged": again,
        "read_all": median(lambda: read_directory(reader)),
        "watch": round(max(watched - commit, 0.0), 3),
        "lookup": round(median(look) / LOOKUPS, 6),
    }
    watch.close()
    for engine in (state, reader):
        engine.dispose()
    return result


if __name__ == "__main__":
    for size in (100, 1_000, 10_000):
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(measure(size, Path(place))), flush=True)
