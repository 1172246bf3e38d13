"""The engine: rows of the journal in, signals out. Pure: no file, no clock, nothing random.

What it does depends on the rows, the rules and the registry alone, and never on when it is asked or
how many rows come at once; so the same rows give the same signals. `docs/rules.md` says what the
order of rows may and may not change.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from ingest.rules import absence, emit, evaluate
from ingest.rules.absence import AbsenceState
from ingest.rules.document import AbsenceRule, AnyRule, EventRule
from ingest.rules.evaluate import Step
from ingest.rules.facts import (
    Alive,
    Happening,
    Measured,
    Ordered,
    Row,
    Spot,
    alive,
    happening,
    measured,
    resumed,
)
from ingest.rules.hours import FOREVER
from ingest.rules.lasting import LastingState
from ingest.rules.memory import CLOCKS, Kept, Memory
from ingest.rules.rule_set import UNKNOWN, Active, Known, RuleSet, fits_event, revive
from ingest.rules.signals import Outcome, Signal
from ingest.rules.spans import SECOND
from ingest.rules.targets import box, episode_target, is_device, targets
from ingest.rules.timers import Key, Timers
from ingest.rules.waiting import Waiting
from linli.topics import SELF

AWAY = 60 * SECOND
"""Rows come at least every few seconds while the ingest receives; a longer gap is its own."""
PATIENCE = 600 * SECOND
"""A lane that says nothing for this long does not hold back what is due any more."""

Find = Callable[[str, str], Known]


class Engine:
    """One rule set at work. `memory` outlives it; `find` tells what is known of (node, device)."""

    def __init__(self, rules: RuleSet, memory: Memory, find: Find) -> None:
        self.rules = rules
        self.memory = memory
        self._find = find
        self._waiting = Waiting(rules.settle)
        self._lanes: dict[str, Timers] = {}
        self._clock = Timers()
        self._out: list[Signal] = []

    def begin(self) -> list[Signal]:
        """Take up what is remembered; end what rules began that are no more, or have changed."""
        going_on: list[Happening] = []
        for name, kept in list(self.memory.rules.items()):
            active = self.rules.by_id.get(name)
            if active is None or active.digest != kept.digest:
                going_on += self._end(name, kept)
        for active in self.rules.rules:
            if active.remembers and active.id not in self.memory.rules:
                self.memory.learn(active.id, Kept(active.digest, active.rule))
        for key in list(self.memory.targets):
            # What is due only now was waiting for late facts when all was kept.
            self._schedule(key, late=True)
        for fact in going_on:
            self._pass(fact)
            self._last(fact, late=False)
        return self.said()

    def watch(self, devices: Iterable[tuple[Spot, Known]]) -> None:
        """Count the silence of devices that were heard of before a rule asked for it."""
        clocks = self.memory.clocks
        for spot, known in devices:
            for active in self.rules.absences:
                if active.rule.reading is not None or active.rule.event is not None:
                    continue
                for name, target in targets(active, spot, known):
                    if (active.id, name) not in self.memory.targets:
                        state = AbsenceState(target, clocks.now, clocks.away)
                        self._apply(active, (active.id, name), target, Step(state))

    def forget(self, devices: Container[tuple[str, str]]) -> None:
        """Forget targets that are in use no more; what goes on there is ended by who retires it."""
        for key, state in list(self.memory.targets.items()):
            if (state.spot.node, state.spot.device) in devices:
                self.memory.put(key, None)

    def take(self, row: Row) -> list[Signal]:
        """Return what one more row means, an edge's event first: it depends on nothing else."""
        if row.fact is not None:
            self._pass(happening(row, row.fact))
        if not row.replayed:
            self._advance(row.received)
        if row.life and not row.replayed:
            self._hear(row)
        if row.leaves and not row.replayed:
            self._leave(row)
        for fact in self._ordered(row):
            self._wait(fact, row)
        self._settle()
        return self.said()

    def said(self) -> list[Signal]:
        """Return what was said since it was last asked for; `take` does it by itself."""
        out, self._out = self._out, []
        return out

    def drain(self) -> list[Signal]:
        """Use what waits now, whatever may still come before it: other rules take over."""
        self._settle(early=True)
        return self.said()

    def restore(self, row: Row) -> None:
        """Let the facts of a row wait again that were waiting when all was kept."""
        for fact in self._ordered(row):
            if fact.order > self.memory.lane(fact.lane).used:
                self._waiting.put(fact, row.received, row.position)

    def note(self) -> None:
        """Bring the clocks up to date, before what has changed is kept."""
        if self.rules.remembers:
            self.memory.clocks.oldest = self._waiting.oldest()
            self.memory.changed.add(CLOCKS)

    # What a row says at once: who is there, and events that wait for nothing.

    def _hear(self, row: Row) -> None:
        if not self.rules.absences:
            return
        spot, clocks = row.spot, self.memory.clocks
        names = {one[0] for one in row.readings}
        for active in self.rules.absences:
            rule = active.rule
            if rule.event is not None and (row.fact is None or row.name != rule.event):
                continue
            if rule.reading is not None and rule.reading not in names:
                continue
            narrow = rule.event is not None or rule.reading is not None or row.device == SELF
            places = (spot,) if narrow else (spot, box(spot))
            for place in places[-1:] if active.of_boxes else places:
                for name, target in targets(active, place, self._known(active, place)):
                    state = self.memory.targets.get((active.id, name))
                    known = state if isinstance(state, AbsenceState) else None
                    step = absence.take(rule, known, target, clocks.now, clocks.away)
                    self._apply(active, (active.id, name), target, Step(*step))

    def _leave(self, row: Row) -> None:
        """Miss a box no more that was switched off in order, until it is heard of again."""
        place, clock = row.spot, self.memory.clocks.now
        for active in self.rules.absences:
            key = (active.id, place.name)
            state = self.memory.targets.get(key)
            whole = active.rule.reading is None and active.rule.event is None
            if whole and isinstance(state, AbsenceState):
                step = Step(None, absence.leave(active.rule, state, clock))
                self._apply(active, key, state.spot, step)

    def _pass(self, fact: Happening) -> None:
        active = self._claim(fact)
        if active is None or not active.rule.raises:
            if fact.fact.phase == "end":
                self._out.append(emit.unwanted(fact.fact))
        elif active.rule.lasting is None:
            self._out.append(emit.passed(active, self.rules.version, fact.fact))

    def _claim(self, fact: Happening) -> Active[EventRule] | None:
        """Return the first rule that fits an event; all phases of an episode have the same."""
        for active in self.rules.of_event(fact.name):
            if (
                fits_event(active.rule, fact.fact)
                and active.hours.at(fact.since).open
                and active.fits(fact.spot, self._known(active, fact.spot))
            ):
                return active
        return None

    def _known(self, active: Active[AnyRule], spot: Spot) -> Known:
        return self._find(spot.node, spot.device) if active.asks else UNKNOWN

    # What waits for its turn.

    def _ordered(self, row: Row) -> Iterator[Ordered]:
        """Yield the facts of a row that have to be looked at in order."""
        if not self.rules.stateful:
            return
        if row.fact is not None:
            fact = happening(row, row.fact)
            wanted = any(self.rules.rates_of(fact.name)) or self._waits(fact)
            if wanted:
                yield fact
            elif not fact.passing:
                yield Alive(fact.lane, fact.order)
        last: Measured | None = None
        for one in measured(row):
            if self.rules.of_reading(one.name):
                yield one
                last = None
            else:
                last = one
        if last is not None:
            yield Alive(last.lane, last.order)
        yield from alive(row)

    def _waits(self, fact: Happening) -> bool:
        if not self.rules.deferred:
            return False
        active = self._claim(fact)
        return active is not None and active.rule.lasting is not None and active.rule.raises

    def _wait(self, fact: Ordered, row: Row) -> None:
        clocks, lane = self.memory.clocks, self.memory.lane(fact.lane)
        if not row.replayed:
            lane.heard, lane.away = clocks.now, clocks.away
        if fact.order > lane.used:
            self._waiting.put(fact, row.received, row.position)
        elif not isinstance(fact, Alive):
            clocks.late += 1
            self._evaluate(fact, late=True)

    def _settle(self, *, early: bool = False) -> None:
        """Use what has waited long enough, each lane in the order in which it happened."""
        now = FOREVER if early else self.memory.clocks.now
        while (ripe := self._waiting.ripe(now)) is not None:
            lane, upto = ripe
            for fact in self._waiting.take(lane, upto):
                state = self.memory.lane(lane)
                if fact.order > state.used:
                    state.used = fact.order
                    if not (isinstance(fact, Happening) and fact.passing):
                        state.reached = fact.order[0]
                        self._run(lane, fact.order[0])
                    self._evaluate(fact, late=False)

    def _evaluate(self, fact: Ordered, *, late: bool) -> None:
        if isinstance(fact, Measured):
            for active in self.rules.of_reading(fact.name):
                if active.fits(fact.spot, self._known(active, fact.spot)):
                    key = (active.id, fact.spot.name)
                    step = evaluate.measured(active, self.memory.targets.get(key), fact)
                    self._apply(active, key, fact.spot, step, late=late)
        elif isinstance(fact, Happening):
            self._happened(fact, late=late)

    def _happened(self, fact: Happening, *, late: bool) -> None:
        for active in self.rules.rates_of(fact.name):
            if fits_event(active.rule, fact.fact):
                for name, spot in targets(active, fact.spot, self._known(active, fact.spot)):
                    key = (active.id, name)
                    state = self.memory.targets.get(key)
                    step = evaluate.happened(active, state, fact, spot, late=late)
                    self._apply(active, key, spot, step, late=late)
        self._last(fact, late=late)

    def _last(self, fact: Happening, *, late: bool) -> None:
        """Follow an event that has to go on for a while."""
        if self._waits(fact) and (claim := self._claim(fact)) is not None:
            key = (claim.id, episode_target(fact))
            state = self.memory.targets.get(key)
            step = evaluate.happened(claim, state, fact, fact.spot, late=late)
            self._apply(claim, key, fact.spot, step, late=late)
            if fact.fact.phase == "end" and (step is None or not step.outcomes):
                self._out.append(emit.unwanted(fact.fact))

    def _apply(
        self,
        active: Active[AnyRule],
        key: Key,
        spot: Spot,
        step: Step | None,
        *,
        late: bool = False,
    ) -> None:
        if step is not None and self._keep(active, key, spot, step) and step.state is not None:
            self._schedule(key, late=late)

    def _keep(self, active: Active[AnyRule], key: Key, spot: Spot, step: Step) -> bool:
        """Remember what a target is now, and say what is to be said of it."""
        if not self.memory.put(key, step.state):
            return False
        for outcome in step.outcomes:
            self._say(active, key[1], spot, outcome)
        return True

    def _say(self, active: Active[AnyRule], target: str, spot: Spot, outcome: Outcome) -> None:
        now = self.memory.clocks.now
        self._out.append(emit.signal(active, self.rules.version, (target, spot), outcome, now))

    # What time does.

    def _advance(self, received: int) -> None:
        """Move the ingest's own clock, which never goes back."""
        clocks = self.memory.clocks
        if received <= clocks.now:
            return
        gap = received - clocks.now
        if clocks.now and gap > AWAY:
            clocks.away += gap
        clocks.now = received
        self._settle()
        while (key := self._clock.pop(received)) is not None:
            self._look(key)

    def _run(self, lane: str, instant: int) -> None:
        """Look at what is due on a lane whose time has come to an instant."""
        timers = self._lanes.get(lane)
        while timers is not None and (key := timers.pop(instant)) is not None:
            self._look(key)

    def _look(self, key: Key) -> None:
        """Do what is due for a target, and see when to look again."""
        active, state = self.rules.by_id.get(key[0]), self.memory.targets.get(key)
        if active is None or state is None:
            return
        if isinstance(state, AbsenceState):
            self._expect(active, key, state)
        else:
            self._schedule(key)

    def _expect(self, active: Active[AnyRule], key: Key, state: AbsenceState) -> None:
        assert isinstance(active.rule, AbsenceRule)
        clocks, spot = self.memory.clocks, state.spot
        wanted = not is_device(spot) or self._find(spot.node, spot.device).wanted
        now, away = clocks.now, clocks.away
        step = absence.expire(active.rule, active.hours, state, now, away, wanted=wanted)
        self._apply(active, key, spot, Step(*step) if wanted else Step(None, step[1]))

    def _there(self, lane: str, instant: int) -> bool:
        """Tell whether a lane's time has come to an instant, or nobody can wait for it longer."""
        return self._reached(lane) >= instant or self._gives_up(lane, instant) <= self._now

    def _gives_up(self, lane: str, instant: int) -> int:
        """Return when, by our own clock, a silent lane is waited for no more."""
        known, away = self.memory.lanes.get(lane), self.memory.clocks.away
        heard = 0 if known is None else known.heard + away - known.away
        return max(instant, heard) + PATIENCE

    def _reached(self, lane: str) -> int:
        known = self.memory.lanes.get(lane)
        return 0 if known is None else known.reached

    @property
    def _now(self) -> int:
        return self.memory.clocks.now

    def _schedule(self, key: Key, *, late: bool = False) -> None:
        """Do what time has already come to, and see when to look at a target again.

        What is known only from late facts may not be known to the end: let them come.
        """
        clocks = self.memory.clocks
        while (active := self.rules.by_id.get(key[0])) is not None:
            state = self.memory.targets.get(key)
            if isinstance(state, AbsenceState):
                assert isinstance(active.rule, AbsenceRule)
                again = absence.due(active.rule, active.hours, state, clocks.now, clocks.away)
                self._clock.set(key, again)
                return
            instant = None if state is None else evaluate.due(active, state)
            if state is None or instant is None:
                return
            lanes = evaluate.lanes(state)
            behind = [lane for lane in lanes if not self._there(lane, instant)]
            for lane in behind:
                self._lanes.setdefault(lane, Timers()).set(key, instant)
            if behind:
                self._clock.set(key, max(self._gives_up(lane, instant) for lane in behind))
                return
            if late:
                self._clock.set(key, clocks.now + self.rules.settle + 1)
                return
            self._keep(active, key, state.spot, evaluate.expire(active, state, instant))

    # The end of a rule.

    def _end(self, name: str, kept: Kept) -> list[Happening]:
        """End what a rule raised; return the events that go on, for other rules to take up."""
        active = revive(kept.rule)
        going_on: list[Happening] = []
        for key, state in list(self.memory.targets.items()):
            if key[0] == name:
                for outcome in evaluate.over(state, self._now):
                    self._say(active, key[1], state.spot, outcome)
                if isinstance(state, LastingState):
                    going_on.append(resumed(state.spot, state.fact))
                self.memory.put(key, None)
        self.memory.learn(name, None)
        return going_on
