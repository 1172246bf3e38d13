"""Watches a community share: ends, corrections, numbers, and what it does after a lost line."""

from __future__ import annotations

from dataclasses import dataclass

from linli.conform.sharing import newest, shared
from linli.conform.trace import Connected, Event, Sent
from linli.conform.trial import Cut, Open, Script, Trial, Wait, never
from linli.topics import parse_shared

_BACK = 70.0
_AWAY = 0.5


@dataclass(frozen=True, slots=True)
class SharingPlan:
    """How long to wait for each thing, in seconds, and how long to watch at the end."""

    patience: float = 180.0
    quiet: float = 3.0


class SharingTrial(Trial):
    """The client that shares first is the one that is tried. It is asked to share, by people."""

    def __init__(self, plan: SharingPlan) -> None:
        super().__init__()
        self._plan = plan
        self._before: list[tuple[str, Event]] = []

    def see(self, client: str, event: Event) -> None:
        """Take what passed the relay; until it is known who is tried, of everybody."""
        if self.trace.node:
            if client == self.trace.node:
                self.trace.add(event)
            return
        self._before.append((client, event))
        if isinstance(event, Sent) and parse_shared(event.topic) is not None:
            self.trace.node = client
            for who, one in self._before:
                if who == client:
                    self.trace.add(one)
            self._before.clear()

    def script(self) -> Script:
        """Wait for one thing after the other; cut the line between two of them."""
        self.phase = "let something end there that is on the list"
        yield Wait(lambda: self._ends() > 0, self._plan.patience)
        if not self.trace.node:
            return
        self.phase = "let people judge it a false alarm"
        yield Wait(self._taken_back, self._plan.patience)
        self.phase = "its connection is cut"
        self._note("cut")
        self._do(Cut())
        yield Wait(never, _AWAY)
        self._note("open")
        self._do(Open())
        count, ends, rows = self._connections(), self._ends(), newest(self.trace)
        self.phase = "waiting for it to come back"
        yield Wait(lambda: self._connections() > count, _BACK)
        self.phase = "let something else end there, and a device be added"
        yield Wait(lambda: self._ends() > ends and self._grown(rows), self._plan.patience)
        yield Wait(never, self._plan.quiet)

    def _ends(self) -> int:
        return len({one.text("id") for one in shared(self.trace, "event")})

    def _taken_back(self) -> bool:
        return any(one.data.get("count") == 0 for one in shared(self.trace, "event"))

    def _grown(self, before: dict[str, int]) -> bool:
        now = newest(self.trace)
        return any(now[row] > version for row, version in before.items())

    def _connections(self) -> int:
        return sum(1 for _ in self.trace.all(Connected))
