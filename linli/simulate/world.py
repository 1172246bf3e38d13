"""The community through time: every device in its turn, and faults when they are due; pure."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from linli.counted import counted
from linli.errors import InputError
from linli.simulate.bin import Bin
from linli.simulate.community import Box, Community, Sort
from linli.simulate.fault import FAULTS
from linli.simulate.lamp import Lamp
from linli.simulate.lift import Lift
from linli.simulate.part import Part, Surroundings
from linli.simulate.said import Said
from linli.simulate.sensor import Sensor
from linli.simulate.surroundings import Weather
from linli.simulate.timekeeping import Span

_PARTS: Final[Mapping[Sort, type[Part]]] = {
    "lift": Lift,
    "lamp": Lamp,
    "bin": Bin,
    "climate": Sensor,
    "light": Sensor,
    "smoke": Sensor,
}
_FIRST, _LAST = 0.05, 0.7
"""Between these shares of the run faults begin, so that most are over before it is."""
_MS = timedelta(milliseconds=1)


class World:
    """Everything it says follows from community, seed, start, length and faults.

    `away` are edges that are cut off for a while, `unset` those whose clock is off.

    Raises InputError when more faults are wanted than there are devices that can have them.
    """

    def __init__(
        self,
        community: Community,
        *,
        seed: int,
        start: datetime,
        length: timedelta,
        faults: Mapping[str, int] | None = None,
    ) -> None:
        self.start = start.replace(microsecond=start.microsecond // 1000 * 1000)
        self.key = f"{seed} {self.start.isoformat()}"
        self.end = self.start + length // _MS * _MS
        chance = random.Random(seed)  # noqa: S311 - no secret
        of_edges = random.Random(f"{seed} edges")  # noqa: S311 - what devices say does not change
        around = Surroundings(self.key, chance, Weather(seed))
        self._parts = [_PARTS[one.sort](one, around) for one in community.devices]
        self._due = [
            (int(part.every / _MS * chance.random()), index, "")
            for index, part in enumerate(self._parts)
        ]
        self._struck: set[int] = set()
        self.away: dict[Box, Span] = {}
        self.unset: dict[Box, Span] = {}
        for name, count in (faults or {}).items():
            if FAULTS[name].sorts:
                self._plan(name, count, chance)
            else:
                self._plan_edges(name, count, community.boxes, of_edges)
        heapq.heapify(self._due)

    def step(self, now: datetime) -> Iterator[Said]:
        """Yield what is said up to `now`, in the order of its times; never beyond the end."""
        until = (min(now, self.end) - self.start) // _MS
        while self._due and self._due[0][0] <= until:
            due, index, what = self._due[0]
            part, at = self._parts[index], self.start + due * _MS
            if what:
                heapq.heappop(self._due)
                act, _, fault = what.partition(" ")
                yield from (part.strike if act == "strike" else part.mend)(fault, at)
                continue
            heapq.heapreplace(self._due, (due + part.every // _MS, index, ""))
            yield from part.tick(at)

    def close(self, now: datetime) -> Iterator[Said]:
        """End at `now` what is open, and say nothing more after it."""
        self._due.clear()
        at = self.start + (now - self.start) // _MS * _MS
        for part in self._parts:
            yield from part.close(at)

    def _plan_edges(
        self, name: str, count: int, boxes: tuple[Box, ...], chance: random.Random
    ) -> None:
        spans = self.away if name == "edge-offline" else self.unset
        able = [box for box in boxes if box not in spans]
        self._check(name, count, len(able), "edges")
        for box in chance.sample(able, count):
            begin, lasts = self._draw(name, chance)
            at = self.start + begin * _MS
            spans[box] = Span(at, at + lasts * _MS)

    def _draw(self, name: str, chance: random.Random) -> tuple[int, int]:
        """Return when a fault begins and how long it lasts, in milliseconds of the run."""
        fault, length = FAULTS[name], (self.end - self.start) // _MS
        begin = int(length * chance.uniform(_FIRST, _LAST))
        return begin, int(1000 * chance.uniform(fault.shortest, fault.longest))

    @staticmethod
    def _check(name: str, count: int, able: int, what: str) -> None:
        if count > able:
            raise InputError(
                f"{name} cannot happen {counted(count, 'time')}: {able} {what} can have it",
                where="--faults",
                hint=f"Each of the {what} has one fault in a run: take more of them",
            )

    def _plan(self, name: str, count: int, chance: random.Random) -> None:
        fault = FAULTS[name]
        able = [
            index
            for index, one in enumerate(self._parts)
            if one.device.sort in fault.sorts and index not in self._struck
        ]
        self._check(name, count, len(able), "devices")
        for index in chance.sample(able, count):
            self._struck.add(index)
            begin, lasts = self._draw(name, chance)
            self._due.append((begin, index, f"strike {name}"))
            self._due.append((begin + lasts, index, f"mend {name}"))
