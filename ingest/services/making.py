"""The services of one data folder, made of what they read, write and speak through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from ingest.commands.command import Command
from ingest.evidence.shelf import EvidenceStore
from ingest.evidence.sweep import kept_for
from ingest.feed import Feed
from ingest.incidents.flow import Surroundings
from ingest.live.desk import LiveDesk
from ingest.notify.links import PersonalLinks
from ingest.notify.push_desk import PushDesk
from ingest.notify.vault import Vault
from ingest.notify.wording import Wording
from ingest.series.retention import Keep
from ingest.series.storage import storage
from ingest.series.timeseries import Readable
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
from ingest.services.desk import Services
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
from ingest.services.push import PushService
from ingest.services.registry import RegistryService
from ingest.services.repairs import RepairService
from ingest.services.rules import RuleService
from ingest.services.series import SeriesService
from ingest.services.silences import SilenceService
from ingest.services.statistics import StatisticsService
from ingest.services.tour import TourService
from ingest.services.trends import TrendService
from ingest.services.waste import WasteService
from ingest.settings import IngestSettings
from ingest.waste.walk import Walk
from linli.clock import Clock


@dataclass(frozen=True, slots=True)
class Parts:
    """What services are made of; `journal`, `state`, `series` read, `writer` writes the state."""

    settings: IngestSettings
    clock: Clock
    feed: Feed
    journal: sa.Engine
    state: sa.Engine
    series: sa.Engine
    writer: sa.Engine
    around: Surroundings
    wording: Wording
    charts: Readable
    keep: Keep
    pictures: EvidenceStore
    vault: Vault
    push: PushDesk
    links: PersonalLinks
    live: LiveDesk
    submit: Callable[[Command], None] | None
    """Sends a command; None where none may be sent."""


def services(of: Parts) -> Services:
    """Return all services."""
    settings, feed, around, zone = of.settings, of.feed, of.around, of.around.zone
    reader, writer, site = of.state, of.writer, of.settings.site.id
    both = reader, writer
    evidence = EvidenceService(*both, of.pictures, feed, keep=kept_for(settings.evidence))
    delivery = JournalService(of.journal, reader, of.series)
    chain = ChainService(*both, of.journal, feed, of.clock)
    incidents = IncidentService(*both, feed, around)
    return Services(
        incidents=incidents,
        links=LinkService(*both, of.links, incidents, evidence),
        cards=CardService(settings.notify, *both, incidents, secrets=of.vault),
        push=PushService(settings.notify, *both, of.push.key),
        commands=CommandService(*both, feed, of.submit, settings.commands.integrators),
        live=LiveService(*both, of.live, on=of.submit is not None),
        silences=SilenceService(*both, feed, around),
        drills=DrillService(*both, feed, around),
        tours=TourService(),
        devices=DeviceService(*both, of.journal, feed, site),
        registry=RegistryService(*both, feed, site),
        orders=OrderService(*both, feed, evidence, around),
        statistics=StatisticsService(reader),
        counts=CountService(reader, lambda: called(reader)),
        trends=TrendService(reader, zone, lambda: called(reader)),
        history=HistoryService(reader),
        duty=DutyService(*both, feed, zone, settings.notify, vault=of.vault),
        floors=FloorService(*both, feed),
        foresight=ForesightService(reader, settings.notify, zone),
        evidence=evidence,
        access=AccessService(*both),
        accounts=AccountService(*both),
        joining=JoiningService(*both, settings.broker, site),
        configs=ConfigService(*both, feed),
        series=_series(of),
        availability=AvailabilityService(of.charts),
        waste=WasteService(reader, of.charts, zone, Walk(settings.site.way)),
        rules=RuleService(*both, of.journal, zone),
        journal=delivery,
        chain=chain,
        influx=InfluxService(settings.influx, reader, of.journal),
        repairs=RepairService(reader),
        notes=NoteService(incidents, evidence),
        notice=NoticeService(settings),
        notify=_notify(of),
        channels=_channels(of),
        metrics=_metrics(of, delivery, chain),
        feed=feed,
    )


def _series(of: Parts) -> SeriesService:
    return SeriesService(of.charts, lambda: storage(of.series, of.keep), lambda: called(of.state))


def _notify(of: Parts) -> NotifyService:
    return NotifyService(
        of.settings.notify,
        of.state,
        writer=of.writer,
        site=of.settings.site.label,
        zone=of.around.zone,
        push=of.push,
        secrets=of.vault,
    )


def _channels(of: Parts) -> ChannelService:
    return ChannelService(
        of.settings.notify,
        of.state,
        wording=of.wording,
        site=of.settings.site.id,
        zone=of.around.zone,
    )


def _metrics(of: Parts, delivery: JournalService, chain: ChainService) -> MetricsService:
    return MetricsService(
        reader=of.state,
        journal_reader=of.journal,
        series_reader=of.series,
        delivery=delivery,
        chain=chain,
        feed=of.feed,
        clock=of.clock,
        folder=of.settings.folder,
    )
