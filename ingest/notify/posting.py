"""One HTTP call to a provider, and every way it can go wrong as a value."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from typing import Any

import httpx2
import msgspec

from ingest.notify.message import Failed, Outcome, Sent
from ingest.notify.reach import reach
from linli.errors import InputError

TIMEOUT = httpx2.Timeout(10, connect=5)
LONGEST_ANSWER = 64 * 1024
LONGEST = 30.0
"""Seconds for an answer as a whole: one that comes byte by byte would hold its channel for ever."""
_LATER = frozenset({408, 425, 429})
"""Statuses of a request that may be taken another time."""
_WORDS = 200


class Answer(msgspec.Struct, frozen=True):
    """What a provider said: a status below 400 and its JSON object, empty when it is none."""

    status: int
    fields: dict[str, Any]


class _Guarded(httpx2.HTTPTransport):
    """Goes only where `reach` lets it, to the very address that was judged.

    Kept connections would be shared by names at one address: there are none.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        none_kept = httpx2.Limits(max_keepalive_connections=0)
        super().__init__(verify=_authorities(), trust_env=False, limits=none_kept)
        self._allowed = [ip_network(one) for one in networks]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if "sni_hostname" not in request.extensions:  # else its sender has judged it
            try:
                place = reach(str(request.url), self._allowed)
            except OSError as error:
                raise httpx2.ConnectError("its name is not known", request=request) from error
            request.url = httpx2.URL(place.url)
            request.extensions = {**request.extensions, "sni_hostname": place.name}
        return super().handle_request(request)


def open_client(networks: Sequence[str] | None = None) -> httpx2.Client:
    """Return a client that follows no redirects and takes no proxy from the environment.

    With `networks` it goes to none inside but those: for addresses that people write down.
    """
    return httpx2.Client(
        timeout=TIMEOUT,
        headers={"accept-encoding": "identity"},  # what is read is what came: no bomb, no wait
        trust_env=False,
        verify=_authorities(),
        follow_redirects=False,
        transport=None if networks is None else _Guarded(networks),
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom TLS believes: read once, since that takes as long as all else of a client."""
    return httpx2.create_ssl_context()


def post(
    client: httpx2.Client,
    url: str,
    *,
    body: bytes | None = None,
    fields: Mapping[str, Any] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    extensions: Mapping[str, Any] | None = None,
) -> Answer | Failed:
    """Send JSON `fields` (or raw `body`); addresses and keys never reach the words of a failure."""
    content = msgspec.json.encode(fields) if fields is not None else body
    kind = {"content-type": "application/json; charset=utf-8"} if fields is not None else {}
    try:
        with client.stream(
            method,
            url,
            content=content,
            params=query,
            headers={**kind, **(headers or {})},
            extensions=dict(extensions or {}),
        ) as response:
            raw = _read(response)
    except InputError as error:  # of a client that goes to no address inside
        return Failed(code="address", words=error.what, advice="never")
    except httpx2.TimeoutException:
        return Failed(code="timeout", words="no answer in time", advice="again")
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        return Failed(code="address", words="not a web address", advice="never")
    except httpx2.HTTPError as error:
        return Failed(code="network", words=type(error).__name__, advice="again")
    status = response.status_code
    if status >= 300:
        return _refused(response, raw)
    return Answer(status, _fields(raw))


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's own codes mean; 0 is success, whatever is not named cannot be sent.

    `names` are the fields that may hold the code, `paused` how long to rest, `again` to try later.
    """

    names: tuple[str, ...]
    paused: dict[int, timedelta]
    again: frozenset[int] = frozenset({-1})
    words: dict[int, str] = {}


def judged(answer: Answer | Failed, codes: Codes) -> Outcome:
    """Read the code inside an answer: many say HTTP 200 to what they refuse."""
    if isinstance(answer, Failed):
        return answer
    fields = answer.fields
    code = next((fields[name] for name in codes.names if name in fields), None)
    if code == 0:
        return Sent()
    if not isinstance(code, int):
        return Failed(code="answer", words="an answer that holds no code", advice="again")
    words = codes.words.get(code) or said(fields) or "refused"
    if code in codes.paused:
        return Failed(code=str(code), words=words, advice="pause", after=codes.paused[code])
    return Failed(code=str(code), words=words, advice="again" if code in codes.again else "never")


def _read(response: httpx2.Response) -> bytes:
    parts, size = [], 0
    until = time.monotonic() + LONGEST
    for part in response.iter_raw():
        if time.monotonic() > until:
            raise httpx2.ReadTimeout("an answer without end", request=response.request)
        size += len(part)
        if size > LONGEST_ANSWER:
            break
        parts.append(part)
    return b"".join(parts)


def _fields(raw: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _refused(response: httpx2.Response, raw: bytes) -> Failed:
    status = response.status_code
    words = said(_fields(raw)) or response.reason_phrase
    code = f"http-{status}"
    if status in _LATER or status >= 500:
        return Failed(code=code, words=words, advice="again", after=_wait(response))
    if 300 <= status < 400:
        return Failed(code=code, words="it sends elsewhere, which is not followed", advice="never")
    return Failed(code=code, words=words, advice="never")


def said(fields: Mapping[str, Any]) -> str:
    """Return the words of an error answer, cut."""
    for name in ("errmsg", "msg", "message", "detail", "error", "title"):
        found = fields.get(name)
        if isinstance(found, str) and found:
            return " ".join(found.split())[:_WORDS]
    return ""


def _wait(response: httpx2.Response) -> timedelta | None:
    given = response.headers.get("retry-after", "")
    return timedelta(seconds=min(int(given), 3600)) if given.isascii() and given.isdigit() else None
