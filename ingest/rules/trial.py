"""What a rule set would have raised on history: reads the journal, writes nothing."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo

import msgspec
import sqlalchemy as sa

from ingest.rules.document import AnyRule
from ingest.rules.engine import Engine, Find
from ingest.rules.facts import Row
from ingest.rules.memory import Memory
from ingest.rules.rows import Boots, message_of, row_of
from ingest.rules.rule_set import Origin, RuleSet
from ingest.rules.signals import Signal
from ingest.rules.spans import micros
from ingest.store.engine import from_micros, reading, to_micros
from ingest.store.journal import REPLAYED, Kept, last_position, message, messages_after
from linli.errors import PayloadError
from linli.events import Severity

SLICE = 1000
EXAMPLES = 3
MOST_COUNTS = 20_000
MOST_EPISODES = 100_000
LONGEST_RUN_UP = timedelta(days=1)
SHORTEST_RUN_UP = timedelta(minutes=15)

Progress = Callable[[int, int], bool]
"""Told rows read and rows in all now and then; answers whether to go on."""


def _to_the_end(done: int, total: int) -> bool:
    del done, total
    return True


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule would have raised at one device or place on one day of the site."""

    device: str
    day: date
    raised: int


class Example(msgspec.Struct, kw_only=True):
    """One thing that it would have raised; `until` is None when it was not over by then."""

    at: datetime
    until: datetime | None
    device: str
    area: str
    severity: Severity
    why: str
    evidence: tuple[str, ...]


class RuleTrial(msgspec.Struct, kw_only=True):
    """What one rule would have raised. `lasting`: not over at the end of the time looked at."""

    rule: str
    label: str
    origin: Origin
    raised: int = 0
    lasting: int = 0
    counts: tuple[DayCount, ...] = ()
    examples: list[Example] = []


class Trial(msgspec.Struct, kw_only=True):
    """The answer. `until` is how far history was read, `complete` whether as far as was asked.

    `rows` were read, of which `unreadable` could not be used; `late` facts came after later ones.
    """

    digest: str
    start: datetime
    end: datetime
    until: datetime
    complete: bool
    rows: int
    unreadable: int
    late: int
    rules: tuple[RuleTrial, ...]


def try_rules(
    journal: sa.Engine,
    rules: RuleSet,
    find: Find,
    *,
    start: datetime,
    end: datetime,
    zone: tzinfo,
    progress: Progress = _to_the_end,
) -> Trial:
    """Return what rules would have raised from `start` to `end`. Raises StoreError.

    Reading begins earlier than `start`, by the longest time that a rule looks back.
    """
    first, last = _positions(journal, start - run_up(rules), end)
    tally = _Tally(rules, start, end, zone)
    engine = Engine(rules, Memory(), find)
    engine.begin()
    boots = Boots()
    read, unreadable, until, complete = 0, 0, start, True
    for kept in _rows(journal, first, last):
        try:
            tally.note(engine.take(_row(kept, engine, boots)))
        except PayloadError:
            unreadable += 1
        read += 1
        until = max(until, from_micros(kept.received))
        if read % SLICE == 0 and not progress(read, last - first):
            complete = False
            break
    tally.note(engine.drain())
    progress(last - first, last - first)
    return Trial(
        digest=rules.digest,
        start=start,
        end=end,
        until=end if complete else until,
        complete=complete,
        rows=read,
        unreadable=unreadable,
        late=engine.memory.clocks.late,
        rules=tally.result(),
    )


def run_up(rules: RuleSet) -> timedelta:
    """Return how long before the time asked for a rule set has to look."""
    longest = max((_looks_back(one.rule) for one in rules.rules), default=0)
    return min(max(timedelta(microseconds=longest), SHORTEST_RUN_UP), LONGEST_RUN_UP)


def _looks_back(rule: AnyRule) -> int:
    spans = (getattr(rule, name, None) for name in ("lasting", "within"))
    return max((micros(span) for span in spans if span), default=0)


def _row(kept: Kept, engine: Engine, boots: Boots) -> Row:
    said = message_of(kept, telemetry=engine.rules.wants_readings)
    started = boots.started(kept.node, said, from_micros(kept.received))
    return row_of(kept, said, engine.memory.clocks.now, started)


class _Episode(msgspec.Struct):
    """One thing that was raised; `example` only of the first few."""

    counted: bool
    over: bool = False
    example: Example | None = None


class _Tally:
    """Counts what is said within the time asked for."""

    def __init__(self, rules: RuleSet, start: datetime, end: datetime, zone: tzinfo) -> None:
        self._start = start
        self._end = end
        self._zone = zone
        self._trials = {
            one.id: RuleTrial(rule=one.id, label=one.rule.label, origin=one.origin)
            for one in rules.rules
        }
        self._counts: Counter[tuple[str, str, date]] = Counter()
        self._episodes: OrderedDict[tuple[str, str, str], _Episode] = OrderedDict()

    def note(self, signals: list[Signal]) -> None:
        """Take what a row meant."""
        for signal in signals:
            if not signal.known_only and signal.rule in self._trials:
                self._note(signal)

    def result(self) -> tuple[RuleTrial, ...]:
        """Return what was counted."""
        for (rule, _, _), episode in self._episodes.items():
            self._trials[rule].lasting += episode.counted and not episode.over
        for rule, trial in self._trials.items():
            rows = [(device, day, n) for (of, device, day), n in self._counts.items() if of == rule]
            trial.counts = tuple(
                DayCount(device=device, day=day, raised=number)
                for device, day, number in sorted(rows, key=lambda row: (-row[2], row))
            )
        return tuple(self._trials.values())

    def _note(self, signal: Signal) -> None:
        fact = signal.fact
        key = (signal.rule, str(fact.key), fact.episode)
        episode = self._episodes.get(key)
        if episode is None:
            episode = self._episodes[key] = self._raised(signal)
            if len(self._episodes) > MOST_EPISODES:
                self._episodes.popitem(last=False)
        if signal.kind == "clear":
            episode.over = True
            if episode.example is not None:
                episode.example.until = fact.at

    def _raised(self, signal: Signal) -> _Episode:
        fact, trial = signal.fact, self._trials[signal.rule]
        if not self._start <= fact.at < self._end:
            return _Episode(counted=False)
        trial.raised += 1
        device = f"{fact.key.node}/{fact.key.device}"
        day = fact.at.astimezone(self._zone).date()
        if (trial.rule, device, day) in self._counts or len(self._counts) < MOST_COUNTS:
            self._counts[trial.rule, device, day] += 1
        if len(trial.examples) >= EXAMPLES:
            return _Episode(counted=True)
        example = Example(
            at=fact.at,
            until=None,
            device=device,
            area=fact.area,
            severity=fact.severity,
            why=signal.why,
            evidence=signal.evidence,
        )
        trial.examples.append(example)
        return _Episode(counted=True, example=example)


_IN_ORDER = (
    sa.select(message.c.id, message.c.received)
    .where(message.c.id >= sa.bindparam("first"), message.c.flags.op("&")(REPLAYED) == 0)
    .order_by(message.c.id)
    .limit(1)
)
_FIRST = sa.select(sa.func.min(message.c.id))


def _positions(journal: sa.Engine, start: datetime, end: datetime) -> tuple[int, int]:
    """Return the position before the rows received from `start` on, and that of the last to `end`.

    Rows stand in the order of receiving, but for those that waited for their device.
    """
    with reading(journal) as connection:
        lowest = connection.scalar(_FIRST)
        if lowest is None:
            return 0, 0
        highest = last_position(connection)
        begin = _search(connection, lowest, highest, to_micros(start))
        stop = _search(connection, lowest, highest, to_micros(end))
    return begin - 1, stop - 1


def _search(connection: sa.Connection, low: int, high: int, received: int) -> int:
    """Return the first position at which rows were received at an instant or later."""
    high += 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_IN_ORDER, {"first": middle}).first()
        if row is None or row.received >= received:
            high = middle
        else:
            low = row.id + 1
    return low


def _rows(journal: sa.Engine, after: int, last: int) -> Iterator[Kept]:
    while after < last:
        with reading(journal) as connection:
            slice_ = messages_after(connection, after, SLICE)
        for kept in slice_:
            if kept.id > last:
                return
            yield kept
        if not slice_:
            return
        after = slice_[-1].id
