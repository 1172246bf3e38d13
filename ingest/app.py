"""The web process put together: services, routes, consumers; the lifespan starts and stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import FastAPI

from ingest import registry
from ingest.accounts.account import Viewer
from ingest.accounts.first import make_first_account
from ingest.api import routes
from ingest.archive.leaving import LeavingJob
from ingest.consumers.broker_users import broker_users
from ingest.consumers.commands import CommandJob, link_of
from ingest.consumers.conflicts import ConflictJob
from ingest.consumers.forget import ForgetJob
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.influx import InfluxJob, Sources
from ingest.consumers.memory import MemoryJob
from ingest.consumers.own import OwnFigures
from ingest.consumers.rules import RuleWork
from ingest.consumers.runner import Runner
from ingest.consumers.series import SeriesJob
from ingest.consumers.shortage import disk_of
from ingest.consumers.work import Cursor
from ingest.doctor.job import FindingJob
from ingest.evidence.shelf import FolderStore
from ingest.evidence.sweep import SweepJob, kept_for
from ingest.feed import Feed
from ingest.idempotency import Requests, mark
from ingest.incidents.flow import Surroundings
from ingest.influx import book as influx_book
from ingest.influx.endpoint import endpoint_of
from ingest.influx.reader import InfluxTimeseries
from ingest.live.desk import LiveDesk
from ingest.notifier import Notifier
from ingest.notify.links import LinkKey, PersonalLinks
from ingest.notify.push_desk import PushDesk, PushKey
from ingest.notify.vault import Vault
from ingest.notify.wording import PlainWording, Wording
from ingest.repairs.room import RESERVE
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.storage import keep_of
from ingest.series.sweep import SeriesSweep
from ingest.series.timeseries import Readable
from ingest.services import Services
from ingest.services.making import Parts, services
from ingest.services.push import KeptBrowsers
from ingest.services.wiring import KnownWiring
from ingest.settings import IngestSettings
from ingest.share import book as share_book
from ingest.store import state
from ingest.store.choose import database_of
from ingest.store.engine import reading, writing
from ingest.wake import leaving_on_signal, woken_by_pipe
from ingest.watch import watching
from linli.clock import Clock, SystemClock
from linli.commands import AskData, CommandName
from linli.errors import StoreError
from linli.log import get_logger
from linli.mqtt import PahoLink
from linli.process import rss

log = get_logger(__name__)

INFLUX = influx_book.NAME
TICK_SECONDS = 5.0
SWEEP_SECONDS = 60.0
_SELF = Viewer(account="linli", name="linli", role="street")


def create_app(
    settings: IngestSettings, *, clock: Clock | None = None, wording: Wording | None = None
) -> FastAPI:
    """Return the application of one data folder, with `state.services` and `state.clock`.

    Its files are made and its threads run only while its lifespan does; `state.ready`, there to be
    set, is called when the receiver listens. `wording` tells people what happened; without it they
    read ids. Raises InputError for settings that cannot be used.
    """
    house = House(settings, clock or SystemClock(), wording or PlainWording())
    app = FastAPI(
        title="Linli",
        lifespan=house.lifespan,
        openapi_url=f"{routes.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.house = house
    app.state.ready = lambda: None
    app.state.services = house.services
    app.state.clock = house.clock
    app.state.metrics = settings.http.metrics
    app.state.requests = Requests(house.state_writer)
    app.state.check_health = house.check_health
    routes.install(app, settings.http.path_prefix, settings.http.proxies)
    return app


class House:
    """Everything behind the routes of one data folder. Engines connect when first used."""

    def __init__(self, settings: IngestSettings, clock: Clock, wording: Wording) -> None:
        self.clock = clock
        self._wording = wording
        self._settings = settings
        self._folder = settings.folder
        self._database = database_of(settings)
        self._journal = self._database.reader("journal")
        self._state = self._database.reader("state")
        self._series = self._database.reader("series")
        self._state_writer = self._database.writer("state", sole=True)
        self._series_writer = self._database.writer("series", sole=True)
        mark(self._state_writer)
        self._readers = (self._journal, self._state, self._series)
        self._feed = Feed()
        self._around = Surroundings(zone=ZoneInfo(settings.site.timezone), wiring=KnownWiring())
        self._timeseries = EmbeddedTimeseries(self._series, self._series_writer)
        self._keep = keep_of(settings.series)
        self._pictures = FolderStore(self._folder / "evidence", reserve=RESERVE)
        browsers = KeptBrowsers(self._state, self._state_writer)
        self._vault = Vault(self._folder, self._state)
        self._push = PushDesk(PushKey(self._folder), browsers)
        self._links = PersonalLinks(settings.notify.base_url, LinkKey(self._folder))
        self._closing: list[InfluxTimeseries | InfluxJob | Notifier | CommandJob] = []
        self._live = LiveDesk()
        self._commands = self._make_commands()
        self.services = self._make_services()
        self._runners = self._make_runners()

    @property
    def state_writer(self) -> sa.Engine:
        """The one way to write `state.db`."""
        return self._state_writer

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Make what is missing, run the consumers, and end them again."""
        await asyncio.to_thread(self._prepare)
        for runner in self._runners:
            runner.start()
        try:
            with woken_by_pipe(self.wake, app.state.ready), leaving_on_signal(self._feed.close):
                async with watching(self.services.chain, self._feed):
                    yield
        finally:
            self._feed.close()
            for runner in self._runners:
                await asyncio.to_thread(runner.stop)
            for part in self._closing:
                part.close()
            for engine in (*self._readers, self._state_writer, self._series_writer):
                engine.dispose()

    def wake(self) -> None:
        """Say that the journal has grown."""
        for runner in self._runners[:2]:
            runner.wake()

    def check_health(self) -> None:
        """Raise StoreError when a file does not answer, or a thread of ours has ended."""
        for runner in self._runners:
            if not runner.alive:
                raise StoreError("has ended", where=runner.name)
        for engine in self._readers:
            with reading(engine) as connection:
                connection.execute(sa.text("SELECT 1"))

    def claim(self) -> None:
        """Bring the tables up to date and be their only writer. Raises InputError, StoreError."""
        self._database.prepare()
        for engine in (self._state_writer, self._series_writer):
            self._database.claim(engine)

    def _prepare(self) -> None:
        self.claim()
        with writing(self._state_writer) as connection:
            make_first_account(connection, self._folder, self.clock)
            site = self._settings.site
            registry.make_site(connection, site.id, site.label, self.clock.now())
            if self._settings.influx.url is None:
                influx_book.stop(connection)
            if not self._settings.share.enabled:
                share_book.stop(connection)

    def _make_services(self) -> Services:
        return services(
            Parts(
                settings=self._settings,
                clock=self.clock,
                feed=self._feed,
                journal=self._journal,
                state=self._state,
                series=self._series,
                writer=self._state_writer,
                around=self._around,
                wording=self._wording,
                charts=self._charts(),
                keep=self._keep,
                pictures=self._pictures,
                vault=self._vault,
                push=self._push,
                links=self._links,
                live=self._live,
                submit=self._commands.submit if self._commands else None,
            )
        )

    def _charts(self) -> Readable:
        influx = self._settings.influx
        if not influx.charts:
            return self._timeseries
        charts = InfluxTimeseries(influx, influx.token())
        self._closing.append(charts)
        return charts

    def _make_influx(self) -> tuple[Runner, ...]:
        settings = self._settings
        if settings.influx.url is None:
            return ()
        sources = Sources(self._journal, self._state, self._series, self._state_writer)
        chain = self.services.chain
        job = InfluxJob(
            sources,
            lambda: endpoint_of(settings.influx),
            settings.site.id,
            self.clock,
            chain=lambda: chain.view(_SELF),
        )
        self._closing.append(job)
        return (Runner(INFLUX, job),)

    def _make_commands(self) -> CommandJob | None:
        if not self._settings.commands.enabled:
            return None
        job = CommandJob(
            link_of(self._settings),
            reader=self._state,
            writer=self._state_writer,
            feed=self._feed,
            clock=self.clock,
            make_link=PahoLink,
            request=self._request,
            live=self._live,
        )
        self._closing.append(job)
        return job

    def _request(
        self, user: str, device: str, name: CommandName, ask: AskData, now: datetime
    ) -> object:
        """Hand on what another system asks for: the job is made before the services."""
        return self.services.commands.request(user, device, name, ask, now)

    def _make_notifier(self) -> tuple[Runner, ...]:
        chain = self.services.chain
        notifier = Notifier(
            self._settings.notify,
            self._state,
            self._state_writer,
            wording=self._wording,
            links=self._links,
            shelf=self._pictures,
            zone=self._around.zone,
            clock=self.clock,
            push=self._push,
            secrets=self._vault,
            hears=lambda: chain.view(_SELF).why != "silent",
        )
        self._closing.append(notifier)
        return notifier.runners

    def _make_runners(self) -> tuple[Runner, ...]:
        rules = RuleWork(self._journal, self._around.zone)
        effect = IncidentEffect(self._feed, rules, self._around)
        incidents = Cursor(self._journal, self._state_writer, state.cursor, effect)
        chain, site = self.services.chain, self._settings.site.id
        own = OwnFigures(*self._readers, site, self.clock, chain=lambda: chain.view(_SELF))
        parts = (self._journal, self._timeseries, self._feed, self._state)
        gather = self._settings.series.gather_seconds
        series = SeriesJob(*parts, own=own, clock=self.clock, gather=gather)
        mine = (self._state, self._state_writer)
        meets = (self._feed, self.clock, self._around)
        tick = TickJob(self._journal, *mine, self._feed, self.clock, around=self._around)
        sweep = SweepJob(
            *mine,
            self._pictures,
            self.clock,
            most_bytes=self._settings.evidence.max_bytes,
            keep=kept_for(self._settings.evidence),
        )
        facts = (self._journal, self._state_writer, self._feed, self.clock)
        looks = FindingJob(self._settings, self._readers, self._state_writer, self.clock)
        forgets = SeriesSweep(self._series, self._series_writer, self.clock, self._keep)
        return (
            Runner("incidents", incidents),
            Runner("series", series),
            Runner("tick", tick, poll=TICK_SECONDS),
            Runner("sweep", sweep, poll=SWEEP_SECONDS),
            Runner("conflicts", ConflictJob(*facts, around=self._around), poll=TICK_SECONDS),
            *self._make_influx(),
            *self._make_notifier(),
            *([Runner("commands", self._commands)] if self._commands else ()),
            Runner("forget", ForgetJob(*mine, self.clock), poll=SWEEP_SECONDS),
            *broker_users(self._settings, *mine, self.clock),
            Runner("series-sweep", forgets, poll=SWEEP_SECONDS),
            Runner("findings", looks, poll=TICK_SECONDS),
            Runner("leaving", LeavingJob(self._state, self._folder, self.clock), poll=TICK_SECONDS),
            Runner("memory", MemoryJob(self._live, rss), poll=TICK_SECONDS),
            *disk_of(self._settings, mine, (forgets, sweep, self._timeseries), meets),
        )
