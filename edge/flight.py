"""Rows of one lane between publishing and receipt: what is out, what is overdue, what has room.

After a long outage the newest events go first, and what is behind them in a flight of its own.

Pure: times are the caller's monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from linli.events import IN_ORDER, Receipt

WINDOW = 64
MAX_ASIDE = 1024
FIRST_WAIT = 10.0
LONGEST_WAIT = 60.0
LIVE = 256
"""Rows that go before the older ones: an ingest takes twice as many of a node at once."""


@dataclass(slots=True)
class _Sent:
    token: int
    due: float
    wait: float
    aside: bool = False


class Flight:
    """Publishes of one lane since the last reset.

    At most `WINDOW` wait for their receipt. One that the broker refused is tried again like the
    others but put aside, up to `MAX_ASIDE`, so that the lane's other rows still pass.
    """

    def __init__(self) -> None:
        self.after = 0
        self._sent: dict[int, _Sent] = {}
        self._sequence_of: dict[int, int] = {}
        self._next_due = 0.0
        self._aside = 0

    def reset(self) -> None:
        """Forget everything: the lane is sent again from its lowest row."""
        self.after = 0
        self._sent.clear()
        self._sequence_of.clear()
        self._aside = 0

    def room(self) -> int:
        """Return how many more rows may be published now."""
        return WINDOW - (len(self._sent) - self._aside)

    def add(self, sequence: int, token: int, now: float) -> None:
        """Note a row published for the first time."""
        self.after = max(self.after, sequence)
        self._note(sequence, _Sent(token, now + FIRST_WAIT, FIRST_WAIT))

    def again(self, sequence: int, token: int, now: float) -> None:
        """Note a row published once more; it waits twice as long as before."""
        old = self._sent[sequence]
        self._sequence_of.pop(old.token, None)
        wait = min(LONGEST_WAIT, 2 * old.wait)
        self._note(sequence, _Sent(token, now + wait, wait, old.aside))

    def due(self, now: float) -> list[int]:
        """Return the sequences whose receipt did not come in time, lowest first."""
        if now < self._next_due or not self._sent:
            return []
        overdue = sorted(sequence for sequence, sent in self._sent.items() if sent.due <= now)
        if not overdue:
            self._next_due = min(sent.due for sent in self._sent.values())
        return overdue

    def answered(self, token: int, error: str | None) -> int | None:
        """Note the broker's answer; return the sequence it was for, None when it is not ours."""
        sequence = self._sequence_of.pop(token, None)
        sent = self._sent.get(sequence) if sequence is not None else None
        if sent is not None and error and not sent.aside and self._aside < MAX_ASIDE:
            sent.aside = True
            self._aside += 1
        return sequence

    def confirm(self, receipt: Receipt) -> None:
        """Forget what a receipt of this lane's stream covers."""
        spans = ((1, receipt.upto), *receipt.ranges)
        for sequence in list(self._sent):
            if any(first <= sequence <= last for first, last in spans):
                self.forget(sequence)

    def forget(self, sequence: int) -> None:
        """Forget a row that left the spool."""
        sent = self._sent.pop(sequence, None)
        if sent is not None:
            self._sequence_of.pop(sent.token, None)
            self._aside -= sent.aside

    def _note(self, sequence: int, sent: _Sent) -> None:
        self._sent[sequence] = sent
        self._sequence_of[sent.token] = sequence
        self._next_due = min(self._next_due, sent.due)


@dataclass(slots=True)
class Course:
    """One lane: `live` takes its newest rows in order, `old` what live has passed, up to `mark`.

    What is needed in order as a whole (readings) never `passes`.
    """

    passes: bool
    live: Flight = field(default_factory=Flight)
    old: Flight = field(default_factory=Flight)
    mark: int = 0

    @property
    def flights(self) -> tuple[Flight, Flight]:
        """Both, the one that goes first first."""
        return self.live, self.old

    def reset(self) -> None:
        """Forget everything: the lane is sent again."""
        self.mark = 0
        for flight in self.flights:
            flight.reset()

    def steer(self, last: int) -> tuple[tuple[Flight, int], tuple[Flight, int]]:
        """Return each flight with the row it goes up to, when `last` is the last of the lane."""
        if self.passes and last - self.live.after > IN_ORDER:
            self.live.after = self.mark = last - LIVE
        return (self.live, last), (self.old, self.mark)

    def answered(self, token: int, error: str | None) -> int | None:
        """Note the broker's answer; return the sequence it was for, None when it is not ours."""
        found = self.live.answered(token, error)
        return self.old.answered(token, error) if found is None else found

    def confirm(self, receipt: Receipt) -> None:
        """Forget what a receipt of this lane's stream covers."""
        for flight in self.flights:
            flight.confirm(receipt)

    def forget(self, sequence: int) -> None:
        """Forget a row that left the spool."""
        for flight in self.flights:
            flight.forget(sequence)
