"""A port that passes everything on to a broker and back, and notes what it sees on the way."""

from __future__ import annotations

import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from linli.conform import packets
from linli.conform.ends import Ends, name_in
from linli.conform.trace import Broken, Connected, Event, Heard, Left, Sent, Subscribed
from linli.errors import InputError
from linli.mqtt.packets import MalformedError

_CHUNK = 64 * 1024
_PATIENCE = 5.0
_MOST = 32
"""Connections at once; more are turned away."""


@dataclass(eq=False)
class _Pair:
    number: int
    near: socket.socket
    far: socket.socket
    out: packets.Stream = field(default_factory=packets.Stream)
    back: packets.Stream = field(default_factory=packets.Stream)
    aliases: tuple[dict[int, str], dict[int, str]] = field(default_factory=lambda: ({}, {}))
    certified: str | None = None
    client_id: str = ""
    five: bool = True
    polite: bool = False


class Relay:
    """Belongs to one thread. `tell` gets every event with the client id it is of.

    Where TLS is spoken it ends here, on both sides. `troubles` says who did not get that far.
    """

    def __init__(
        self,
        broker: tuple[str, int],
        tell: Callable[[str, Event], None],
        now: Callable[[], datetime],
        ends: Ends | None = None,
    ) -> None:
        self._broker = broker
        self._ends = ends or Ends()
        self.troubles: deque[str] = deque(maxlen=_MOST)
        self._tell = tell
        self._now = now
        self._open = True
        self._count = 0
        self._pairs: list[_Pair] = []
        self._silent: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None

    def listen(self, host: str, port: int) -> int:
        """Begin to listen and return the port. Raises InputError."""
        try:
            self._listener = socket.create_server((host, port))
        except OSError as error:
            raise InputError(
                f"cannot listen there ({error.strerror})",
                where=f"{host}:{port}",
                hint="Choose another with --listen",
            ) from None
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        made: int = self._listener.getsockname()[1]
        return made

    def turn(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for traffic and pass it on."""
        for key, _ in self._selector.select(timeout):
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj in self._silent:
                self._forget(key.fileobj)
                self._shake_hands(key.fileobj)
            elif key.data in self._pairs:
                self._pass(key.data, key.fileobj)

    def cut(self, client_id: str) -> None:
        """Cut every connection of a client and let nobody in until `open`."""
        self._open = False
        for pair in [one for one in self._pairs if one.client_id == client_id]:
            self._end(pair, cut=True)

    def open(self) -> None:
        """Let clients in again."""
        self._open = True

    def close(self) -> None:
        """End everything."""
        for pair in list(self._pairs):
            self._end(pair, cut=True)
        for one in list(self._silent):
            self._forget(one)
            one.close()
        if self._listener is not None:
            self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        if not self._open or len(self._pairs) + len(self._silent) >= _MOST:
            near.close()
        elif self._ends.near is None:
            self._pair(near, None)
        else:  # TLS begins with the other side's word: nobody waits for who says nothing
            self._silent.append(near)
            self._selector.register(near, selectors.EVENT_READ, None)

    def _forget(self, near: socket.socket) -> None:
        self._silent.remove(near)
        self._selector.unregister(near)

    def _shake_hands(self, near: socket.socket) -> None:
        assert self._ends.near is not None
        who = _who(near)
        near.settimeout(_PATIENCE)
        try:
            shaken = self._ends.near.wrap_socket(near, server_side=True)
        except OSError as error:
            near.close()
            self.troubles.append(f"{who} came without good TLS: {_reason(error)}")
            return
        if self._open:
            self._pair(shaken, name_in(shaken))
        else:
            shaken.close()

    def _pair(self, near: socket.socket, certified: str | None) -> None:
        try:
            far = socket.create_connection(self._broker, _PATIENCE)
        except OSError:
            near.close()
            return
        if self._ends.far is not None:
            try:
                far = self._ends.far.wrap_socket(far, server_hostname=self._broker[0])
            except OSError as error:
                near.close()
                far.close()
                self.troubles.append(f"the broker wants other TLS: {_reason(error)}")
                return
        self._count += 1
        pair = _Pair(self._count, near, far, certified=certified)
        self._pairs.append(pair)
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(one, selectors.EVENT_READ, pair)

    def _pass(self, pair: _Pair, source: socket.socket) -> None:
        outward = source is pair.near
        target = pair.far if outward else pair.near
        try:
            for data in _whole(source):
                self._note(pair, data, outward=outward)
                target.settimeout(_PATIENCE)
                target.sendall(data)
        except MalformedError as error:
            self._tell(
                pair.client_id, Broken(at=self._now(), connection=pair.number, what=str(error))
            )
        except OSError:
            pass
        else:
            return
        self._end(pair)

    def _end(self, pair: _Pair, *, cut: bool = False) -> None:
        self._pairs.remove(pair)
        for one in (pair.near, pair.far):
            self._selector.unregister(one)
            one.close()
        left = Left(at=self._now(), connection=pair.number, polite=pair.polite, cut=cut)
        self._tell(pair.client_id, left)

    def _note(self, pair: _Pair, data: bytes, *, outward: bool) -> None:
        for head, body in (pair.out if outward else pair.back).feed(data):
            event = self._outward(pair, head, body) if outward else self._back(pair, head, body)
            if event is not None:
                self._tell(pair.client_id, event)

    def _outward(self, pair: _Pair, head: int, body: bytes) -> Event | None:
        kind, at, number = head >> 4, self._now(), pair.number
        if kind == packets.CONNECT:
            found = packets.connect(body)
            pair.client_id, pair.five = found.client_id, found.level == 5
            return Connected(
                at=at,
                connection=number,
                client_id=found.client_id,
                username=pair.certified or found.username,
                level=found.level,
                will=found.will,
            )
        if kind == packets.SUBSCRIBE:
            filters = packets.subscribe(body, five=pair.five)
            return Subscribed(at=at, connection=number, filters=filters)
        if kind == packets.DISCONNECT:
            pair.polite = packets.is_polite(body)
        if kind != packets.PUBLISH:
            return None
        one = packets.publish(head, body, five=pair.five, aliases=pair.aliases[0])
        return Sent(
            at=at,
            connection=number,
            topic=one.topic,
            payload=one.payload,
            qos=one.qos,
            retain=one.retain,
            dup=one.dup,
        )

    def _back(self, pair: _Pair, head: int, body: bytes) -> Event | None:
        if head >> 4 != packets.PUBLISH:
            return None
        one = packets.publish(head, body, five=pair.five, aliases=pair.aliases[1])
        return Heard(
            at=self._now(),
            connection=pair.number,
            topic=one.topic,
            payload=one.payload,
            qos=one.qos,
            retain=one.retain,
            dup=one.dup,
        )


def _whole(source: socket.socket) -> Iterator[bytes]:
    """Yield what is there now. Raises OSError at its end.

    What comes over TLS may be a ticket and no data, or more than one read brings.
    """
    source.settimeout(0)
    while True:
        try:
            data = source.recv(_CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        if not data:
            raise ConnectionResetError
        yield data
        if not (isinstance(source, ssl.SSLSocket) and source.pending()):
            return
        source.settimeout(0)


def _who(near: socket.socket) -> str:
    try:
        return str(near.getpeername()[0])
    except OSError:
        return "somebody"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return error.strerror or str(error)
