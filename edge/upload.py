"""Pictures' way to the ingest: an idempotent PUT each, kept here until the answer is 2xx."""

from __future__ import annotations

import base64
import email.utils
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx2

from edge.messages import Address
from edge.pictures import EvidenceStore, Picture
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger

log = get_logger(__name__)

TIMEOUT = 10.0
FIRST_RETRY = 1.0
LONGEST_RETRY = 60.0
LONGEST_RETRY_AFTER = 3600.0
IDLE = 60.0
_NEVER = frozenset({400, 409, 413, 415})
_NODE_WIDE = frozenset({401, 403, 429, 503})


@dataclass(slots=True)
class UploadCounts:
    """What happened since the start."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(slots=True)
class _Retry:
    tries: int
    due: float


def open_client() -> httpx2.Client:
    """Return the client for pictures; the caller closes it.

    It asks the ingest itself, whatever `http_proxy` or `.netrc` say: nobody else is to have the
    node's key. Only `SSL_CERT_FILE` and `SSL_CERT_DIR` count, for a community's own authority.
    """
    return httpx2.Client(trust_env=False, verify=httpx2.create_ssl_context())


class Uploader:
    """Sends what waits, oldest first; everything but `wake` belongs to one thread."""

    def __init__(
        self,
        store: EvidenceStore,
        client: httpx2.Client,
        clock: Clock,
        *,
        address: Address,
        url: str,
        key: str,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`url` is the ingest's root, `key` the node's; `jitter` gives 0..1 and spreads retries."""
        self.counts = UploadCounts()
        self._store = store
        self._client = client
        self._clock = clock
        self._address = address
        self._url = url.rstrip("/")
        self._key = key
        self._jitter = jitter
        self._awake = threading.Event()
        self._retries: dict[str, _Retry] = {}
        self._failures = 0
        self._hold_until = 0.0

    def wake(self) -> None:
        """Tell that there is something to send, or to stop."""
        self._awake.set()

    def run(self, stop: threading.Event) -> None:
        """Take turns until told to stop. Raises StoreError."""
        while True:
            self._awake.clear()
            if stop.is_set():
                return
            pause = self.turn()
            if pause > 0:
                self._awake.wait(pause)

    def turn(self) -> float:
        """Send at most one picture; return the seconds until the next turn may have work."""
        now = self._clock.monotonic()
        if now < self._hold_until:
            return self._hold_until - now
        waiting = self._store.waiting()
        self._forget_gone(waiting)
        for picture in waiting:
            retry = self._retries.get(picture.id)
            if retry is None or retry.due <= now:
                self._send(picture)
                return 0.0
        return min((retry.due - now for retry in self._retries.values()), default=IDLE)

    def _send(self, picture: Picture) -> None:
        jpeg = self._store.read(picture.id)
        if jpeg is None:
            self._store.remove(picture.id)
            return
        try:
            response = self._put(picture, jpeg)
        except LinkError as error:
            self._later(picture, str(error), node_wide=True)
            return
        status = response.status_code
        if response.is_success:
            self._store.remove(picture.id)
            self._succeeded()
        elif status in _NEVER:
            self.counts.dead += 1
            self._store.bury(picture.id, f"HTTP {status}")
        else:
            after = _retry_after(response, self._clock.now())
            self._later(
                picture, f"HTTP {status}", node_wide=status in _NODE_WIDE or after > 0, after=after
            )

    def _put(self, picture: Picture, jpeg: bytes) -> httpx2.Response:
        digest = base64.b64encode(bytes.fromhex(picture.sha256)).decode()
        try:
            return self._client.put(
                f"{self._url}/api/v1/evidence/{picture.id}",
                content=jpeg,
                headers={
                    "Authorization": f"Bearer {self._key}",
                    "Content-Type": "image/jpeg",
                    "Content-Digest": f"sha-256=:{digest}:",
                    "Linli-Node": f"{self._address.site}/{self._address.node}",
                    "Linli-Device": picture.device,
                    "Linli-Redaction": picture.redaction,
                    "Linli-Expires": picture.expires.isoformat().replace("+00:00", "Z"),
                },
                timeout=TIMEOUT,
            )
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise LinkError(f"cannot be reached ({reason})", where=self._url) from None

    def _succeeded(self) -> None:
        self.counts.sent += 1
        if self._failures:
            log.warning("upload: pictures are taken again after %d failures", self._failures)
        self._failures = 0

    def _later(self, picture: Picture, why: str, *, node_wide: bool, after: float = 0.0) -> None:
        if self._failures == 0:
            log.warning("upload: picture not taken: %s; kept, trying on", why)
        self.counts.failed += 1
        self._failures += 1
        retry = self._retries.get(picture.id)
        tries = retry.tries + 1 if retry else 1
        wait = max(after, back_off(self._failures if node_wide else tries, self._jitter()))
        due = self._clock.monotonic() + wait
        self._retries[picture.id] = _Retry(tries, due)
        if node_wide:
            self._hold_until = due

    def _forget_gone(self, waiting: tuple[Picture, ...]) -> None:
        if self._retries:
            here = {picture.id for picture in waiting}
            self._retries = {
                known: retry for known, retry in self._retries.items() if known in here
            }


def back_off(failure: int, random_fraction: float) -> float:
    """Return seconds to wait after failure `failure` ≥ 1: at most 2 at first, then up to 60."""
    ceiling = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(failure, 10))
    return ceiling * (0.5 + random_fraction / 2)


def _retry_after(response: httpx2.Response, now: datetime) -> float:
    """Return the seconds the ingest asks us to wait, 0 when it does not."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return min(LONGEST_RETRY_AFTER, float(text))
    try:
        moment = email.utils.parsedate_to_datetime(text)
        seconds = (moment - now).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return min(LONGEST_RETRY_AFTER, max(0.0, seconds))
