"""Hours of a made-up community, with kills: memory, handles, disk and delays, do they stay flat?

    python bench/soak.py --minutes 60 --picture soak.png
    python bench/soak.py --minutes 1440 --devices 1200 --out day.jsonl --json

Broker, ingest and `linli simulate run` are real processes on this machine, in the community's own
time. In the first third one of them is killed (`kill -9`) again and again: receiver, web side,
the whole ingest, broker. The rest of the time nobody is disturbed, so that what grows with a
process's age is seen. Afterwards every fact must have its receipt. Exit code 1: one has none, or
something was not flat.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from load import load_average, until
from soak_judge import delays, judge, table
from soak_picture import draw

from ingest.settings import load_settings
from ingest.store.choose import database_of
from linli.broker import free_port, plan_broker
from linli.process import linli_argv
from linli.settings import write_secret
from linli.simulate.community import community

SITE = "c001"
SAMPLE = 10.0
VICTIMS = ("receiver", "web", "ingest", "broker")


@dataclass(slots=True)
class Sample:
    """One look: seconds since the start, megabytes, open files, milliseconds, counts.

    `p50` and `p95` are of facts since the last look, from their time to the journal, above the
    fastest of all: the simulator's own time begins before its edges are connected. `probe` is the
    newest of the ingest's own, from made to shown.
    """

    at: float
    quiet: bool
    rss: dict[str, float] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    threads: int = 0
    disk: float = 0.0
    stored: int = 0
    behind: int = 0
    p50: float | None = None
    p95: float | None = None
    probe: float | None = None
    killed: str | None = None


class House:
    """All processes, in a folder of their own."""

    def __init__(self, folder: Path, devices: int) -> None:
        self.folder, self.devices = folder, devices
        boxes = [box.id for box in community(SITE, devices, None).boxes]
        users = {name: f"{name}-secret" for name in ("svc-ingest", *boxes)}
        (folder / "broker").mkdir()
        self.plan = plan_broker(folder / "broker", site=SITE, port=free_port(), users=users)
        if self.plan.kind != "mosquitto":
            sys.exit("no mosquitto on this machine: apt-get install mosquitto")
        (folder / "secrets").mkdir()
        for name, secret in users.items():
            write_secret(folder / "secrets" / name, secret)
        self.config = folder / "ingest.toml"
        self.config.write_text(
            f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "Soak"\n'
            f'[mqtt]\nport = {self.plan.port}\nusername = "svc-ingest"\n'
            f'password_file = "secrets/svc-ingest"\n[http]\nport = {free_port()}\n'
        )
        self.broker: subprocess.Popen[bytes]
        self.ingest: subprocess.Popen[bytes]
        self._read = 0
        self._fastest = float("inf")

    def prepare(self) -> None:
        """Make the store, with all of the community in its registry."""
        database_of(load_settings(self.config)).prepare()
        named = ("--site", SITE, "--devices", str(self.devices))
        rows = subprocess.run(
            linli_argv("simulate", "registry", *named), check=True, capture_output=True
        ).stdout
        (self.folder / "registry.csv").write_bytes(rows)
        words = ("registry", "import", str(self.folder / "registry.csv"), "--apply")
        argv = linli_argv("ingest", *words, "--config", str(self.config))
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)

    def start_broker(self) -> None:
        self.broker = subprocess.Popen(self.plan.argv, stderr=self._log("broker"))

    def start_ingest(self) -> None:
        argv = linli_argv("ingest", "run", "--config", str(self.config))
        self.ingest = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=self._log("ingest"))

    def play(self, minutes: float) -> subprocess.Popen[bytes]:
        named = ("--site", SITE, "--devices", str(self.devices), "--port", str(self.plan.port))
        times = max(1, round(minutes / 5))
        faults = f"ebike={times},lamp={times},smoke={times},sensor-silent={times}"
        argv = linli_argv("simulate", "run", *named, "--for", f"{round(minutes * 60)}s")
        argv += ["--faults", faults, "--secrets", str(self.folder / "secrets"), "--json"]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=self._log("simulate"))

    def _log(self, name: str) -> BinaryIO:
        return (self.folder / f"{name}.log").open("ab")

    def family(self) -> Iterator[tuple[str, psutil.Process]]:
        """Yield the processes of the ingest and the broker by what they are."""
        yield "broker", psutil.Process(self.broker.pid)
        parent = psutil.Process(self.ingest.pid)
        yield "parent", parent
        for child in parent.children():
            words = child.cmdline()
            name = next((one for one in ("receiver", "web") if one in words), None)
            if name is not None:
                yield name, child

    def kill(self, name: str) -> None:
        """Kill one at once; what no parent starts again is started here."""
        if name == "broker":
            self.broker.kill()
            self.broker.wait()
            self.start_broker()
            return
        for known, process in list(self.family()):
            if known == ("parent" if name == "ingest" else name):
                process.kill()
        if name == "ingest":
            self.ingest.wait()
            until(lambda: not _held(self.folder / "data" / "ingest.lock"), 60, "its children end")
            self.start_ingest()

    def look(self, at: float, *, quiet: bool) -> Sample:
        """Look at all of it; a process that is just being started is left out."""
        sample = Sample(round(at, 1), quiet)
        with suppress(psutil.Error):
            for name, process in self.family():
                with suppress(psutil.Error):
                    sample.rss[name] = round(process.memory_info().rss / 2**20, 1)
                    sample.files[name] = process.num_fds()
                    sample.threads += process.num_threads()
        data = self.folder / "data"
        sample.disk = round(sum(_size(one) for one in data.rglob("*")) / 2**20, 2)
        with suppress(sqlite3.OperationalError):
            self._ask(sample, data)
        return sample

    def _ask(self, sample: Sample, data: Path) -> None:
        query = "SELECT id, received - time FROM message WHERE id > ?"
        query += " AND kind IN ('event', 'telemetry') ORDER BY id"
        with closing(sqlite3.connect(f"file:{data}/journal.db?mode=ro", uri=True)) as journal:
            rows = journal.execute(query, (self._read,)).fetchall()
            newest = journal.execute("SELECT max(id) FROM message").fetchone()[0] or 0
            count = "SELECT count(*) FROM message WHERE stream <> ''"
            sample.stored = journal.execute(count).fetchone()[0]
        with closing(sqlite3.connect(f"file:{data}/state.db?mode=ro", uri=True)) as state:
            found = state.execute("SELECT min(position) FROM cursor").fetchone()[0] or 0
            newest_probe = "SELECT made, shown FROM probe WHERE shown IS NOT NULL"
            probe = state.execute(newest_probe + " ORDER BY number DESC LIMIT 1").fetchone()
        sample.behind = newest - found
        sample.probe = round((probe[1] - probe[0]) / 1000, 1) if probe else None
        if rows:
            self._read = rows[-1][0]
            took = [delay for _, delay in rows]
            sample.p50, sample.p95, self._fastest = delays(took, self._fastest)

    def close(self) -> None:
        for process in (self.ingest, self.broker):
            process.terminate()
            process.wait(60)


def _held(lock: Path) -> bool:
    """Tell whether a process of the ingest still has the folder."""
    done = subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False)
    return done.returncode != 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512 if path.is_file() else 0
    except OSError:
        return 0


def soak(house: House, minutes: float, seed: int, out: Path) -> tuple[list[Sample], dict[str, Any]]:
    """Play it all; return what was seen and what the simulator says in the end."""
    dice = random.Random(seed)
    house.start_broker()
    house.start_ingest()
    player = house.play(minutes)
    began, samples = time.monotonic(), []
    disturbed = minutes * 60 / 3
    every = max(30.0, min(300.0, disturbed / 8))
    due = every
    order: list[str] = []
    with out.open("w", encoding="utf-8") as lines:
        while player.poll() is None:
            time.sleep(SAMPLE)
            at = time.monotonic() - began
            killed = None
            if due <= at <= disturbed:
                order = order or dice.sample(VICTIMS, len(VICTIMS))
                killed = order.pop()
                house.kill(killed)
                due = at + every
            sample = house.look(at, quiet=at > disturbed + 60)
            sample.killed = killed
            samples.append(sample)
            lines.write(json.dumps(asdict(sample)) + "\n")
            lines.flush()
            said = f"{at / 60:6.1f} min {sample.stored} stored, {sum(sample.rss.values()):.0f} MB"
            print(said + (f", killed: {killed}" if killed else ""), file=sys.stderr)
    assert player.stdout is not None
    text = player.stdout.read()
    return samples, json.loads(text) if text else {"unreceipted": None, "rejected": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--devices", type=int, default=1200, help="ten small communities")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="each look as a JSON line")
    parser.add_argument("--picture", type=Path, help="a PNG of it (needs matplotlib)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.minutes < 3:
        parser.error("under three minutes nothing is seen")
    with tempfile.TemporaryDirectory(prefix="linli-soak-") as folder:
        house = House(Path(folder), given.devices)
        house.prepare()
        try:
            out = given.out or Path(folder) / "samples.jsonl"
            samples, played = soak(house, given.minutes, given.seed, out)
        finally:
            house.close()
    found = judge([asdict(one) for one in samples], played)
    found |= {"load": load_average(), "minutes": given.minutes, "devices": given.devices}
    if given.picture:
        draw([asdict(one) for one in samples], given.picture)
    print(json.dumps(found) if given.json else table(found))
    sys.exit(0 if found["flat"] else 1)


if __name__ == "__main__":
    main()
