"""All edges of a run, paced: no faster than the clock times the speed, nor than receipts come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from linli.clock import Clock
from linli.errors import LinkError
from linli.mqtt import LinkFactory, LinkOptions, PahoLink
from linli.simulate.community import Box, Community, Device
from linli.simulate.sender import Counts, Sender
from linli.simulate.timekeeping import SET, Timekeeping
from linli.simulate.wire import stream_id
from linli.simulate.world import World

_SLICE = timedelta(seconds=10)
_DEVICES_A_SECOND = 2_000
"""So fast edges come up: each tells of its devices, and a broker keeps only so many messages."""
_REST = 0.01
_SOON = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is: `at` is its own time, `held` facts have no receipt yet."""

    at: datetime
    made: int
    held: int
    connected: int
    behind: float


class Fleet:
    """Belongs to one thread. `run` returns when its world is over, or it is told to stop."""

    def __init__(
        self,
        community: Community,
        world: World,
        links: Mapping[str, LinkOptions],
        *,
        clock: Clock,
        factory: LinkFactory = PahoLink,
    ) -> None:
        """`links` says for each edge how it reaches the broker."""
        devices: dict[Box, list[Device]] = {box: [] for box in community.boxes}
        for one in community.devices:
            devices[one.box].append(one)
        self.counts = Counts()
        self.made = 0
        self._world, self._clock = world, clock
        self._senders = {
            box: Sender(
                box,
                tuple(devices[box]),
                links[box.id],
                key=world.key,
                clock=clock,
                counts=self.counts,
                factory=factory,
                keeps=_timekeeping(world, box),
            )
            for box in community.boxes
        }
        self._sizes = {box: len(found) for box, found in devices.items()}
        self._at = world.start
        self._target = world.start

    @property
    def standing(self) -> Standing:
        """How far it is."""
        senders = self._senders.values()
        return Standing(
            self._at,
            self.made,
            sum(one.held for one in senders),
            sum(one.ready for one in senders),
            (self._target - self._at).total_seconds(),
        )

    def run(
        self,
        speed: float,
        stopped: Callable[[], bool],
        tell: Callable[[], None],
        *,
        patience: float,
    ) -> None:
        """Play the world at `speed`, then wait for the last receipts, `patience` s for the next.

        Raises LinkError when for half a minute no further edge found broker and ingest.
        """
        try:
            self._gather(stopped, tell)
            began = self._clock.monotonic()
            while not stopped() and self._at < self._world.end:
                gone = timedelta(seconds=(self._clock.monotonic() - began) * speed)
                self._target = min(self._world.start + gone, self._world.end)
                self._turn(self._play())
                tell()
            for box in self._world.away:
                self._senders[box].away = False
            for said in self._world.close(self._at):
                self._senders[said.device.box].put(said)
                self.made += 1
            self._wait(tell, patience)
        finally:
            for one in self._senders.values():
                one.close()

    def _wait(self, tell: Callable[[], None], patience: float) -> None:
        """Turn until nothing is held, as long as receipts come."""
        held, until = self.standing.held, self._clock.monotonic() + patience
        while held and self._clock.monotonic() < until:
            self._turn(0)
            tell()
            now = self.standing.held
            if now < held:
                held, until = now, self._clock.monotonic() + patience

    def _gather(self, stopped: Callable[[], bool], tell: Callable[[], None]) -> None:
        """Bring the edges up one after another, and wait until each found a ready ingest."""
        began = self._clock.monotonic()
        until, fewest = began + _SOON, len(self._senders)
        while not stopped():
            room = (self._clock.monotonic() - began) * _DEVICES_A_SECOND
            moved, missing = 0, []
            for box, one in self._senders.items():
                if room >= 0:
                    moved += one.step()
                if not one.ready:
                    missing.append(box.id)
                room -= self._sizes[box]
            if not missing:
                return
            tell()
            if len(missing) < fewest:
                fewest, until = len(missing), self._clock.monotonic() + _SOON
            if self._clock.monotonic() > until:
                raise LinkError(
                    f"{len(missing)} of {len(self._senders)} edges, such as {missing[0]}, did not "
                    f"find the broker and a ready ingest in {_SOON:.0f} s",
                    where="linli simulate",
                    hint="Their users and passwords have to be known to the broker",
                )
            if not moved:
                time.sleep(_REST)

    def _play(self) -> int:
        """Let time go on by at most a slice, if every edge has room for what it brings."""
        if self._target <= self._at or not all(one.has_room for one in self._senders.values()):
            return 0
        self._at = min(self._at + _SLICE, self._target)
        for box, span in self._world.away.items():
            self._senders[box].away = span.covers(self._at) and self._at < self._world.end
        for box in self._world.unset:
            self._senders[box].at = self._at
        made = 0
        for said in self._world.step(self._at):
            self._senders[said.device.box].put(said)
            made += 1
        self.made += made
        return made

    def _turn(self, moved: int) -> None:
        """Let every edge do what is due; rest a little when there was nothing."""
        for one in self._senders.values():
            moved += one.step()
        if not moved:
            time.sleep(_REST)


def _timekeeping(world: World, box: Box) -> Timekeeping:
    span = world.unset.get(box)
    return SET if span is None else Timekeeping(span, stream_id(world.key, box, "boot"))
