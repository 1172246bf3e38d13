"""The parent of the ingest: checks everything first, then keeps receiver and web running.

A process that has ended is started again. A web process that no longer answers is ended first, and
a receiver that no longer says that it gets on.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from pathlib import Path

from ingest.beats import Beats
from ingest.nightly import Nightly
from ingest.pulse import Patience, Pulse
from ingest.settings import WAKE, IngestSettings
from ingest.store.space import check_least
from linli.clock import SystemClock
from linli.errors import InputError, LinliError, StoreError
from linli.owner import sole_owner
from linli.process import Child, StopSignal, Supervisor, linli_argv
from linli.service import PARENT, ServiceManager

RECEIVER, WEB = "receiver", "web"
PARTS = (RECEIVER, WEB)
POLL_SECONDS = 0.1
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1024 * 1024)}
"""Large pieces go back to the system when they are free. By itself the C library keeps them once it
has seen one, in each thread apart: 19 MiB for every thread that ever checked a password."""
DATABASE_SECONDS = 2.0


def supervise(
    settings: IngestSettings, config: Path, stop: StopSignal, patience: Patience | None = None
) -> None:
    """Run the ingest until told to stop.

    Raises InputError before anything is started when a folder, file, secret or port will not do,
    and later when a child meets something that only a person can mend.
    """
    manager = ServiceManager.of()
    settings.mqtt_password()
    settings.influx.token()
    with sole_owner(settings.folder):
        check_least(settings.folder, settings.disk.least_free)
        _migrate(config, stop, patient=settings.database.url is not None)
        check_port(settings.http.host, settings.http.port)
        pulse = Pulse(settings.http, SystemClock(), patience or Patience())
        _run(config, stop, pulse, manager, Nightly(settings, config))


def _migrate(config: Path, stop: StopSignal, *, patient: bool) -> None:
    """Migrate in a process of its own, so that this one stays small for years.

    With `patient` a database that is not there yet is waited for: a machine starts in any order.
    """
    argv = linli_argv("ingest", "migrate", "up", "--config", str(config))
    while code := subprocess.run(argv, stdout=subprocess.DEVNULL, check=False).returncode:
        if not patient or code != StoreError.exit_code:
            raise SystemExit(code)  # it has said in its own line why
        if stop.wait(DATABASE_SECONDS):
            raise SystemExit(0)


def check_port(host: str, port: int) -> None:
    """Raise InputError unless a server could listen there now."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"cannot listen there ({error.strerror})",
            where=f"http {host}:{port}",
            hint="Choose another http.port, or stop what uses it",
        ) from None


def _run(
    config: Path, stop: StopSignal, pulse: Pulse, manager: ServiceManager, nightly: Nightly
) -> None:
    clock = SystemClock()
    beats = Beats(clock, pulse.patience)
    read, write = os.pipe()
    supervisor = Supervisor(clock)
    ready = False
    try:
        inherited = {RECEIVER: {WAKE: write, PARENT: beats.theirs}, WEB: {WAKE: read}}
        for part, ends in inherited.items():
            argv = linli_argv("ingest", part, "--config", str(config))
            env = {name: str(end) for name, end in ends.items()}
            supervisor.start(Child(part, argv, pass_fds=(*ends.values(),), env={**env, **MEMORY}))
        pulse.start()
        while not stop.wait(POLL_SECONDS):
            _give_up_on_bad_input(supervisor.poll())
            if not ready and pulse.answered:
                ready = True
                manager.tell(READY="1", STATUS="pages and API answer")
            if ready:
                nightly.look(supervisor, clock.now())
            if (since := supervisor.since(WEB)) is not None and pulse.lost(since):
                supervisor.end_by_force(WEB, "does not answer any more")
            if beats.lost(supervisor.since(RECEIVER)):
                supervisor.end_by_force(RECEIVER, "does not get on any more")
    finally:
        manager.tell(STOPPING="1")
        pulse.stop()
        supervisor.stop()
        beats.close()
        for end in (read, write):
            with contextlib.suppress(OSError):
                os.close(end)


def _give_up_on_bad_input(fallen: dict[str, int]) -> None:
    """Stop restarting what only a person can mend; the child has said what it is."""
    for name, code in fallen.items():
        if name in PARTS and code == InputError.exit_code:
            error = LinliError("cannot go on, its own line says why", where=f"ingest {name}")
            error.exit_code = code
            raise error
