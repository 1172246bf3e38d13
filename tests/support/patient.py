"""An ingest's data folder in which all is well, until a test spoils it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

from house import NODE, SITE, Folder

from ingest.repairs.finding import Finding
from ingest.store import journal, state
from ingest.store.chain import probe
from ingest.store.engine import to_micros, writing
from ingest.store.registry import node
from linli.cli.doctor.command import examine
from linli.codec import encode
from linli.events import LaneReport, ReportData, Status
from linli.owner import sole_owner


class Patient:
    """It is by its own clock that all is well; settings are written anew by `write`."""

    def __init__(self, folder: Folder, broker: int, web: int) -> None:
        self.folder = folder
        self.ingest = ExitStack()  # closing it lets the data folder go
        self.others = ExitStack()  # what a fault leaves to be cleaned up
        self.edge: Path | None = None
        self.config = folder.path / "ingest.toml"
        self.lines = {
            "data": ".",
            "label": "x",
            "broker": broker,
            "web": web,
            "mqtt": "",
            "database": folder.toml,
            "more": "",
        }
        self.write()
        now = folder.clock.now()
        with writing(folder.journal) as connection:
            connection.execute(journal.message.insert(), row(now, kind="clock"))
        with writing(folder.state) as connection:
            for name in ("incidents",):
                values = {"name": name, "position": 1, "poisoned": 0}
                connection.execute(state.cursor.insert(), values)
            values = {"name": "probe", "value": 2}
            connection.execute(state.tally.insert(), values)
            for number in (1, 2):
                made = now - timedelta(seconds=60 * (2 - number) + 5)
                shown = made + timedelta(seconds=0.04)
                values = {"id": str(number), "number": number, "made": made, "shown": shown}
                connection.execute(probe.insert(), values)
        self.report()

    def write(self, **changes: object) -> None:
        self.lines |= changes
        said = self.lines
        self.config.write_text(
            f'data = "{said["data"]}"\n[site]\nid = "{SITE}"\nlabel = "{said["label"]}"\n'
            f"[mqtt]\nport = {said['broker']}\n{said['mqtt']}"
            f"[http]\nport = {said['web']}\n{said['database']}{said['more']}"
        )

    def pass_time(self, seconds: float) -> None:
        """Let time pass in which the box reports, but the receiver writes nothing."""
        self.folder.clock.advance(seconds)
        self.report()

    def report(self, *lanes: LaneReport, agent: str = version("linli"), **more: Any) -> None:
        now = self.folder.clock.now()
        told: dict[str, Any] = {"uptime": 5, "rss": 9, "diskfree": 8 << 30, **more}
        data = ReportData(agent=agent, lanes=lanes, **told)
        status = Status(state="ready", session="00000001")
        with writing(self.folder.state) as connection:
            connection.execute(
                node.update().where(node.c.node == NODE),
                {
                    "status": encode(status).decode(),
                    "report": encode(data).decode(),
                    "last_seen": now,
                    "reported": now,
                },
            )

    def findings(self) -> dict[str, Finding]:
        found = list(examine(self.config, self.edge, self.folder.clock.now()))
        assert all(one.means and one.do for one in found if one.level == "bad")
        return {one.code: one for one in found}

    def wrong(self) -> dict[str, Finding]:
        return {code: one for code, one in self.findings().items() if one.level != "ok"}


def row(now: datetime, **columns: object) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(("site", "area", "node", "device", "source"), "x")
    micros = to_micros(now)
    rest = {"name": "tick", "received": micros, "time": micros, "flags": 0, "payload": b""}
    return {**values, **rest, **columns}


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the library's


@contextmanager
def pages() -> Iterator[int]:
    """Yield the port of pages that answer."""
    web = HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web.server_port
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


@contextmanager
def patient_in(path: Path) -> Iterator[Patient]:
    """Yield one whose ingest runs, whose pages answer and whose broker listens."""
    with (
        closing(Folder(path)) as folder,
        pages() as web,
        socket.create_server(("127.0.0.1", 0)) as broker,
        ExitStack() as running,
    ):
        running.enter_context(sole_owner(path))
        long_ago = folder.clock.now().timestamp() - 86_400
        os.utime(path / "ingest.lock", (long_ago, long_ago))
        patient = Patient(folder, broker.getsockname()[1], web)
        patient.ingest = running
        with patient.others:
            yield patient
