"""A made-up community from end to end: mosquitto, the whole ingest, `linli simulate run`, the API.

    python bench/large_community.py                        # 100,000 devices behind 500 edges
    python bench/large_community.py --devices 10000 --minutes 1 --json

Brings the registry in as CSV by the commands that docs/simulate.md names, plays the community at
`--speed`, and meanwhile asks pages and lists one after another. Says facts a second, processor time
and memory (PSS, shared pages counted once) of each process, and how long and how heavy answers are.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
from end_to_end import machine
from load import load_average, until
from processes import PATIENCE, USERS, running, write_config
from wire import SITE

from ingest.accounts import book as accounts
from ingest.registry import make_site
from ingest.store.engine import open_reader, open_writer, writing
from ingest.store.files import path_of, prepare
from linli.broker import free_port, plan_broker
from linli.cli.simulate.registry import ROWS
from linli.process import linli_argv
from linli.settings import write_secret
from linli.simulate.community import Community, community

NAME, PASSWORD = "bench", "a long password of the bench"
LISTS = {
    "desk": "/",
    "devices": "/devices",
    "devices, searched": "/devices?q=sim250",
    "tree of places": "/registry",
    "cameras": "/cameras",
    "API: devices": "/api/v1/devices?limit=100",
    "API: registry": "/api/v1/registry/devices?limit=100",
    "API: incidents": "/api/v1/incidents?limit=100",
    "API: events": "/api/v1/events?limit=100",
}


class Bench:
    """One folder, one broker, one ingest; `said` is what came of it."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self.folder, self.arguments = folder, arguments
        self.made: Community = community(SITE, arguments.devices, arguments.edges)
        self.data, self.secrets = folder / "data", folder / "secrets"
        self.http = free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self.said: dict[str, Any] = {}

    def play(self) -> None:
        self._accounts()
        with self._broker() as broker:
            config = write_config(self.folder, self.data, self.port, self.http)
            self.said["registry"] = self._bring_in(config)
            with running("run", "--config", str(config)) as ingest:
                until(self._answers, PATIENCE, "the ingest does not start", 0.1)
                self._play(broker, ingest.pid)
                self.said["answers, idle"] = self._ask()

    def _accounts(self) -> None:
        prepare(self.data)
        engine, now = open_writer(path_of(self.data, "state")), datetime.now(UTC)
        with writing(engine) as connection:
            make_site(connection, SITE, "Bench", now)
            accounts.add_account(connection, NAME, "admin", now, PASSWORD)
            (account,) = accounts.accounts(connection)
            self.session = accounts.open_session(connection, account, now)[0]
            self.token = accounts.add_token(
                connection, NAME, NAME, {"see"}, now=now, lasts=timedelta(days=1)
            )
        engine.dispose()

    @contextlib.contextmanager
    def _broker(self) -> Iterator[int]:
        """Run mosquitto with a user for each edge; yield its process id."""
        self.port = free_port()
        self.secrets.mkdir()
        users = {"svc-ingest": USERS["svc-ingest"]}
        users |= {box.id: f"secret of {box.id}" for box in self.made.boxes}
        for name, password in users.items():
            write_secret(self.secrets / name, password)
        place = self.folder / "broker"
        place.mkdir()
        plan = plan_broker(place, site=SITE, port=self.port, users=users)
        if plan.kind != "mosquitto":
            sys.exit("no mosquitto on this machine: apt-get install mosquitto")
        with subprocess.Popen(plan.argv) as process:
            try:
                yield process.pid
            finally:
                process.terminate()

    def _bring_in(self, config: Path) -> dict[str, Any]:
        which = (
            *("--site", SITE, "--devices", str(self.arguments.devices)),
            *("--edges", str(len(self.made.boxes))),
        )
        rows = len(self.made.devices) + 2 * len(self.made.boxes)
        seconds = []
        for part in range(-(-rows // ROWS)):
            listed = self.folder / "part.csv"
            printed = ("simulate", "registry", *which, "--part", str(part + 1))
            with listed.open("wb") as file:
                subprocess.run(linli_argv(*printed), stdout=file, check=True)
            brought = ("ingest", "registry", "import", str(listed), "--apply")
            began = time.monotonic()
            argv = linli_argv(*brought, "--config", str(config))
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
            seconds.append(round(time.monotonic() - began, 1))
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {"rows": rows, "seconds of each part": seconds, "most MB": round(most)}

    def _answers(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/healthz", timeout=60).status_code == 200
        return False

    def _play(self, broker: int, ingest: int) -> None:
        given = self.arguments
        argv = linli_argv(
            *("simulate", "run", "--site", SITE, "--devices", str(given.devices)),
            *("--edges", str(len(self.made.boxes)), "--port", str(self.port)),
            *("--for", f"{given.minutes * 60:.0f}s", "--speed", str(given.speed)),
            *("--faults", given.faults, "--secrets", str(self.secrets), "--json"),
        )
        meter = Meter({"broker": broker, "ingest": ingest})
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            meter.watch("community", process.pid)
            asked: dict[str, list[tuple[float, float]]] = {}
            while process.poll() is None:
                meter.look()
                if meter.rounds % 10 == 0:
                    self._ask_once(asked)
                time.sleep(1)
            meter.look()
            out = process.stdout.read() if process.stdout else ""
            code = process.returncode
        self.said["run"] = {"exit code": code, **(json.loads(out) if out else {})}
        self.said["answers, meanwhile"] = shown(asked)
        self.said["processes"] = meter.said()
        engine = open_reader(path_of(self.data, "journal"))
        with engine.connect() as connection:
            kept = connection.exec_driver_sql(
                "SELECT count(*), count(DISTINCT source || event_id) FROM message"
                " WHERE kind IN ('event', 'telemetry')"
            )
            self.said["journal"] = dict(zip(("facts", "different"), kept.one(), strict=True))
        engine.dispose()

    def _ask(self) -> dict[str, Any]:
        asked: dict[str, list[tuple[float, float]]] = {}
        for _ in range(10):
            self._ask_once(asked)
        return shown(asked)

    def _ask_once(self, asked: dict[str, list[tuple[float, float]]]) -> None:
        with httpx2.Client(base_url=self.url, timeout=120) as client:
            for name, path in LISTS.items():
                client.cookies.set("linli_session", self.session)
                head = {"Authorization": f"Bearer {self.token}"} if "/api/" in path else {}
                began = time.monotonic()
                answer = client.get(path, headers=head)
                spent = (time.monotonic() - began) * 1000
                assert answer.status_code == 200, (path, answer.status_code, answer.text[:200])
                asked.setdefault(name, []).append((spent, len(answer.content) / 1000))


class Meter:
    """Memory at its most and processor seconds of processes, those of the ingest by name."""

    def __init__(self, watched: dict[str, int]) -> None:
        self._watched = {name: psutil.Process(pid) for name, pid in watched.items()}
        for child in self._watched["ingest"].children():
            role = next((one for one in ("receiver", "web") if one in child.cmdline()), "other")
            self._watched[f"ingest {role}"] = child
        self._before = {name: self._spent(one) for name, one in self._watched.items()}
        self._spent_now = dict(self._before)
        self._most: dict[str, float] = {}
        self.rounds = 0

    def watch(self, name: str, pid: int) -> None:
        self._watched[name] = psutil.Process(pid)
        self._before[name] = 0.0

    def look(self) -> None:
        self.rounds += 1
        for name, one in self._watched.items():
            with contextlib.suppress(psutil.Error):
                size = one.memory_full_info().pss / 2**20
                if size:
                    self._most[name] = max(self._most.get(name, 0.0), size)
                    self._spent_now[name] = self._spent(one)

    def said(self) -> dict[str, Any]:
        return {
            name: {
                "most MB": round(size, 1),
                "processor s": round(self._spent_now[name] - self._before[name], 1),
            }
            for name, size in self._most.items()
        }

    @staticmethod
    def _spent(one: psutil.Process) -> float:
        times = one.cpu_times()
        return times.user + times.system


def shown(asked: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    return {
        name: {
            "median ms": round(statistics.median(one for one, _ in found)),
            "most ms": round(max(one for one, _ in found)),
            "kB": round(found[-1][1], 1),
        }
        for name, found in asked.items()
    }


def main() -> None:
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(
        description=lines[0],
        epilog="\n".join(lines[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=2.0, help="of the community's time")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--faults", default="ebike=5,lamp=20,smoke=2")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        bench = Bench(Path(name), arguments)
        before = load_average()
        bench.play()
    said = {"machine": machine(), "load": [before, load_average()], **bench.said}
    if arguments.json:
        print(json.dumps(said))
        return
    for part, found in said.items():
        print(part)
        for name, value in found.items() if isinstance(found, dict) else [("", found)]:
            print(f"  {name:28} {value}")


if __name__ == "__main__":
    main()
