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
from ingest.consumers.broker_watch import watch_of
from ingest.consumers.commands import CommandJob, link_of
from ingest.consumers.conflicts import ConflictJob
from ingest.consumers.forget import ForgetJob
from ingest.consumers.home_assistant import discovery_of
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.influx import InfluxJob, Sources
from ingest.consumers.own import OwnFigures
from ingest.consumers.rules import RuleWork
from ingest.consumers.runner import Runner
from ingest.consumers.series import SeriesJob
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
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.storage import keep_of, storage
from ingest.series.sweep import SeriesSweep
from ingest.series.timeseries import Readable
from ingest.services import Services
from ingest.services.access import AccessService
from ingest.services.accounts import AccountService
from ingest.services.availability import AvailabilityService
from ingest.services.called import called
from ingest.services.cards import CardService
from ingest.services.chain import ChainService
from ingest.services.channels import ChannelService
from ingest.services.commands import CommandService
from ingest.services.configs import ConfigService
from ingest.services.counts import CountService
from ingest.services.devices import DeviceService
from ingest.services.drills import DrillService
from ingest.services.duty import DutyService
from ingest.services.evidence import EvidenceService
from ingest.services.floors import FloorService
from ingest.services.foresight import ForesightService
from ingest.services.history import HistoryService
from ingest.services.incidents import IncidentService
from ingest.services.influx import InfluxService
from ingest.services.joining import JoiningService
from ingest.services.journal import JournalService
from ingest.services.links import LinkService
from ingest.services.live import LiveService
from ingest.services.metrics import MetricsService
from ingest.services.notes import NoteService
from ingest.services.notice import NoticeService
from ingest.services.notify import NotifyService
from ingest.services.orders import OrderService
from ingest.services.push import KeptBrowsers, PushService
from ingest.services.registry import RegistryService
from ingest.services.repairs import RepairService
from ingest.services.rules import RuleService
from ingest.services.series import SeriesService
from ingest.services.silences import SilenceService
from ingest.services.statistics import StatisticsService
from ingest.services.tour import TourService
from ingest.services.trends import TrendService
from ingest.services.waste import WasteService
from ingest.services.wiring import KnownWiring
from ingest.settings import IngestSettings
from ingest.store import state
from ingest.store.choose import database_of
from ingest.store.engine import reading, writing
from ingest.wake import leaving_on_signal, woken_by_pipe
from ingest.waste.walk import Walk
from ingest.watch import watching
from linli.clock import Clock, SystemClock
from linli.commands import AskData, CommandName
from linli.errors import StoreError
from linli.log import get_logger
from linli.mqtt import PahoLink

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
        self._pictures = FolderStore(self._folder / "evidence")
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

    def _make_services(self) -> Services:
        reader, writer, feed = self._state, self._state_writer, self._feed
        evidence = EvidenceService(
            reader, writer, self._pictures, feed, keep=kept_for(self._settings.evidence)
        )
        delivery = JournalService(self._journal, reader, self._series)
        chain = ChainService(reader, writer, self._journal, feed, self.clock)
        incidents = IncidentService(reader, writer, feed, self._around)
        charts = self._charts()
        return Services(
            incidents=incidents,
            links=LinkService(reader, writer, self._links, incidents, evidence),
            cards=CardService(
                self._settings.notify, reader, writer, incidents, secrets=self._vault
            ),
            push=PushService(self._settings.notify, reader, writer, self._push.key),
            commands=CommandService(
                reader,
                writer,
                feed,
                self._commands.submit if self._commands else None,
                self._settings.commands.integrators,
            ),
            live=LiveService(reader, writer, self._live, on=self._commands is not None),
            silences=SilenceService(reader, writer, feed, self._around),
            drills=DrillService(reader, writer, feed, self._around),
            tours=TourService(),
            devices=DeviceService(reader, writer, self._journal, feed, self._settings.site.id),
            registry=RegistryService(reader, writer, feed, self._settings.site.id),
            orders=OrderService(reader, writer, feed, evidence, self._around),
            statistics=StatisticsService(reader),
            counts=CountService(reader, lambda: called(reader)),
            trends=TrendService(reader, self._around.zone, lambda: called(reader)),
            history=HistoryService(reader),
            duty=DutyService(
                reader, writer, feed, self._around.zone, self._settings.notify, vault=self._vault
            ),
            floors=FloorService(reader, writer, feed),
            foresight=ForesightService(reader, self._settings.notify, self._around.zone),
            evidence=evidence,
            access=AccessService(reader, writer),
            accounts=AccountService(reader, writer),
            joining=JoiningService(reader, writer, self._settings.broker, self._settings.site.id),
            configs=ConfigService(reader, writer, feed),
            series=SeriesService(
                charts,
                lambda: storage(self._series, self._keep),
                lambda: called(self._state),
            ),
            availability=AvailabilityService(charts),
            waste=WasteService(reader, charts, self._around.zone, Walk(self._settings.site.way)),
            rules=RuleService(reader, writer, self._journal, self._around.zone),
            journal=delivery,
            chain=chain,
            influx=InfluxService(self._settings.influx, reader, self._journal),
            repairs=RepairService(reader),
            notes=NoteService(incidents, evidence),
            notice=NoticeService(self._settings),
            notify=NotifyService(
                self._settings.notify,
                reader,
                writer=writer,
                site=self._settings.site.label,
                zone=self._around.zone,
                push=self._push,
                secrets=self._vault,
            ),
            channels=ChannelService(
                self._settings.notify,
                reader,
                wording=self._wording,
                site=self._settings.site.id,
                zone=self._around.zone,
            ),
            metrics=MetricsService(
                reader=reader,
                journal_reader=self._journal,
                series_reader=self._series,
                delivery=delivery,
                chain=chain,
                feed=feed,
                clock=self.clock,
            ),
            feed=feed,
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
            *discovery_of(self._settings, self._state, self.clock),
            *watch_of(self._settings, self._state_writer, self.clock),
            Runner("series-sweep", forgets, poll=SWEEP_SECONDS),
            Runner("findings", looks, poll=TICK_SECONDS),
        )
