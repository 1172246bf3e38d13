"""The community through time: every device in its turn, and faults when they are due; pure."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from linli.errors import InputError
from linli.simulate.bin import Bin
from linli.simulate.community import Community, Sort
from linli.simulate.fault import FAULTS
from linli.simulate.lamp import Lamp
from linli.simulate.lift import Lift
from linli.simulate.part import Part, Surroundings
from linli.simulate.said import Said
from linli.simulate.sensor import Sensor
from linli.simulate.surroundings import Weather

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
        around = Surroundings(self.key, chance, Weather(seed))
        self._parts = [_PARTS[one.sort](one, around) for one in community.devices]
        self._due = [
            (int(part.every / _MS * chance.random()), index, "")
            for index, part in enumerate(self._parts)
        ]
        self._struck: set[int] = set()
        for name, count in (faults or {}).items():
            self._plan(name, count, chance)
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

    def _plan(self, name: str, count: int, chance: random.Random) -> None:
        fault = FAULTS[name]
        able = [
            index
            for index, one in enumerate(self._parts)
            if one.device.sort in fault.sorts and index not in self._struck
        ]
        if count > len(able):
            raise InputError(
                f"{name} cannot happen {count} times: {len(able)} devices can have it",
                where="--faults",
                hint="A device has one fault in a run: take more devices",
            )
        length = (self.end - self.start) // _MS
        for index in chance.sample(able, count):
            self._struck.add(index)
            begin = int(length * chance.uniform(_FIRST, _LAST))
            lasts = int(1000 * chance.uniform(fault.shortest, fault.longest))
            self._due.append((begin, index, f"strike {name}"))
            self._due.append((begin + lasts, index, f"mend {name}"))
