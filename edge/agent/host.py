"""Keeps an agent running on the best configuration there is.

When it changes the agent goes over to it, or another one is started.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx2

from edge.agent.wanted import WantedConfig
from edge.identity import Proof, Renewal, proof_of
from edge.kept import Wanted
from edge.settings import Box, EdgeSettings, load_box, load_settings
from edge.upload import open_client
from linli.errors import InputError, LinkError, LinliError, StoreError
from linli.events import ConfigReport
from linli.log import get_logger
from linli.process import StopSignal
from linli.settings import make_folder, read_secret

log = get_logger(__name__)

TRIAL = 30.0
"""Seconds that a new configuration must have run before it is the one to go back to."""
_SLICE = 0.1
Say = Callable[[], ConfigReport | None]


class Runs(Protocol):
    """What an agent is to its host."""

    def __enter__(self) -> Self:
        """Start. Raises InputError."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        ...

    def run(self, stop: StopSignal) -> None:
        """Work until told to stop. Raises LinliError."""
        ...

    def change(self, settings: EdgeSettings) -> bool:
        """Go over to other settings while at work, if that can be. Raises InputError."""
        ...

    def end(self) -> None:
        """Say how it went, when this was not for a new configuration."""
        ...


Make = Callable[[EdgeSettings, Say], Runs]


class Wishes(Protocol):
    """Where configurations come from: the ingest, or the box's own file alone."""

    news: threading.Event

    def candidates(self) -> list[Wanted | None]:
        """Return what to try, best first; None is the box's own file alone."""
        ...

    def coming(self) -> Wanted | None:
        """Return the one that is to be tried next, if any."""
        ...

    def settings(self, wanted: Wanted | None) -> EdgeSettings:
        """Return the settings with a configuration. Raises InputError."""
        ...

    def runs(self, wanted: Wanted | None) -> None:
        """Note what a box has started with, or gone over to."""
        ...

    def works(self, wanted: Wanted) -> None:
        """Remember what a box has run with for long enough."""
        ...

    def refuse(self, wanted: Wanted, why: LinliError) -> None:
        """Remember a version that cannot be used, so that it is not tried again."""
        ...

    def report(self) -> ConfigReport | None:
        """Return which version runs, and which one was refused."""
        ...


class OwnFile:
    """The wishes of a box that asks nobody: its file says everything."""

    def __init__(self, config: Path) -> None:
        self.news = threading.Event()
        self._config = config

    def candidates(self) -> list[Wanted | None]:
        """Return the file alone."""
        return [None]

    def coming(self) -> Wanted | None:
        """Return nothing: nobody wants anything."""
        return None

    def settings(self, wanted: Wanted | None) -> EdgeSettings:
        """Return what the file says now. Raises InputError."""
        del wanted
        return load_settings(self._config)

    def runs(self, wanted: Wanted | None) -> None:
        """Note nothing."""

    def works(self, wanted: Wanted) -> None:
        """Note nothing."""

    def refuse(self, wanted: Wanted, why: LinliError) -> None:
        """Note nothing."""

    def report(self) -> ConfigReport | None:
        """Return None: there is no version."""
        return None


class Host:
    """Runs agents one after the other; `reload` may be called by a signal's handler."""

    def __init__(self, config: Path, make: Make) -> None:
        self._config = config
        self._make = make
        self._reread = threading.Event()
        self._again = threading.Event()
        self._runs: EdgeSettings | None = None

    def reload(self) -> None:
        """Have the box's own file read again."""
        self._reread.set()

    def renew(self) -> None:
        """Have another agent started with the same settings; from any thread."""
        self._again.set()

    def run(self, stop: StopSignal) -> None:
        """Run until told to stop or until an agent has nothing more to do. Raises LinliError."""
        box = load_box(self._config)
        if box.ingest is None:
            own = OwnFile(self._config)
            while self._turn(own, stop):
                pass
            return
        make_folder(box.folder)
        self._ask(box, stop)

    def _ask(self, box: Box, stop: StopSignal) -> None:
        assert box.ingest is not None
        key = read_secret(Path(box.ingest.key_file))
        with open_client() as client:
            renewal = Renewal(lambda: self._proof(client), self.renew)
            self._follow(WantedConfig(self._config, box, key, client), renewal, stop)

    def _proof(self, client: httpx2.Client) -> Proof | None:
        return None if self._runs is None else proof_of(self._runs, client)

    def _follow(self, wanted: WantedConfig, renewal: Renewal, stop: StopSignal) -> None:
        if not wanted.something_to_run():
            wanted.ask()  # otherwise cameras do not wait for an ingest that may be away
        over = threading.Event()
        watchers = [
            threading.Thread(target=wanted.watch, args=(over,), name="wanted", daemon=True),
            threading.Thread(target=renewal.watch, args=(over,), name="renewal", daemon=True),
        ]
        for one in watchers:
            one.start()
        try:
            while self._turn(wanted, stop):
                pass
        finally:
            over.set()
            for one in watchers:
                one.join()

    def _turn(self, wishes: Wishes, stop: StopSignal) -> bool:
        """Run one agent; tell whether another one is to follow."""
        agent, running, trial = self._start(wishes)
        turn = Turn(stop, running, wishes.works, trial=trial)
        turn.news = lambda: self._go_over(wishes, agent, turn)
        try:
            agent.run(turn)
            if turn.over and not stop.is_set():
                return True
            agent.end()
        except (StoreError, LinkError):
            raise  # no configuration helps against a full disk
        except LinliError as error:
            if turn.running is None or turn.proven:
                raise
            wishes.refuse(turn.running, error)
            return True
        finally:
            agent.__exit__(*sys.exc_info())
        return False

    def _go_over(self, wishes: Wishes, agent: Runs, turn: Turn) -> bool:
        """Take up what is new while the agent is at work; tell whether another has to start."""
        if self._again.is_set():
            return True
        if not (wishes.news.is_set() or self._reread.is_set()):
            return False
        self._reread.clear()
        wishes.news.clear()
        coming = wishes.coming()
        wanted = coming if coming is not None else turn.running
        try:
            settings = wishes.settings(wanted)
            if settings != self._runs and not agent.change(settings):
                return True
        except InputError as error:
            if coming is not None:
                wishes.candidates()  # it is not tried again
                wishes.refuse(coming, error)
            else:
                log.error("configuration: %s; going on as before", error)  # noqa: TRY400
            return False
        self._runs = settings
        if coming is not None:
            wishes.candidates()
            wishes.runs(coming)
            turn.renew(coming)
        return False

    def _start(self, wishes: Wishes) -> tuple[Runs, Wanted | None, bool]:
        """Start an agent with the best configuration that lets it; tell which, whether on trial.

        When none does, but one did before, that is started again. Raises InputError.
        """
        self._reread.clear()
        self._again.clear()
        *better, last = wishes.candidates()
        for candidate in better:
            assert candidate is not None
            try:
                agent = self._enter(wishes.settings(candidate), wishes)
            except InputError as error:
                wishes.refuse(candidate, error)
                continue
            wishes.runs(candidate)
            return agent, candidate, True
        wishes.runs(last)
        try:
            return self._enter(wishes.settings(last), wishes), last, False
        except InputError as error:
            if self._runs is None:
                raise
            log.error("configuration: %s; starting as before", error)  # noqa: TRY400
            return self._enter(self._runs, wishes), last, False

    def _enter(self, settings: EdgeSettings, wishes: Wishes) -> Runs:
        agent = self._make(settings, wishes.report).__enter__()
        self._runs = settings
        return agent


class Turn(StopSignal):
    """Asks for the end when everything is to stop, or when another agent is to begin.

    `news` takes up what is new and tells whether another agent has to start. A configuration on
    trial is told to `works`, once, when it has gone on for TRIAL seconds.
    """

    def __init__(
        self,
        stop: StopSignal,
        running: Wanted | None,
        works: Callable[[Wanted], None],
        *,
        trial: bool,
    ) -> None:
        super().__init__()
        self.over = False
        self.news: Callable[[], bool] = lambda: False
        self._stop = stop
        self._works = works
        self.renew(running, trial=trial)

    def renew(self, running: Wanted | None, *, trial: bool = True) -> None:
        """Note what the agent runs with now."""
        self.running = running
        self.proven = not trial
        self._until = time.monotonic() + TRIAL

    def is_set(self) -> bool:
        """Tell whether the end was asked for."""
        return self._stop.is_set() or self.over

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether the end was asked for meanwhile; news may be seen a bit late."""
        end = time.monotonic() + seconds
        while not self.is_set():
            if self.news():
                self.over = True
                break
            now = time.monotonic()
            if now >= self._until and not self.proven:
                self.proven = True
                if self.running is not None:
                    self._works(self.running)
            if now >= end:
                return False
            self._stop.wait(min(end - now, _SLICE))
        return True


def settings_now(config: Path, client: httpx2.Client | None = None) -> tuple[EdgeSettings, int]:
    """Return the settings that a start would use now, and the version in them, 0 for none.

    The ingest is asked once when the file names one. Raises InputError.
    """
    box = load_box(config)
    if box.ingest is None:
        return load_settings(config), 0
    key = read_secret(Path(box.ingest.key_file))
    with client or open_client() as asked:
        wanted = WantedConfig(config, box, key, asked)
        wanted.ask()
        best = wanted.candidates()[0]
    return wanted.settings(best), best.version if best else 0
