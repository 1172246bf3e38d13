"""Pictures' way to the ingest: an idempotent PUT each, kept here until the answer is 2xx.

They are sealed with a key that the ingest is asked for; it opens them.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx2
import msgspec

from edge.messages import Address
from edge.pictures import EvidenceStore, Picture
from edge.sealing import Seal
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger
from linli.seal import SEALED

log = get_logger(__name__)

TIMEOUT = 10.0
FIRST_RETRY = 1.0
LONGEST_RETRY = 60.0
LONGEST_RETRY_AFTER = 3600.0
IDLE = 60.0
KEY_EVERY = 3600.0
"""Seconds after which the ingest is asked whether its key for pictures is another one."""
_NEVER = frozenset({400, 409, 413, 415})
_NODE_WIDE = frozenset({401, 403, 429, 503})


@dataclass(slots=True)
class UploadCounts:
    """What happened since the start."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


class _Key(msgspec.Struct, frozen=True):
    """The ingest's key for pictures, base64."""

    key: str


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
        seal: Seal,
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
        self._seal = seal
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
        self._key_due = 0.0

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
        if not self._knows_key(now):
            return self._hold_until - now
        waiting = self._store.waiting()
        self._forget_gone(waiting)
        for picture in waiting:
            retry = self._retries.get(picture.id)
            if retry is None or retry.due <= now:
                self._send(picture)
                return 0.0
        return min((retry.due - now for retry in self._retries.values()), default=IDLE)

    def _knows_key(self, now: float) -> bool:
        """Ask for the ingest's key when it is time; an old one serves while there is no answer."""
        if now < self._key_due:
            return True
        try:
            self._seal.take(self._fetch_key())
        except LinkError as error:
            if not self._seal.known:
                self._hold(str(error), back_off(self._failures + 1, self._jitter()))
                return False
        self._key_due = now + KEY_EVERY
        self._store.settle()
        return True

    def _send(self, picture: Picture) -> None:
        sealed = self._store.read(picture.id)
        if sealed is None:
            self._store.remove(picture.id)
            return
        try:
            response = self._put(picture, sealed)
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

    def _fetch_key(self) -> bytes:
        """Return the ingest's key for pictures. Raises LinkError."""
        try:
            answer = self._client.get(
                f"{self._url}/api/v1/evidence-key", headers=self._who(), timeout=TIMEOUT
            )
            if answer.status_code != 200:
                raise LinkError(f"gives no key for pictures (HTTP {answer.status_code})")
            return base64.b64decode(
                msgspec.json.decode(answer.content, type=_Key).key, validate=True
            )
        except httpx2.HTTPError as error:
            raise self._away(error) from None
        except (msgspec.DecodeError, binascii.Error):
            raise LinkError("gives no key for pictures", where=self._url) from None

    def _who(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._key}",
            "Linli-Node": f"{self._address.site}/{self._address.node}",
        }

    def _away(self, error: httpx2.HTTPError) -> LinkError:
        return LinkError(
            f"cannot be reached ({str(error) or type(error).__name__})", where=self._url
        )

    def _put(self, picture: Picture, sealed: bytes) -> httpx2.Response:
        digest = base64.b64encode(hashlib.sha256(sealed).digest()).decode()
        try:
            return self._client.put(
                f"{self._url}/api/v1/evidence/{picture.id}",
                content=sealed,
                headers={
                    **self._who(),
                    "Content-Type": SEALED,
                    "Content-Digest": f"sha-256=:{digest}:",
                    "Linli-Device": picture.device,
                    "Linli-Redaction": picture.redaction,
                    "Linli-Expires": picture.expires.isoformat().replace("+00:00", "Z"),
                    **({} if picture.trial is None else {"Linli-Trial": picture.trial}),
                },
                timeout=TIMEOUT,
            )
        except httpx2.HTTPError as error:
            raise self._away(error) from None

    def _succeeded(self) -> None:
        self.counts.sent += 1
        if self._failures:
            log.warning("upload: pictures are taken again after %d failures", self._failures)
        self._failures = 0

    def _later(self, picture: Picture, why: str, *, node_wide: bool, after: float = 0.0) -> None:
        retry = self._retries.get(picture.id)
        tries = retry.tries + 1 if retry else 1
        failure = self._failures + 1 if node_wide else tries
        wait = max(after, back_off(failure, self._jitter()))
        self._retries[picture.id] = _Retry(tries, self._clock.monotonic() + wait)
        self._hold(why, wait if node_wide else 0.0)

    def _hold(self, why: str, wait: float) -> None:
        if self._failures == 0:
            log.warning("upload: picture not taken: %s; kept, trying on", why)
        self.counts.failed += 1
        self._failures += 1
        self._hold_until = max(self._hold_until, self._clock.monotonic() + wait)

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
