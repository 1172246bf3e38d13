"""Figures for Prometheus: counts and places, never a name, a text or a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from ingest import tallies
from ingest.accounts.account import Viewer
from ingest.door import book as door
from ingest.feed import Feed
from ingest.notify import audit, outbox
from ingest.notify.note import STATES
from ingest.repairs import book as repairs
from ingest.repairs.room import ORDER
from ingest.services.catalogue import CATALOGUE, Labels
from ingest.services.chain import ChainService
from ingest.services.journal import JournalService
from ingest.share import book as share
from ingest.store import forgotten, journal, state
from ingest.store import series as series_tables
from ingest.store.engine import reading, to_micros
from ingest.store.incidents import UNRESOLVED, incident
from ingest.store.space import free_of
from linli.clock import Clock
from linli.events import SEVERITIES
from linli.process import rss

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_MICRO = 1_000_000
_SEER = Viewer(account="metrics", name="metrics", role="street")
Values = Iterable[tuple[Labels, float]]


class MetricsService:
    """Reads them from the files when asked; what is asked is written nowhere."""

    def __init__(
        self,
        *,
        reader: sa.Engine,
        journal_reader: sa.Engine,
        series_reader: sa.Engine,
        delivery: JournalService,
        chain: ChainService,
        feed: Feed,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._reader = reader
        self._journal = journal_reader
        self._series = series_reader
        self._delivery = delivery
        self._chain = chain
        self._feed = feed
        self._clock = clock
        self._folder = folder

    def text(self) -> bytes:
        """Return all of them in Prometheus' text format. Raises StoreError."""
        values = {
            **self._of_journal(),
            **self._of_state(),
            **self._of_consumers(self._clock.now()),
            **self._of_probes(),
            **self._of_notifications(),
            **self._of_broker(),
            **self._of_disk(),
            **self._of_share(self._clock.now()),
            "linli_feed_subscribers": [((), float(self._feed.subscribers))],
        }
        registry = CollectorRegistry()
        registry.register(_Collected(values))
        return generate_latest(registry)

    def _of_journal(self) -> dict[str, Values]:
        stats = self._delivery.stats(_SEER)
        with reading(self._journal) as connection:
            counts = journal.counters(connection)
            size = sa.select(sa.func.coalesce(sa.func.sum(journal.quarantine.c.size), 0))
            quarantine = float(connection.scalar(size) or 0)
        prefix = "rejected."
        rejected = [
            ((name.removeprefix(prefix),), float(number))
            for name, number in sorted(counts.items())
            if name.startswith(prefix)
        ]
        return {
            "linli_process_memory_bytes": [
                *([(("receiver",), float(held))] if (held := counts.get(journal.MEMORY)) else []),
                (("web",), float(rss())),
            ],
            "linli_receiver_duplicates": _one(counts.get("duplicates", 0)),
            "linli_receiver_rejected": rejected,
            "linli_receiver_turned_away": [
                ((node,), float(number))
                for node, number in sorted(journal.turned_away_by_node(counts).items())
            ],
            "linli_receiver_dropped": [
                (("unanswered",), float(counts.get("dropped", 0))),
                (("parked",), float(counts.get("parked_dropped", 0))),
                (("quarantine",), float(counts.get("quarantine_dropped", 0))),
            ],
            "linli_receiver_evicted": _one(counts.get("evicted", 0)),
            "linli_receiver_future": _one(counts.get("future", 0)),
            "linli_receiver_unknown_fields": _one(counts.get("unknown_fields", 0)),
            "linli_receiver_bytes": _one(counts.get("bytes", 0)),
            "linli_receiver_commits": _one(counts.get("commits", 0)),
            "linli_receiver_commit_seconds": _one(counts.get("commit_micros", 0) / _MICRO),
            "linli_receiver_parked": _one(stats.parked),
            "linli_quarantine_bytes": _one(quarantine),
            "linli_streams": _one(len(stats.streams)),
            "linli_stream_missing": _summed(
                ((one.node, one.lane), float(one.missing)) for one in stats.streams
            ),
        }

    def _of_state(self) -> dict[str, Values]:
        open_ones = (
            sa.select(incident.c.severity, incident.c.state, sa.func.count())
            .where(UNRESOLVED, incident.c.label.is_distinct_from("drill"))
            .group_by(incident.c.severity, incident.c.state)
        )
        kept = sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(state.evidence.c.bytes), 0)
        ).where(state.evidence.c.deleted.is_(None))
        with reading(self._reader) as connection:
            by_kind = tallies.counted(connection)
            found = {(severity, now): n for severity, now, n in connection.execute(open_ones)}
            pictures, size = connection.execute(kept).one()
        unresolved = [
            ((severity, now), float(found.get((severity, now), 0)))
            for severity in SEVERITIES
            for now in ("open", "acknowledged", "in-progress")
        ]
        return {
            "linli_stored_messages": [((kind,), float(n)) for kind, n in sorted(by_kind.items())],
            "linli_incidents_unresolved": unresolved,
            "linli_evidence_pictures": _one(pictures),
            "linli_evidence_bytes": _one(size),
        }

    def _of_consumers(self, now: datetime) -> dict[str, Values]:
        with reading(self._reader) as connection:
            cursors = connection.execute(state.cursor.select()).all()
        with reading(self._series) as connection:
            cursors = [*cursors, *connection.execute(series_tables.cursor.select())]
        rows: list[tuple[Labels, float]] = []
        seconds: list[tuple[Labels, float]] = []
        table = journal.message.c
        with reading(self._journal) as connection:
            last = journal.last_position(connection)
            for one in cursors:
                waits = sa.select(table.received).where(table.id > one.position)
                oldest = connection.scalar(waits.order_by(table.id).limit(1))
                lag = 0 if oldest is None else max(to_micros(now) - oldest, 0) / _MICRO
                rows.append(((one.name,), float(max(last - one.position, 0))))
                seconds.append(((one.name,), lag))
        return {
            "linli_consumer_lag_rows": rows,
            "linli_consumer_lag_seconds": seconds,
            "linli_consumer_poisoned": [((one.name,), float(one.poisoned)) for one in cursors],
        }

    def _of_notifications(self) -> dict[str, Values]:
        with reading(self._reader) as connection:
            counts, found = outbox.counts(connection), audit.get(connection)
            gone = forgotten.counted(connection)
        none: list[tuple[Labels, float]] = [((state,), 0.0) for state in STATES]
        totals = _summed([*none, *(((one.state,), float(one.number)) for one in counts)])
        return {
            "linli_notifications": totals,
            "linli_notification_doubts": _one(sum(one.doubts for one in counts)),
            "linli_forgotten_rows": [
                ((what,), float(gone.get(what, 0))) for what in ("live_look", "notification")
            ],
            "linli_notifications_overdue": _one(found.overdue if found is not None else 0),
        }

    def _of_broker(self) -> dict[str, Values]:
        with reading(self._reader) as connection:
            seen = door.figures(connection)
        return {
            "linli_broker_refused": [
                ((reason,), float(number)) for reason, number in seen.refused.items()
            ],
            "linli_broker_retained": [] if seen.retained is None else _one(seen.retained),
            "linli_broker_retained_ordinary": _one(seen.ordinary),
        }

    def _of_disk(self) -> dict[str, Values]:
        free = free_of(self._folder)
        with reading(self._reader) as connection:
            gone = {one.what: one.pieces for one in repairs.all_given_up(connection)}
        return {
            "linli_disk_free_bytes": [] if free is None else _one(free),
            "linli_disk_given_up": [((what,), float(gone.get(what, 0))) for what in ORDER],
        }

    def _of_share(self, now: datetime) -> dict[str, Values]:
        with reading(self._reader) as connection:
            events, counts = share.totals(connection)
            late, _ = share.waiting(connection, now - share.LATE)
        return {
            "linli_share_messages": [(("event",), float(events)), (("registry",), float(counts))],
            "linli_share_waiting": _one(late),
        }

    def _of_probes(self) -> dict[str, Values]:
        chain = self._chain.view(_SEER)
        quantiles = (("0.5", chain.p50), ("0.95", chain.p95))
        return {
            "linli_probe_produced": _one(chain.produced),
            "linli_probe_stored": _one(chain.stored),
            "linli_probe_lost": _one(chain.lost),
            "linli_probe_seconds": [((q,), value) for q, value in quantiles if value is not None],
            "linli_probe_green": [] if chain.state == "unknown" else _one(chain.state == "green"),
        }


class _Collected(Collector):
    """Values by name, in the order of the catalogue."""

    def __init__(self, values: Mapping[str, Values]) -> None:
        self._values = values

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        for spec in CATALOGUE:
            make = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
            family = make(spec.name, spec.about, labels=spec.labels)
            for labels, value in self._values[spec.name]:
                family.add_metric(labels, value)
            yield family


def _one(value: float) -> Values:
    return [((), float(value))]


def _summed(pairs: Values) -> Values:
    """Add up what has the same labels: a node may have had several spools."""
    sums: dict[Labels, float] = {}
    for labels, value in pairs:
        sums[labels] = sums.get(labels, 0.0) + value
    return sorted(sums.items())
