"""The rules' part in the incidents consumer: rows become signals; memory goes with the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.incidents import boots
from ingest.rules import keeper, versions
from ingest.rules.directory import Directory
from ingest.rules.document import Document
from ingest.rules.engine import Engine
from ingest.rules.loading import RulesError, builtin, load
from ingest.rules.rows import message_of, row_of
from ingest.rules.rule_set import RuleSet
from ingest.rules.signals import Signal
from ingest.rules.versions import RuleVersion
from ingest.store.engine import from_micros, reading
from ingest.store.journal import REPLAYED, Kept, message, messages_after
from linli.events import Envelope, Message
from linli.log import get_logger

log = get_logger(__name__)

SLICE = 500
_RECEIVED = sa.select(message.c.received).where(
    message.c.id <= sa.bindparam("upto"), message.c.flags.op("&")(REPLAYED) == 0
)
_LAST_RECEIVED = _RECEIVED.order_by(message.c.id.desc()).limit(1)


class RuleWork:
    """Takes up the newest document between two batches, and asks its rules row by row."""

    def __init__(self, journal: sa.Engine, zone: tzinfo) -> None:
        """`journal` is a reader; `zone` is that of the site.

        `registry_changed`: people changed the registry between the last batch and this one;
        `retired`: node and device of what is in use no more.
        """
        self._journal = journal
        self._zone = zone
        self._builtin = builtin()
        self._directory = Directory()
        self._engine: Engine | None = None
        self._begun = False
        self._unusable = 0
        self.registry_changed = False
        self.retired: frozenset[tuple[str, str]] = frozenset()

    def begin(self, connection: sa.Connection, kept: Kept) -> list[Signal]:
        """Get ready for a batch that begins with a row; return what changed rules end."""
        self._begun = True
        self.registry_changed = self._directory.refresh(connection)
        if self.registry_changed:
            self.retired = self._directory.retired()
        signals: list[Signal] = []
        if self._engine is None:
            self._engine, signals = self._restored(connection, kept.id - 1)
        wanted = versions.newest(connection)
        if wanted.version not in {self._engine.rules.version, self._unusable}:
            signals += self._take_up(connection, self._engine, wanted, kept.id - 1)
        return self._placed(signals)

    def read(self, kept: Kept) -> Message | None:
        """Return the message of a row, None when nobody needs it. Raises PayloadError."""
        return message_of(kept, telemetry=self._ready.rules.wants_readings)

    def take(self, kept: Kept, said: Message | None, started: datetime | None) -> list[Signal]:
        """Return what a row means to the rules."""
        engine = self._ready
        now = engine.memory.clocks.now
        self._directory.forget(now)
        try:
            return self._placed(engine.take(row_of(kept, said, now, started)))
        except Exception:
            # A mistake in one rule must not cost the alarm of an edge, which was said before it.
            log.exception("rules: journal row %d", kept.id)
            engine.memory.clocks.failed += 1
            return self._placed(engine.said())

    def forget_retired(self) -> None:
        """Forget what is remembered of devices that are in use no more."""
        if self.retired:
            self._ready.forget(self.retired)

    def finish(self, connection: sa.Connection) -> None:
        """Keep what has changed, in the transaction of the batch."""
        if self._engine is not None:
            self._engine.note()
            keeper.keep(connection, self._engine.memory)

    def committed(self) -> None:
        """The batch is on disk."""
        if self._engine is not None:
            self._engine.memory.changed.clear()
        self._begun = False

    def dropped(self) -> None:
        """The batch was rolled back: what was worked out for it is not to be believed."""
        if self._begun:
            self._engine = None
            self._directory = Directory()  # what it has noticed was not acted upon
        self._begun = False

    def _placed(self, signals: list[Signal]) -> list[Signal]:
        """Say of what does not say it where it stands, as the registry has it."""
        return [self._with_subject(one) if one.fact.subject is None else one for one in signals]

    def _with_subject(self, signal: Signal) -> Signal:
        key = signal.fact.key
        subject = self._directory.find(key.node, key.device).subject
        return (
            signal
            if subject is None
            else replace(signal, fact=replace(signal.fact, subject=subject))
        )

    @property
    def now(self) -> datetime:
        """The latest time of receiving."""
        return from_micros(self._ready.memory.clocks.now)

    @property
    def _ready(self) -> Engine:
        assert self._engine is not None, "begin comes first"
        return self._engine

    def _restored(self, connection: sa.Connection, position: int) -> tuple[Engine, list[Signal]]:
        """Return the engine as it was after a position, and what new built-in rules end."""
        memory = keeper.load(connection)
        if memory.clocks.now == 0:
            memory.clocks.now = self._received_at(position)
        engine = Engine(self._rules(versions.in_force(connection)), memory, self._directory.find)
        signals = engine.begin()
        for kept in self._rows(memory.clocks.oldest, position):
            said = message_of(kept, telemetry=engine.rules.wants_readings)
            started = None
            if isinstance(said, Envelope):
                started = boots.started(connection, kept.node, said, from_micros(kept.received))
            engine.restore(row_of(kept, said, 0, started))
        return engine, signals

    def _take_up(
        self, connection: sa.Connection, old: Engine, wanted: RuleVersion, position: int
    ) -> list[Signal]:
        """Let a newer document hold for every row behind a position."""
        try:
            document = load(wanted.text)
        except RulesError as error:
            log.error("rules: version %d cannot be used: %s", wanted.version, error)  # noqa: TRY400
            self._unusable = wanted.version
            return []
        signals = old.drain()
        rules = RuleSet(wanted.version, document, self._builtin, self._zone)
        self._engine = Engine(rules, old.memory, self._directory.find)
        signals += self._engine.begin()
        self._engine.watch(self._directory.heard_of())
        versions.take_up(connection, wanted.version, position)
        log.info("rules: version %d holds after journal row %d", wanted.version, position)
        return signals

    def _rules(self, version: RuleVersion) -> RuleSet:
        try:
            document = load(version.text)
        except RulesError as error:
            # Written by another Linli: the built-in rules are better than none.
            log.error("rules: version %d cannot be used: %s", version.version, error)  # noqa: TRY400
            document = Document()
        return RuleSet(version.version, document, self._builtin, self._zone)

    def _rows(self, first: int, last: int) -> Iterator[Kept]:
        """Yield the rows of the journal between two positions, both included; none from 0."""
        position = first - 1
        while 0 <= position < last:
            with reading(self._journal) as connection:
                slice_ = messages_after(connection, position, SLICE)
            yield from (kept for kept in slice_ if kept.id <= last)
            position = slice_[-1].id if slice_ else last

    def _received_at(self, position: int) -> int:
        with reading(self._journal) as connection:
            return connection.scalar(_LAST_RECEIVED, {"upto": position}) or 0
