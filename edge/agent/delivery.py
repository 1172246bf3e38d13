"""What is safe on disk and its ways out: facts to the broker, pictures to the ingest.

Commands come in the way that facts go out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from edge import health
from edge.actuate.ledger import Ledger
from edge.actuate.orders import Orders
from edge.agent.crew import Crew, Pulse
from edge.messages import Address
from edge.pictures import DiskEvidence
from edge.sealing import IngestSeal, surely
from edge.settings import EdgeSettings, SpoolCaps
from edge.spool import DAY, Lane, Spool, SpoolLimits
from edge.standing import LinkStanding, UploadStanding
from edge.uplink import Document, Uplink
from edge.upload import Uploader, open_client
from linli.clock import Clock
from linli.ids import short_id
from linli.mqtt import LinkFactory, LinkOptions
from linli.settings import make_folder


class Delivery:
    """Holds spool and pictures open and runs the threads `uplink` and `upload` of a crew."""

    def __init__(
        self,
        settings: EdgeSettings,
        clock: Clock,
        crew: Crew,
        *,
        address: Address,
        options: LinkOptions,
        connect: LinkFactory,
        version: str,
        documents: Sequence[Document],
        report: Callable[[], Document],
    ) -> None:
        """`documents` and `report` are what the uplink tells of this node."""
        self.spool = Spool(settings.folder / "spool.db", clock, limits_of(settings.spool))
        self._seal = IngestSeal(
            settings.folder,
            address,
            sure=settings.ingest is not None and surely(settings.ingest.url),
        )
        self.pictures = DiskEvidence(settings.folder / "pictures", self._seal)
        self._ledger = Ledger(settings.folder / "commands.db")
        self.orders = Orders(address, self._ledger, clock, partial(health.stamp, clock))
        self.uplink = Uplink(
            address,
            options,
            connect,
            self.spool,
            clock,
            session=short_id(),
            agent=version,
            documents=documents,
            report=report,
            orders=self.orders,
        )
        self.uploader: Uploader | None = None
        self._settings = settings
        self._address = address
        self._clock = clock
        self._crew = crew
        self._stack = ExitStack()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        """Open what is on disk and start the threads. Raises InputError."""
        key = self._settings.ingest_key()
        make_folder(self._settings.folder)
        with ExitStack() as stack:
            stack.enter_context(self.spool)
            stack.enter_context(self.pictures)
            stack.enter_context(self._ledger)
            if self._settings.ingest is not None and key is not None:
                self.uploader = Uploader(
                    self.pictures,
                    self._seal,
                    stack.enter_context(open_client()),
                    self._clock,
                    address=self._address,
                    url=self._settings.ingest.url,
                    key=key,
                )
            self._stack = stack.pop_all()
        pulse = Pulse()
        self._crew.start("uplink", lambda: self.uplink.run(self._stop, pulse.beat), pulse)
        if self.uploader is not None:
            uploader = self.uploader
            self._crew.start("upload", lambda: uploader.run(self._stop))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the broker politely, end the threads, close what is on disk."""
        self._stop.set()
        self.wake()
        self._crew.join("uplink", "upload")
        self._stack.close()

    def wake(self) -> None:
        """Tell that there may be a picture to send."""
        if self.uploader is not None:
            self.uploader.wake()

    def link(self) -> LinkStanding:
        """Return how the way to the broker and the ingest is."""
        counts = self.uplink.counts
        return LinkStanding(
            connected=self.uplink.connected,
            ingest_ready=self.uplink.ingest_ready,
            sent=counts.sent,
            resent=counts.resent,
            confirmed=counts.confirmed,
            rejected=counts.rejected,
            refused=counts.refused,
            unreadable=counts.unreadable,
        )

    def upload(self) -> UploadStanding | None:
        """Return how pictures get on, None where none are sent."""
        if self.uploader is None:
            return None
        counts, kept = self.uploader.counts, self.pictures.counts
        return UploadStanding(
            waiting=len(self.pictures.waiting()),
            sent=counts.sent,
            failed=counts.failed,
            dead=counts.dead,
            evicted=kept.evicted,
            expired=kept.expired,
            key=self._seal.key,
            strange_key=self._seal.strange,
        )

    def waiting(self) -> tuple[int, int]:
        """Return how many facts and how many pictures the ingest does not have yet.

        Without an address for pictures none is waiting: they go with this process.
        """
        pictures = len(self.pictures.waiting()) if self.uploader is not None else 0
        return self.spool.pending(), pictures


def limits_of(caps: SpoolCaps) -> SpoolLimits:
    """Return the caps as the spool counts them."""
    ages: dict[Lane, float] = {
        "telemetry": caps.reading_days * DAY,
        "events": caps.event_days * DAY,
    }
    return SpoolLimits(bytes=caps.megabytes * 1024 * 1024, ages=ages)
