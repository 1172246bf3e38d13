"""What the ingest wants this box to watch: asked now and then, tried, kept while it works."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import msgspec

from edge.kept import Kept, Refused, Wanted, read_kept, write_kept
from edge.settings import Box, EdgeSettings, settings_over
from edge.upload import TIMEOUT, back_off
from linli.errors import InputError, LinkError, LinliError, StoreError
from linli.events import ConfigReport
from linli.log import get_logger, redact

log = get_logger(__name__)

EVERY = 60.0
MOST_BYTES = 512 * 1024
_PATH = "/api/v1/edge-config"
_LONGEST_DETAIL = 256


class WantedConfig:
    """Knows the best configuration there is; `news` is set when a better one has come."""

    def __init__(
        self,
        config: Path,
        box: Box,
        key: str,
        client: httpx2.Client,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`config` is the box's own file; `box` names an ingest, which knows it by `key`."""
        assert box.ingest is not None
        self.news = threading.Event()
        self._config = config
        self._folder = box.folder
        self._url = box.ingest.url.rstrip("/") + _PATH
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Linli-Node": f"{box.node.site}/{box.node.id}",
        }
        self._client = client
        self._jitter = jitter
        self._lock = threading.Lock()
        self._kept = read_kept(box.folder)
        self._next: Wanted | None = None
        self._running = self._kept.good
        self._failures = 0

    def ask(self) -> float:
        """Ask once; return the seconds until the next time. Raises nothing that passes."""
        try:
            found = self._fetch()
        except LinkError as error:
            if self._failures == 0:
                log.warning("configuration: %s; going on with what is known", error)
            self._failures += 1
            return back_off(self._failures, self._jitter())
        self._failures = 0
        if found is not None:
            self._consider(found)
        return EVERY * (0.9 + 0.2 * self._jitter())

    def watch(self, stop: threading.Event) -> None:
        """Ask at once and then again and again until told to stop."""
        pause = 0.0
        while not stop.wait(pause):
            pause = self.ask()

    def something_to_run(self) -> bool:
        """Tell whether this box could start without being told anything new."""
        try:
            self.settings(self._kept.good)
        except InputError:
            return False
        return True

    def candidates(self) -> list[Wanted | None]:
        """Return what to try, best first; None is the box's own file alone."""
        with self._lock:
            self.news.clear()
            found, self._next = self._next, None
            return [found, self._kept.good] if found is not None else [self._kept.good]

    def coming(self) -> Wanted | None:
        """Return what is to be tried next, if anything."""
        with self._lock:
            return self._next

    def settings(self, wanted: Wanted | None) -> EdgeSettings:
        """Return the settings with a configuration. Raises InputError."""
        try:
            return settings_over(self._config, wanted)
        except InputError as error:
            if wanted is not None:
                raise
            hint = "It has neither been told by the ingest what to watch; see its registry"
            raise InputError(error.what, where=error.where, hint=hint) from None

    def runs(self, wanted: Wanted | None) -> None:
        """Note what a box has started with."""
        with self._lock:
            self._running = wanted

    def works(self, wanted: Wanted) -> None:
        """Remember what a box has run with for long enough."""
        with self._lock:
            refused = self._kept.refused
            newer = refused if refused and refused.version > wanted.version else None
            self._keep(Kept(good=wanted, refused=newer))

    def refuse(self, wanted: Wanted, why: LinliError) -> None:
        """Remember a version that cannot be used, so that it is not tried again."""
        detail = redact(str(why))[:_LONGEST_DETAIL]
        log.warning("configuration: version %d is not usable: %s", wanted.version, detail)
        with self._lock:
            refused = Refused(version=wanted.version, detail=detail)
            self._keep(Kept(good=self._kept.good, refused=refused))

    def report(self) -> ConfigReport:
        """Return which version runs, and which one was refused."""
        with self._lock:
            running, refused = self._running, self._kept.refused
        return ConfigReport(
            version=running.version if running else 0,
            refused=refused.version if refused else None,
            detail=refused.detail if refused else None,
        )

    def _fetch(self) -> Wanted | None:
        """Return a version that is new here. Raises LinkError."""
        with self._lock:
            others = (one.version for one in (self._next, self._running) if one is not None)
            known = max(self._kept.newest, *others, 0)
        headers = {**self._headers, **({"If-None-Match": f'"{known}"'} if known else {})}
        try:
            with self._client.stream("GET", self._url, headers=headers, timeout=TIMEOUT) as answer:
                if answer.status_code in (304, 404):
                    return None
                if answer.status_code != 200:
                    raise LinkError(f"HTTP {answer.status_code}", where=self._url)
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise LinkError("the answer is too large", where=self._url)
            found = msgspec.json.decode(body, type=Wanted)
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise LinkError(f"cannot be reached ({reason})", where=self._url) from None
        except msgspec.DecodeError:
            raise LinkError("the answer is no configuration", where=self._url) from None
        return found if found.version != known else None

    def _consider(self, found: Wanted) -> None:
        try:
            self.settings(found)
        except InputError as error:
            self.refuse(found, error)
            return
        with self._lock:
            self._next = found
        self.news.set()

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        try:
            write_kept(self._folder, kept)
        except StoreError as error:
            log.warning("configuration: %s; it is asked for again after a restart", error)
