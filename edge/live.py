"""Where pictures of a live view go: the ingest, one at a time; what it has not got is not kept."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Literal, Protocol, Self

import httpx2
import msgspec

from edge.messages import Address
from edge.upload import open_client
from linli.errors import LinkError
from linli.live import MEDIA_TYPE, LiveFrame

TIMEOUT = 4.0
"""Seconds; a picture that takes longer is no longer live."""
Answer = Literal["taken", "over"]
"""`over`: nobody looks any more."""
_KEPT = 64  # of the fake


class FrameSink(Protocol):
    """Takes pictures of one node's cameras; a context manager, for one thread."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def put(self, device: str, frame: LiveFrame) -> Answer:
        """Hand over one picture. Raises LinkError when it was not taken."""
        ...


class IngestSink:
    """The real one: the ingest over HTTPS, with the node's key."""

    def __init__(self, address: Address, url: str, key: str) -> None:
        """`url` is the ingest's root."""
        self._address = address
        self._url = url.rstrip("/")
        self._key = key
        self._client: httpx2.Client | None = None

    def __enter__(self) -> Self:
        self._client = open_client()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def put(self, device: str, frame: LiveFrame) -> Answer:
        """Hand over one picture. Raises LinkError when it was not taken."""
        if self._client is None:
            raise LinkError("is not open", where=self._url)
        try:
            answer = self._client.put(
                f"{self._url}/api/v1/live/{device}",
                content=msgspec.msgpack.encode(frame),
                headers={
                    "Authorization": f"Bearer {self._key}",
                    "Linli-Node": f"{self._address.site}/{self._address.node}",
                    "Content-Type": MEDIA_TYPE,
                },
                timeout=TIMEOUT,
            )
        except httpx2.HTTPError as error:
            text = f"cannot be reached ({str(error) or type(error).__name__})"
            raise LinkError(text, where=self._url) from None
        if answer.status_code == httpx2.codes.GONE:
            return "over"
        if not answer.is_success:
            raise LinkError(f"takes no live picture (HTTP {answer.status_code})", where=self._url)
        return "taken"


class MemorySink:
    """The fake, for tests; `over` are devices that nobody looks at, `away` takes nothing."""

    def __init__(self) -> None:
        self.frames: deque[tuple[str, LiveFrame]] = deque(maxlen=_KEPT)
        self.over: set[str] = set()
        self.away = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held open."""

    def put(self, device: str, frame: LiveFrame) -> Answer:
        """Keep one picture. Raises LinkError while away."""
        if self.away:
            raise LinkError("is away")
        if device in self.over:
            return "over"
        self.frames.append((device, frame))
        return "taken"
