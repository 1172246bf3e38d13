"""Everything that tells people, put together: plans, channels, and the threads that serve them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import NamedTuple

import httpx2
import sqlalchemy as sa

from ingest.consumers.audit import AuditJob
from ingest.consumers.deliver import ChannelJob
from ingest.consumers.notify import NotifyJob
from ingest.consumers.runner import Job, Runner
from ingest.evidence.shelf import EvidenceStore
from ingest.notify.channel import Broken, Channel
from ingest.notify.channels import Secrets, channel_of, from_file
from ingest.notify.compose import Composer
from ingest.notify.known import channel_of_paper, papers, whole
from ingest.notify.message import Failed
from ingest.notify.plans import StoredPlans
from ingest.notify.posting import open_client, post
from ingest.notify.push_desk import PushDesk
from ingest.notify.wording import Links, Wording
from ingest.notify_settings import AnyChannel, Notify
from ingest.store.engine import reading
from linli.clock import Clock
from linli.errors import InputError
from linli.log import get_logger

log = get_logger(__name__)

AUDIT_SECONDS, LOOK_SECONDS = 15.0, 2.0
FILE = "file"
"""Stands for the version of a channel of the settings file, which stays until a restart."""


class _Sender(NamedTuple):
    """The thread of one channel, and the version of the channel that it serves."""

    version: str
    runner: Runner


class Crew(Runner):
    """The thread that has others begin and end; it ends after all of them."""

    def __init__(self, name: str, job: Notifier, *, poll: float) -> None:
        super().__init__(name, job, poll=poll)
        self._of = job

    @property
    def alive(self) -> bool:
        """Whether it and all others run."""
        return super().alive and self._of.alive

    def stop(self) -> None:
        """End it, and all others."""
        super().stop()
        self._of.stop()


class Notifier(Job):
    """One thread that decides, one for each channel, one that looks after them.

    Channels come and go while it runs; while there is none, nobody is told and none of them runs.
    """

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
        secrets: Secrets = from_file,
        hears: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read secrets of the file; `hears` tells whether facts come in. Raises InputError."""
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._zone = zone
        self._push = push
        self._secrets = secrets
        self._hears = hears
        self._composer = Composer(wording, links, shelf, zone)
        self._clients: dict[bool, httpx2.Client] = {}
        self._fixed = {one.name: (one, self._channel(one)) for one in settings.channels}
        self._senders: dict[str, _Sender] = {}
        self._others: tuple[Runner, ...] = ()
        self.runners = (Crew("notify-channels", self, poll=LOOK_SECONDS),)

    def close(self) -> None:
        """Let go of connections, after the last step."""
        for client in self._clients.values():
            client.close()

    @property
    def alive(self) -> bool:
        """Whether all threads that were begun still run."""
        return all(one.alive for one in (*self._others, *self._running()))

    def step(self) -> bool:
        """Begin and end threads as channels want it. Raises StoreError."""
        with reading(self._reader) as connection:
            found = papers(connection, self._settings)
        wanted = dict.fromkeys(self._fixed, FILE) | {one.name: one.tag for one in found}
        before, changed = self._senders, wanted.items()
        kept = {name: one for name, one in before.items() if (name, one.version) in changed}
        self._senders = kept
        for name in before.keys() - kept.keys():
            before[name].runner.stop()
        for one in found:
            channel = channel_of_paper(one)
            if one.name not in self._senders and channel is not None:
                self._begin(channel, self._written(channel), one.tag)
        for name, (settings, made) in self._fixed.items():
            if name not in self._senders:
                self._begin(settings, made, FILE)
        if bool(self._senders) is not bool(self._others):
            self._change_others()
        return False

    def stop(self) -> None:
        """End every thread that was begun."""
        running = (*self._others, *self._running())
        self._others, self._senders = (), {}
        for one in running:
            one.stop()

    def _begin(self, settings: AnyChannel, channel: Channel, version: str) -> None:
        job = ChannelJob(
            settings.name,
            channel,
            self._reader,
            self._writer,
            composer=self._composer,
            clock=self._clock,
            zone=self._zone,
            pictures=settings.pictures,
        )
        runner = Runner(f"notify-{settings.name}", job)
        runner.start()
        # Others look meanwhile: what is replaced whole is never seen half done.
        self._senders = self._senders | {settings.name: _Sender(version, runner)}

    def _change_others(self) -> None:
        before, after = self._others, self._deciding() if self._senders else ()
        for one in after:
            one.start()
        self._others = after
        for one in before:
            one.stop()
        if not after:
            log.warning("notify: no channel is left, nobody is told of incidents")

    def _deciding(self) -> tuple[Runner, ...]:
        business, plans = self._settings.business, StoredPlans(self._zone)
        decider = NotifyJob(
            self._reader,
            self._writer,
            plans,
            self._clock,
            zone=self._zone,
            business=business,
            wake=self._wake,
        )
        auditor = Runner("notify-audit", self._auditor(), poll=AUDIT_SECONDS)
        return Runner("notify", decider), auditor

    def _auditor(self) -> AuditJob:
        ping = None if self._settings.alive_url is None else self._ping
        return AuditJob(
            self._reader,
            self._writer,
            self._names,
            self._clock,
            alive=lambda: self.runners[0].alive,
            hears=self._hears,
            ping=ping,
        )

    def _names(self, connection: sa.Connection) -> tuple[str, ...]:
        return tuple(one.name for one in whole(connection, self._settings).channels)

    def _written(self, one: AnyChannel) -> Channel:
        """Return the sender of a channel that people wrote down, whatever is wrong with it."""
        try:
            return self._channel(one, guarded=True)
        except InputError as error:
            log.warning("channel %s: %s", one.name, error)
            return Broken(error.what)

    def _channel(self, one: AnyChannel, *, guarded: bool = False) -> Channel:
        networks = self._settings.allow_networks
        client = self._calls(guarded=guarded)
        return channel_of(one, client, networks, self._push, self._secrets, guarded=guarded)

    def _calls(self, *, guarded: bool = False) -> httpx2.Client:
        """Return the client of all channels of the file, or of those by a page; made when used."""
        if guarded not in self._clients:
            networks = self._settings.allow_networks
            self._clients[guarded] = open_client(networks if guarded else None)
        return self._clients[guarded]

    def _running(self) -> Iterable[Runner]:
        return [one.runner for one in self._senders.values()]

    def _wake(self) -> None:
        for one in self._running():
            one.wake()

    def _ping(self) -> bool:
        assert self._settings.alive_url is not None
        answer = post(self._calls(), self._settings.alive_url, method="GET")
        return not isinstance(answer, Failed)
