"""The pictures in a stream of `multipart/x-mixed-replace`, however its bytes come in."""

from __future__ import annotations

import re
from typing import Literal

from linli.errors import LinkError

MOST_BYTES = 8 * 1024 * 1024
_MOST_HEAD = 8 * 1024
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:\s*([0-9]{1,9})\s*$", re.IGNORECASE | re.MULTILINE)
_BEGINS, _ENDS = b"\xff\xd8", b"\xff\xd9"
_PADDING = b"\r\n\0- "


class Parts:
    """Takes bytes, gives JPEGs; holds at most MOST_BYTES of them.

    Cameras write boundaries and lengths as they like: the length of a part is believed when the
    picture ends there, otherwise the part ends where the next one begins.
    """

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"--" + boundary.lstrip("-").encode("latin-1", "replace")
        self._buffer = bytearray()
        self._inside: Literal["gap", "head", "body"] = "gap"
        self._length: int | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the JPEGs that `data` completes. Raises LinkError when one is too big."""
        self._buffer += data
        pictures = []
        while (part := self._next()) is not None:
            begin, end = part.find(_BEGINS), part.rfind(_ENDS)
            if 0 <= begin < end:
                pictures.append(part[begin : end + len(_ENDS)])
        if len(self._buffer) > MOST_BYTES:
            raise LinkError(f"the camera sends a picture of more than {MOST_BYTES >> 20} MiB")
        return pictures

    def _next(self) -> bytes | None:
        if self._inside == "gap" and not self._skip_gap():
            return None
        if self._inside == "head" and not self._skip_head():
            return None
        return self._cut_body() if self._inside == "body" else None

    def _skip_gap(self) -> bool:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            del self._buffer[: -len(self._delimiter)]
            return False
        del self._buffer[: at + len(self._delimiter)]
        self._inside = "head"
        return True

    def _skip_head(self) -> bool:
        found = _BLANK_LINE.search(self._buffer, 0, _MOST_HEAD)
        if found is None:
            if len(self._buffer) >= _MOST_HEAD:
                self._inside = "gap"
            return False
        length = _LENGTH.search(bytes(self._buffer[: found.end()]).replace(b"\r", b""))
        self._length = int(length[1]) if length else None
        del self._buffer[: found.end()]
        self._inside, self._searched = "body", 0
        return True

    def _cut_body(self) -> bytes | None:
        length = self._length
        if length is not None and len(self._buffer) >= length:
            if bytes(self._buffer[:length]).rstrip(_PADDING).endswith(_ENDS):
                return self._cut(length)
            self._length = None
        at = self._buffer.find(self._delimiter, self._searched)
        if at >= 0:
            return self._cut(at)
        self._searched = max(len(self._buffer) - len(self._delimiter), 0)
        return None

    def _cut(self, length: int) -> bytes:
        part = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._inside = "gap"
        return part
