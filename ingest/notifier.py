"""Everything that tells people, put together: plans, channels, and the threads that serve them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import sqlalchemy as sa

from ingest.consumers.audit import AuditJob
from ingest.consumers.deliver import ChannelJob
from ingest.consumers.notify import NotifyJob
from ingest.consumers.runner import Runner
from ingest.evidence.shelf import EvidenceStore
from ingest.notify.channels import channel_of
from ingest.notify.compose import Composer
from ingest.notify.message import Failed
from ingest.notify.plans import StoredPlans
from ingest.notify.posting import open_client, post
from ingest.notify.push_desk import PushDesk
from ingest.notify.wording import Links, Wording
from ingest.notify_settings import AnyChannel, Notify
from linli.clock import Clock

AUDIT_SECONDS = 15.0


class Notifier:
    """One thread that decides, one for each channel, one that looks after them."""

    def __init__(
        self,
        settings: Notify,
        reader: sa.Engine,
        writer: sa.Engine,
        *,
        wording: Wording,
        links: Links,
        shelf: EvidenceStore,
        zone: tzinfo,
        clock: Clock,
        push: PushDesk | None = None,
        hears: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read secrets; `hears` tells whether facts come in. Raises InputError."""
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._zone = zone
        self._push = push
        self._hears = hears
        self._client = open_client()
        self._composer = Composer(wording, links, shelf, zone)
        senders = tuple(
            Runner(f"notify-{one.name}", self._sender(one)) for one in settings.channels
        )
        self.runners = (
            Runner("notify", self._decider(zone, wake_all(senders))),
            *senders,
            Runner("notify-audit", self._auditor(), poll=AUDIT_SECONDS),
        )

    def close(self) -> None:
        """Let go of connections, after the last step."""
        self._client.close()

    def _decider(self, zone: tzinfo, wake: Callable[[], None]) -> NotifyJob:
        business = self._settings.business
        plans = StoredPlans(zone)
        return NotifyJob(
            self._reader, self._writer, plans, self._clock, zone=zone, business=business, wake=wake
        )

    def _sender(self, one: AnyChannel) -> ChannelJob:
        return ChannelJob(
            one.name,
            channel_of(one, self._client, self._settings.allow_networks, self._push),
            self._reader,
            self._writer,
            composer=self._composer,
            clock=self._clock,
            zone=self._zone,
            pictures=one.pictures,
        )

    def _auditor(self) -> AuditJob:
        names = [one.name for one in self._settings.channels]
        ping = None if self._settings.alive_url is None else self._ping
        return AuditJob(
            self._reader,
            self._writer,
            names,
            self._clock,
            alive=self._alive,
            hears=self._hears,
            ping=ping,
        )

    def _alive(self) -> bool:
        return all(one.alive for one in self.runners)

    def _ping(self) -> bool:
        assert self._settings.alive_url is not None
        answer = post(self._client, self._settings.alive_url, method="GET")
        return not isinstance(answer, Failed)


def wake_all(runners: tuple[Runner, ...]) -> Callable[[], None]:
    """Return what wakes all of them."""

    def wake() -> None:
        for one in runners:
            one.wake()

    return wake
