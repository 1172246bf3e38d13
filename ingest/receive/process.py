"""The receiver process: files, link and loop put together."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import closing

import sqlalchemy as sa

from ingest.receive.directory import DirectoryWatch
from ingest.receive.failpoint import failpoint
from ingest.receive.pace import Pace
from ingest.receive.probe import Prober
from ingest.receive.receiver import Receiver
from ingest.receive.upkeep import consumed, forget, note_memory
from ingest.receive.writer import JournalWriter
from ingest.settings import CLIENT_ID, WAKE, IngestSettings
from ingest.store import journal
from ingest.store.choose import database_of
from ingest.store.engine import reading, to_micros
from linli.clock import Clock, SystemClock
from linli.mqtt import LinkOptions, PahoLink
from linli.process import StopSignal, rss
from linli.service import ServiceManager
from linli.tls import client_context

UPKEEP_SECONDS = 60.0
JUST_NOW = 60 * 1_000_000
SEEKING = 300.0


def run_receiver(settings: IngestSettings, stop: StopSignal) -> None:
    """Receive until told to stop.

    Raises InputError for a secret that cannot be read, or when another process writes the journal.
    """
    database = database_of(settings)
    mqtt = settings.mqtt
    options = LinkOptions(
        host=mqtt.host,
        port=mqtt.port,
        # The broker's rules go by the identity, so client and user have one name.
        client_id=mqtt.username or CLIENT_ID,
        username=mqtt.username,
        password=settings.mqtt_password(),
        protocol=mqtt.protocol,
        tls=client_context(mqtt.ca_file, mqtt.cert_file, mqtt.key_file),
    )
    clock = SystemClock()
    engine = database.writer("journal", sole=True)
    state, series = database.reader("state"), database.reader("series")
    with (
        contextlib.ExitStack() as stack,
        closing(DirectoryWatch(state)) as watch,
    ):
        for one in (engine, state, series):
            stack.callback(one.dispose)
        database.claim(engine)
        writer = JournalWriter(engine)
        receiver = Receiver(
            site=settings.site.id,
            options=options,
            make_link=PahoLink,
            writer=writer,
            registry=watch,
            clock=clock,
            wake=waker(),
            tend=upkeep(engine, (state, series), settings.journal.days, clock),
            reach=failpoint(settings.folder),
            pace=Pace(settings.rate.messages, settings.rate.burst),
            prober=Prober(settings.site.id, writer, clock),
            beat=beat(ServiceManager.of()),
            newcomer=silent(engine, to_micros(clock.now())),
        )
        receiver.run(stop)


def silent(engine: sa.Engine, now: int) -> bool:
    """Tell whether a journal has no row of the last minute; `now` in microseconds. StoreError."""
    last = sa.select(journal.message.c.received).order_by(journal.message.c.id.desc()).limit(1)
    with reading(engine) as connection:
        received: int | None = connection.scalar(last)
    return received is None or now - received > JUST_NOW


def beat(manager: ServiceManager) -> Callable[[bool], None]:
    """Return what tells the parent that the receiver gets on, and whether it has its broker."""

    def tell(connected: bool) -> None:
        if connected:
            manager.alive("listens")
        else:
            manager.starting(SEEKING)  # the name of a broker may be slow to find

    return tell


def waker() -> Callable[[], None]:
    """Return what tells the web process of new rows: one byte into the inherited pipe."""
    number = os.environ.pop(WAKE, "")
    if not number:
        return lambda: None
    pipe = int(number)
    os.set_blocking(pipe, False)

    def wake() -> None:
        # A full pipe has its message already; a closed one means nobody listens now.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(pipe, b"\0")

    return wake


def upkeep(
    engine: sa.Engine, readers: tuple[sa.Engine, ...], days: int, clock: Clock
) -> Callable[[], None]:
    """Return what lets the journal forget, one slice at a time, when it is due."""
    due, noted = 0.0, float("-inf")

    def tend() -> None:
        nonlocal due, noted
        if clock.monotonic() < due:
            return
        now = to_micros(clock.now())
        if clock.monotonic() - noted >= UPKEEP_SECONDS:
            noted = clock.monotonic()
            note_memory(engine, rss())
        if not forget(engine, now=now, days=days, read_up_to=consumed(*readers)):
            due = clock.monotonic() + UPKEEP_SECONDS

    return tend
