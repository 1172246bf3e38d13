"""All services together, as the web composition hands them to routes and pages."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.feed import Feed
from ingest.services.access import AccessService
from ingest.services.accounts import AccountService
from ingest.services.availability import AvailabilityService
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


@dataclass(frozen=True, slots=True)
class Services:
    """Found as `request.app.state.services`; the calls block, so use them from `def` routes."""

    incidents: IncidentService
    devices: DeviceService
    availability: AvailabilityService
    registry: RegistryService
    configs: ConfigService
    evidence: EvidenceService
    access: AccessService
    accounts: AccountService
    joining: JoiningService
    series: SeriesService
    silences: SilenceService
    drills: DrillService
    tours: TourService
    orders: OrderService
    journal: JournalService
    chain: ChainService
    influx: InfluxService
    repairs: RepairService
    notes: NoteService
    notice: NoticeService
    notify: NotifyService
    channels: ChannelService
    metrics: MetricsService
    rules: RuleService
    duty: DutyService
    floors: FloorService
    foresight: ForesightService
    statistics: StatisticsService
    counts: CountService
    trends: TrendService
    history: HistoryService
    links: LinkService
    cards: CardService
    push: PushService
    commands: CommandService
    live: LiveService
    waste: WasteService
    feed: Feed
