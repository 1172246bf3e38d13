"""Getting one file by HTTP into a part that a later try can go on with.

What arrives is not believed here: the caller hashes it before it gets its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from linli.errors import InputError, LinkError, StoreError

MOST = 1 << 30  # bytes taken when nobody knows the size
TRIES = 8
IN_VAIN = 3  # tries in a row that bring nothing
TIMEOUT = httpx2.Timeout(30, connect=10)
LONGEST_PAUSE = 30.0
_PARTIAL, _NO_SUCH_RANGE = 206, 416
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_FROM = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[int, int | None], object]
Pause = Callable[[float, str], object]


@dataclass(frozen=True, slots=True)
class Part:
    """What has come so far, and the server's mark by which the rest can be told to belong to it."""

    path: Path

    @property
    def mark_path(self) -> Path:
        """The file that holds the mark: an ETag or a date."""
        return self.path.with_suffix(".mark")

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def mark(self) -> str | None:
        """The server's mark of what has come, None when it gave none."""
        return self.mark_path.read_text(encoding="latin-1") if self.mark_path.exists() else None

    def begin(self, mark: str | None) -> None:
        """Forget what came; what comes now bears `mark`."""
        self.path.write_bytes(b"")
        self.mark_path.unlink(missing_ok=True)
        if mark is not None:
            self.mark_path.write_text(mark, encoding="ascii")

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
        self.mark_path.unlink(missing_ok=True)


def open_client() -> httpx2.Client:
    """Return the client for public files, by the environment's proxies. The caller closes it."""
    return httpx2.Client(
        follow_redirects=True,
        timeout=TIMEOUT,
        verify=httpx2.create_ssl_context(),
        headers={"Accept-Encoding": "identity", "User-Agent": "linli"},
    )


class _Passing(Exception):  # noqa: N818 - not an error yet: the next try may do
    """Why one try ended early."""


def fetch(
    url: str,
    part: Part,
    *,
    client: httpx2.Client,
    size: int | None,
    progress: Progress,
    pause: Pause,
) -> None:
    """Fetch `url` into `part`, going on where it ends.

    `pause` is given seconds to wait and why. Never takes more than `size` bytes. Raises InputError
    for what another try cannot mend, LinkError when too many tries failed, StoreError when the disk
    refuses; the part stays.
    """
    in_vain = 0
    for attempt in range(TRIES):
        before = part.size
        try:
            with _translated(url):
                _try(url, part, client, size, progress)
        except _Passing as error:
            why = str(error)
        else:
            return
        in_vain = in_vain + 1 if part.size <= before else 0
        if in_vain == IN_VAIN:
            break
        pause(min(2.0**attempt, LONGEST_PAUSE), why)
    got = f"; {part.size:,} bytes are kept" if part.size else ""
    raise LinkError(
        f"cannot be fetched ({why}){got}",
        where=url,
        hint="Run the same command again to go on, or take the file --from a folder",
    )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
        raise InputError(f"cannot be fetched ({error})", where=url, hint="Check it") from None
    except httpx2.HTTPError as error:
        raise _Passing(str(error) or type(error).__name__) from None
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where="models folder") from None


def _try(url: str, part: Part, client: httpx2.Client, size: int | None, progress: Progress) -> None:
    have = part.size
    if size is not None and have >= size:
        if have == size:
            return
        part.remove()
        have = 0
    with client.stream("GET", url, headers=_range(part, have)) as response:
        have, total = _accepted(url, response, part, have)
        if size is not None and total not in {None, size}:
            part.remove()
            raise InputError(
                f"the server's file has {total:,} bytes, the catalogue says {size:,}",
                where=url,
                hint="It is another file; nothing was kept",
            )
        limit = size or MOST
        if (total or 0) > limit:
            raise InputError(f"{total:,} bytes are more than a model has", where=url)
        with part.path.open("ab") as file:
            # Not in chunks of a size of ours: what does not fill one would be lost with the link.
            for chunk in response.iter_raw():
                have += len(chunk)
                if have > limit:
                    part.remove()
                    raise InputError(
                        f"the server sends more than {limit:,} bytes",
                        where=url,
                        hint="It is another file; nothing was kept",
                    )
                file.write(chunk)
                progress(have, size or total)
            file.flush()
            os.fsync(file.fileno())
    if have < (size or total or 0):
        raise _Passing(f"ended after {have:,} bytes")


def _range(part: Part, have: int) -> dict[str, str]:
    if not have:
        return {}
    mark = part.mark
    return {"Range": f"bytes={have}-"} | ({"If-Range": mark} if mark else {})


def _accepted(url: str, response: httpx2.Response, part: Part, have: int) -> tuple[int, int | None]:
    """Return the bytes that stand and the whole size, if known; begins anew when it must."""
    status = response.status_code
    if status == _NO_SUCH_RANGE:
        part.remove()
        raise _Passing("the file at the server is another one now")
    if status in _PASSING:
        raise _Passing(f"HTTP {status}")
    if not response.is_success:
        raise InputError(
            f"the server says HTTP {status}",
            where=url,
            hint="Check the address, or take the file --from a folder or mirror",
        )
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise InputError("the server packs the file and cannot send it as it is", where=url)
    if status == _PARTIAL:
        found = _FROM.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found.group(1)) != have:
            part.remove()
            raise _Passing("the server sends another piece than the one asked for")
        return have, None if found.group(2) == "*" else int(found.group(2))
    length = response.headers.get("Content-Length", "")
    part.begin(_mark(response))
    return 0, int(length) if length.isdecimal() else None


def _mark(response: httpx2.Response) -> str | None:
    """Return what tells this very content from another: a strong ETag, else a date."""
    tag: str = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/") and tag.isascii():
        return tag
    date: str = response.headers.get("Last-Modified", "")
    return date if date.isascii() and date else None
