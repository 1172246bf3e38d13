"""Where lines go: one seam, the two ways of InfluxDB behind it, and the fake.

The client library and `httpx2` are imported when first used: an ingest without InfluxDB pays
nothing for them.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from ingest.settings import Influx
from linli.errors import StoreError

if TYPE_CHECKING:
    import httpx2
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import WriteApi

TIMEOUT = 30.0
MOST_WORDS = 300
MOST_WAIT = 600.0
"""Seconds that a server may ask us to wait."""
_BAD_POINTS = frozenset({400, 413, 422})
_OBJECT = re.compile(r"<[^>]* object at 0x[0-9a-f]+>:? ?|\w+\([^()]*\): ")
_AGAIN = frozenset({408, 425})


class Refused(StoreError):  # noqa: N818 - what the server did
    """The server was there and said that the points are bad, some of them or all."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words, where=f"InfluxDB answers {status}")
        self.status = status


class Unavailable(StoreError):  # noqa: N818 - what the server is
    """Nothing is known to be stored; keep everything. `person`: waiting alone will not help.

    `after` is how many seconds the server asked us to wait, None when it did not.
    """

    def __init__(self, words: str, *, after: float | None = None, person: bool = False) -> None:
        super().__init__(words, where="InfluxDB")
        self.after = after
        self.person = person


class Endpoint(Protocol):
    """Takes lines; used by one thread."""

    def write(self, text: str) -> None:
        """Return when all lines are stored. Raises Refused and Unavailable."""
        ...

    def close(self) -> None:
        """Let go of connections; nothing is waiting to be sent."""
        ...


class V2Endpoint:
    """`/api/v2/write` (InfluxDB 2, 3, 1.8) by the client library, one request per call.

    Never its batching mode: that forgets what it could not write.
    """

    def __init__(self, settings: Influx, token: str | None) -> None:
        self._settings = settings
        self._token = token
        self._client: InfluxDBClient | None = None
        self._api: WriteApi | None = None

    def write(self, text: str) -> None:
        """Return when all lines are stored. Raises Refused and Unavailable."""
        from influxdb_client.client.exceptions import InfluxDBError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        api = self._api or self._open()
        settings = self._settings
        try:
            api.write(settings.bucket, settings.org, _bytes(text))
        except InfluxDBError as error:
            response = error.response
            if response is None:
                raise Unavailable(_plain(str(error.message))) from None
            judge(response.status, _words(response.data or b""), error.retry_after)
        except (HTTPError, OSError) as error:
            raise Unavailable(_failure(error)) from None

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = self._api = None

    def _open(self) -> WriteApi:
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415
        from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415

        settings = self._settings
        self._client = InfluxDBClient(
            settings.url,
            token=self._token or "",
            org=settings.org,
            timeout=int(TIMEOUT * 1000),
            enable_gzip=_far(settings.url or ""),
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        return self._api


class V1Endpoint:
    """`/write` of InfluxDB 1, which 2 and 3 also know."""

    def __init__(self, settings: Influx, token: str | None) -> None:
        self._settings = settings
        self._token = token
        self._client: httpx2.Client | None = None

    def write(self, text: str) -> None:
        """Return when all lines are stored. Raises Refused and Unavailable."""
        import httpx2  # noqa: PLC0415

        content, headers = _bytes(text), {"Content-Type": "text/plain; charset=utf-8"}
        if _far(self._settings.url or ""):
            content = gzip.compress(content, 5)
            headers["Content-Encoding"] = "gzip"
        params = {**database(self._settings), "precision": "ns"}
        try:
            client = self._client = self._client or open_client(self._settings, self._token)
            answer = client.post("/write", params=params, content=content, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise Unavailable(_failure(error)) from None
        judge(answer.status_code, _words(answer.content), answer.headers.get("Retry-After"))

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class FakeEndpoint:
    """Keeps lines as InfluxDB does: by series and time. `answer` may raise what a server says."""

    def __init__(self, answer: Callable[[list[str]], None] | None = None) -> None:
        self.answer = answer
        self.stored: dict[str, str] = {}
        self.calls = 0

    def write(self, text: str) -> None:
        """Keep all lines, or raise what `answer` raises and keep none."""
        self.calls += 1
        lines = text.split("\n")
        if self.answer is not None:
            self.answer(lines)
        for line in lines:
            head, _, rest = line.partition(" ")
            self.stored[f"{head} {rest.rpartition(' ')[2]}"] = line

    def close(self) -> None:
        """Do nothing."""


def endpoint_of(settings: Influx) -> Endpoint:
    """Return the endpoint that the settings name. Raises InputError when a secret is missing."""
    kind = V1Endpoint if settings.api == "v1" else V2Endpoint
    return kind(settings, settings.token())


def open_client(settings: Influx, token: str | None) -> httpx2.Client:
    """Return a client with the address and the credentials."""
    import httpx2  # noqa: PLC0415

    headers: dict[str, str] = {}
    auth: tuple[str, str] | None = None
    if settings.username is not None:
        auth = (settings.username, token or "")
    elif token is not None:
        headers["Authorization"] = f"Token {token}"
    return httpx2.Client(
        base_url=settings.url or "", timeout=TIMEOUT, headers=headers, auth=auth, trust_env=False
    )


def database(settings: Influx) -> dict[str, str]:
    """Return the query parameters of version 1 that name the bucket: `db`, or `db/rp`."""
    name, found, policy = settings.bucket.partition("/")
    return {"db": name, "rp": policy} if found else {"db": name}


def judge(status: int, words: str, wait: str | None, *, now: datetime | None = None) -> None:
    """Return when an answer means stored. Raises Refused and Unavailable.

    `wait` is its Retry-After: seconds or a date.
    """
    if 200 <= status < 300:
        return
    if status in _BAD_POINTS:
        raise Refused(status, words)
    said = f"answers {status}: {words}" if words else f"answers {status}"
    if status >= 429 or status in _AGAIN:
        raise Unavailable(said, after=_seconds(wait, now or datetime.now(UTC)))
    raise Unavailable(said, person=True)


def _seconds(wait: str | None, now: datetime) -> float | None:
    if not wait:
        return None
    try:
        seconds = float(wait)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(wait) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MOST_WAIT) if seconds == seconds else None  # noqa: PLR0124 - nan


def _words(body: bytes | str) -> str:
    """Return what a server says, whichever version it is."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        said = json.loads(text)
    except ValueError:
        return _plain(text)
    if isinstance(said, dict):
        for name in ("error", "message"):
            if isinstance(said.get(name), str):
                return _plain(said[name])
    return _plain(text)


def _failure(error: Exception) -> str:
    """Return the same words for the same failure: no address of an object in them."""
    return _plain(f"cannot be reached ({_OBJECT.sub('', str(error)) or type(error).__name__})")


def _plain(text: str) -> str:
    return " ".join(text.split())[:MOST_WORDS]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _far(url: str) -> bool:
    """Tell whether packing pays: not on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"
