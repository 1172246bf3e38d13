"""`linli conform` as a process, and an ingest of ours that it may try."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from brokers import SITE

from ingest.registry import add_device, add_node
from ingest.settings import load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from linli.broker import free_port
from linli.process import linli_argv

QUICK = ("--patience", "60", "--quiet-seconds", "1.5", "--json")


class Conform:
    """The command on a free port; `wait_for` a phase, then `end` for its report."""

    def __init__(self, role: str, *more: str) -> None:
        stop = ("--stop",) if role in {"device", "consumer"} else ()
        self.process = subprocess.Popen(
            linli_argv("conform", role, "--listen", "127.0.0.1:0", *QUICK, *stop, *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.wait_for("connect it to").rpartition(":")[2])

    def wait_for(self, words: str) -> str:
        stderr: IO[str] | None = self.process.stderr
        assert stderr is not None
        said = []
        for line in stderr:
            said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(said))

    def end(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=100)
        assert self.process.returncode in {0, 1, 3}, err
        found: dict[str, Any] = json.loads(out)
        found["code"] = self.process.returncode
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def conform(role: str, *more: str) -> Iterator[Conform]:
    made = Conform(role, *more)
    try:
        yield made
    finally:
        made.close()


def not_passed(report: dict[str, Any]) -> dict[str, str]:
    return {
        one["clause"]: f"{one['verdict']}: {one['seen']}"
        for one in report["clauses"]
        if one["verdict"] != "pass"
    }


KILL = """
import sys, psutil
for one in psutil.Process(int(open(sys.argv[1]).read())).children():
    if "receiver" in one.cmdline():
        one.kill()
"""


class Ingest:
    """Our ingest as a process group that can be killed and started again."""

    def __init__(self, folder: Path, port: int, password: str = "one", more: str = "") -> None:
        self.config = folder / "ingest.toml"
        (folder / "secret").write_text(password)
        self.config.write_text(
            f'data = "ingest"\n[site]\nid = "{SITE}"\nlabel = "x"\n[mqtt]\nport = {port}\n'
            f'username = "svc-ingest"\npassword_file = "secret"\n{more}'
            f"[http]\nport = {free_port()}\n"
        )
        loaded = load_settings(self.config)
        prepare(loaded.folder)
        engine = open_writer(path_of(loaded.folder, "state"))
        with writing(engine) as connection:
            add_node(connection, site=SITE, area="conform", name="conform-node", label="x")
            add_device(connection, node_name="conform-node", name="lift-1", kind="lift", label="x")
        engine.dispose()
        self.process = subprocess.Popen(
            linli_argv("ingest", "run", "--config", str(self.config)), stdout=subprocess.DEVNULL
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
