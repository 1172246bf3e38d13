"""The socket that the client library is given: it sees all but the messages themselves.

The library asks for a packet in four reads, builds an object of forty properties for each message
of MQTT 5, and sends each acknowledgement by itself; that is most of what a message costs. So this
socket reads what has come at once, hands messages straight to the link, and the library all the
rest, connecting, subscriptions, keeping alive, answers to what we publish, packet by packet. What
is sent gathers until `flush`. The library needs no help for that: it wraps its socket by any
context it is given.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable

from linli.mqtt.link import Delivery
from linli.mqtt.packets import PUBLISH, MalformedError, body_of, delivery_of

CHUNK = 64 * 1024
LARGEST = 128 * 1024
MOST_UNSENT = 1024 * 1024
PUBACK = b"\x40\x02"
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Tap:
    """A connected socket, plain or TLS, for one thread.

    `farewell` is how many seconds `close` may take to send what waits and to hear the other side
    out: a socket closed over unread bytes resets the connection, and the broker may then drop our
    last messages and speak the will.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._unread = b""
        self._missing = 0
        self._skip = 0
        self._unsent = bytearray()
        self._packet = b""
        self._ended = False
        self.farewell = 0.0

    @property
    def unsent(self) -> int:
        """How many bytes wait to be sent."""
        return len(self._unsent)

    def read(
        self,
        on_message: Callable[[Delivery], None],
        on_other: Callable[[], object],
        *,
        connection: int,
        five: bool,
    ) -> None:
        """Read once; tell of each message, and of each other packet when `recv` has it ready.

        A message longer than LARGEST bytes loses its end, so that whoever is told can refuse it
        for its size: not taken at all, it would come again for ever. Raises MalformedError; call
        no more then but `close`.
        """
        data = self._unread + self._wanted(self._receive())
        at, self._unread = 0, b""
        while not self._ended and len(data) - at > 1:
            place = body_of(data, at)
            if place is None:
                break
            body, end = place
            is_message = data[at] >> 4 == PUBLISH
            if end - at > LARGEST and not is_message:
                raise MalformedError("a packet far longer than any of its kind")
            if (enough := min(end, at + LARGEST)) > len(data):
                self._missing = enough - len(data)
                break
            if is_message:
                on_message(delivery_of(data, at, body, end, connection=connection, five=five))
                self._skip = max(0, end - len(data))
            else:
                self._packet = data[at:end]
                on_other()
                if self._packet:
                    raise MalformedError("a packet that the client library did not take")
            at = end
        self._unread = data[at:]
        if self._ended:
            on_other()

    def flush(self) -> None:
        """Send what waits, as far as the network takes it."""
        try:
            while self._unsent:
                sent = self._socket.send(self._unsent)
                del self._unsent[:sent]
        except _NOT_NOW:
            return
        except OSError:
            # What the other side said before it left can still be read, and then that it left.
            self._unsent.clear()

    def recv(self, size: int) -> bytes:
        """Give the library its packet in pieces; nothing at the end of the connection."""
        if not self._packet and not self._ended:
            raise BlockingIOError
        piece, self._packet = self._packet[:size], self._packet[size:]
        return piece

    def send(self, data: bytes | bytearray) -> int:
        """Take all, to be sent by `flush`; nothing while too much waits."""
        if len(self._unsent) > MOST_UNSENT:
            raise BlockingIOError
        self._unsent += data
        return len(data)

    def acknowledge(self, mid: int) -> None:
        """Say that a message is safe; how many of these can wait is bounded by the window."""
        self._unsent += PUBACK + mid.to_bytes(2)

    def close(self) -> None:
        """Close it, after the farewell if there is one."""
        if self.farewell and self._socket.fileno() >= 0:
            deadline = time.monotonic() + self.farewell
            with contextlib.suppress(OSError):
                self._socket.settimeout(self.farewell)
                self.flush()
                while self._socket.recv(CHUNK) and time.monotonic() < deadline:
                    pass
        self._ended = True
        self._socket.close()

    def fileno(self) -> int:
        """Name the socket for `select`; -1 when it is closed."""
        return self._socket.fileno()

    def pending(self) -> int:
        """Count the bytes that `recv` has ready."""
        return len(self._packet)

    def settimeout(self, seconds: float | None) -> None:
        """Bound the handshake."""
        self._socket.settimeout(seconds)

    def setblocking(self, flag: bool) -> None:
        """Wait for the network or not."""
        self._socket.setblocking(flag)

    def do_handshake(self) -> None:
        """Shake hands where the connection is TLS. Raises OSError, with the socket closed."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return
        try:
            self._socket.do_handshake()
        except OSError:
            self._socket.close()
            raise

    def _wanted(self, data: bytes) -> bytes:
        """Leave out what still comes of a message that was cut."""
        skip = min(self._skip, len(data))
        self._skip -= skip
        return data[skip:] if skip else data

    def _receive(self) -> bytes:
        """Return what has come; an end or an error of the connection is noted, never raised."""
        try:
            data = self._socket.recv(max(CHUNK, self._missing))
        except _NOT_NOW:
            return b""
        except OSError:
            data = b""
        self._missing = 0
        self._ended = not data
        if isinstance(self._socket, ssl.SSLSocket) and (left := self._socket.pending()):
            # Of these the network says nothing any more; they are there already.
            data += self._socket.recv(left)
        return data


class TapContext:
    """What the library takes for a TLS context; with none behind it the connection is plain."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self.check_hostname = tls is not None and tls.check_hostname

    def wrap_socket(
        self,
        sock: socket.socket,
        *,
        server_hostname: str | None = None,
        do_handshake_on_connect: bool = False,
    ) -> Tap:
        """Put a tap on a connected socket."""
        if self._tls is None:
            return Tap(sock)
        return Tap(
            self._tls.wrap_socket(
                sock,
                server_hostname=server_hostname,
                do_handshake_on_connect=do_handshake_on_connect,
            )
        )
