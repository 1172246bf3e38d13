"""A network camera over HTTP: a stream of JPEGs, or one JPEG whenever it is asked for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

import httpx2

from edge.source.frame import Image
from edge.source.jpeg import decode
from edge.source.pace import Wait
from edge.source.parts import MOST_BYTES, Parts
from edge.source.stream import TIMEOUT, Stream
from linli.errors import LinkError

REDIRECTS = 3
_REFUSED = 401


def connect_http(address: str, *, every: float, patience: float = TIMEOUT) -> Stream:
    """Open the camera; what it answers says whether it streams or is asked again and again.

    A picture is asked for `every` so many seconds. Raises LinkError when it does not answer, or
    nothing comes of it, within `patience` seconds.
    """
    door = _Door(address, patience)
    try:
        return _stream_of(door, every)
    except LinkError:
        door.close()
        raise


def _stream_of(door: _Door, every: float) -> Stream:
    response = door.ask()
    said = Message()
    said["Content-Type"] = response.headers.get("Content-Type", "nothing")
    boundary = said.get_boundary()
    if said.get_content_maintype() == "multipart" and boundary:
        return MjpegStream(door, response, boundary)
    if said.get_content_type() == "image/jpeg":
        return SnapshotStream(door, door.whole(response), every)
    raise LinkError(f"the camera sends {said.get_content_type()}, neither JPEGs nor a stream")


class MjpegStream:
    """An endless answer made of JPEGs, each of which is decoded only when it is wanted."""

    def __init__(self, door: _Door, response: httpx2.Response, boundary: str) -> None:
        self._door = door
        self._chunks = response.iter_raw()
        self._parts = Parts(boundary)
        self._waiting: deque[bytes] = deque()
        self._jpeg = b""

    def grab(self) -> bool:
        """Step to the next picture. Raises LinkError when no whole one comes in time."""
        until = self._door.deadline()
        with _translated():
            while not self._waiting:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return False
                self._door.check(until)
                self._waiting.extend(self._parts.feed(chunk))
        self._jpeg = self._waiting.popleft()
        return True

    @property
    def codec(self) -> str:
        """JPEGs, one by one."""
        return "mjpeg"

    def picture(self) -> Image | None:
        """Return the picture stepped to, None when it cannot be decoded."""
        return decode(self._jpeg)

    def close(self) -> None:
        """Let go of the camera."""
        self._door.close()


class SnapshotStream:
    """A camera that gives one JPEG for each request."""

    def __init__(
        self, door: _Door, first: bytes, every: float, *, wait: Wait | None = None
    ) -> None:
        self._door = door
        self._first: bytes | None = first
        self._jpeg = b""
        self._every = every
        self._wait = wait or threading.Event().wait
        self._asked = time.monotonic()

    def grab(self) -> bool:
        """Ask for the next picture when it is time. Raises LinkError when none comes."""
        if self._first is not None:
            self._jpeg, self._first = self._first, None
            return True
        self._wait(max(self._asked + self._every - time.monotonic(), 0.0))
        self._asked = time.monotonic()
        response = self._door.ask()
        try:
            self._jpeg = self._door.whole(response)
        finally:
            response.close()
        return True

    @property
    def codec(self) -> str:
        """One JPEG for each request."""
        return "jpeg"

    def picture(self) -> Image | None:
        """Return the picture stepped to, None when it cannot be decoded."""
        return decode(self._jpeg)

    def close(self) -> None:
        """Let go of the camera."""
        self._door.close()


class _Door:
    """Asks one address; follows redirects and logs in without reading what comes with them.

    httpx2 would read the whole answer of each, however long a camera makes it.
    """

    def __init__(self, address: str, patience: float) -> None:
        self._patience = patience
        with _translated():
            url = httpx2.URL(address)
            self._login = _Login(url.username, url.password) if url.username else None
            self._url = url.copy_with(userinfo=b"")
            self._client = httpx2.Client(
                timeout=patience,
                trust_env=False,  # a camera stands in the same house, not behind a proxy
                headers={"Accept-Encoding": "identity", "User-Agent": "linli"},
            )

    def ask(self) -> httpx2.Response:
        """Return the answer, its body not yet read. Raises LinkError when it is of no use."""
        with _translated():
            request = self._client.build_request("GET", self._url)
            login = self._login
            for _ in range(REDIRECTS + 2):
                response = self._client.send(request, stream=True)
                if response.status_code == _REFUSED and login and self._is_home(request):
                    request, login = login.answer(request, response), None
                elif response.next_request is not None:
                    request = response.next_request
                else:
                    _check(response)
                    return response
                response.close()
        raise LinkError(f"the camera redirects more than {REDIRECTS} times")

    def whole(self, response: httpx2.Response) -> bytes:
        """Read a bounded answer to its end; raises LinkError when it is longer or slower."""
        until = self.deadline()
        body = bytearray()
        with _translated():
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise LinkError(
                        f"the camera sends a picture of more than {MOST_BYTES >> 20} MiB"
                    )
                self.check(until)
        return bytes(body)

    def deadline(self) -> float:
        """Return when patience for one picture ends."""
        return time.monotonic() + self._patience

    def check(self, until: float) -> None:
        """Raise LinkError when that is over."""
        if time.monotonic() > until:
            raise LinkError(f"no whole picture came in {self._patience:g} s")

    def close(self) -> None:
        """Let go of the camera."""
        self._client.close()

    def _is_home(self, request: httpx2.Request) -> bool:
        """Tell whether a password may go there: to the camera itself, not to where it points."""
        return request.url.origin == self._url.origin


class _Login:
    """Answers what the camera asks for, Digest before Basic, and says nothing unasked."""

    def __init__(self, name: str, password: str) -> None:
        self._digest = httpx2.DigestAuth(name, password)
        self._basic = httpx2.BasicAuth(name, password)

    def answer(self, request: httpx2.Request, refusal: httpx2.Response) -> httpx2.Request:
        """Return the request with what a refusal asks for; the same when that is unknown."""
        asked = [one.lower() for one in refusal.headers.get_list("WWW-Authenticate")]
        if any(one.startswith("digest ") for one in asked):
            flow = self._digest.auth_flow(request)
            next(flow)
            return flow.send(refusal)
        if any(one.startswith("basic") for one in asked):
            return next(self._basic.auth_flow(request))
        return request


def _check(response: httpx2.Response) -> None:
    if response.status_code == _REFUSED:
        raise LinkError("the camera refuses user and password (HTTP 401)")
    if not response.is_success:
        raise LinkError(f"the camera says HTTP {response.status_code}")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what a camera may do wrong into one kind of error, without a word of its address."""
    try:
        yield
    except httpx2.ReadTimeout:
        raise LinkError("the camera sends nothing more") from None
    except httpx2.RemoteProtocolError:
        raise LinkError("what the camera answers is no HTTP") from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        raise LinkError("the address cannot be asked, or leads where no camera is") from None
    except (httpx2.HTTPError, httpx2.StreamError, OSError):
        raise LinkError("the camera does not answer") from None
    except (ValueError, KeyError, NotImplementedError):  # a login that httpx2 does not understand
        raise LinkError("the camera asks for a login that is not understood") from None
