"""The socket between client library and network: whole, in pieces, broken, slow, closed, TLS."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linli.broker import find_mosquitto, free_port
from linli.clock import SystemClock
from linli.codec import MAX_PAYLOAD
from linli.mqtt import Delivery, LinkOptions, PahoLink, paho_link
from linli.mqtt.packets import MalformedError
from linli.mqtt.tap import CHUNK, LARGEST, MOST_UNSENT, Tap
from tests.support.brokers import NEEDS_MOSQUITTO, wait_for_port

SUBACK = b"\x90\x04\x00\x01\x00\x01"


def varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def publish(
    topic: bytes, payload: bytes, mid: int = 0, properties: bytes | None = b"", flags: int = 0
) -> bytes:
    rest = len(topic).to_bytes(2) + topic
    if mid:
        rest += mid.to_bytes(2)
    if properties is not None:
        rest += varint(len(properties)) + properties
    rest += payload
    return bytes([0x30 | (2 if mid else 0) | flags]) + varint(len(rest)) + rest


class Reader:
    """What a link does with a tap, and a library that takes packets whole."""

    def __init__(self, tap: Tap, *, five: bool = True) -> None:
        self.tap, self.five = tap, five
        self.messages: list[Delivery] = []
        self.others: list[bytes] = []

    def read(self) -> None:
        self.tap.read(self.messages.append, self._other, connection=1, five=self.five)

    def _other(self) -> None:
        packet = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self.tap.recv(3):
                packet += piece
        self.others.append(packet)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Reader]]:
    far, near = socket.socketpair()
    near.setblocking(False)
    with far, near:
        yield far, Reader(Tap(near))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.just(SUBACK),
            st.builds(
                publish,
                st.text("abc/界", max_size=40).map(str.encode),
                st.binary(max_size=300),
                st.integers(0, 65535),
                st.sampled_from([b"", b"\x02\x00\x00\x00\x09", b"\x26" + b"\x00\x7fk" * 90]),
                st.sampled_from([0, 1, 8]),
            ),
        ),
        max_size=6,
    ),
    st.integers(1, 700),
)
def test_whatever_the_pieces_everything_comes_once_and_in_order(
    packets: list[bytes], size: int
) -> None:
    far, near = socket.socketpair()
    near.setblocking(False)
    with far, near:
        reader = Reader(Tap(near))
        stream = b"".join(packets)
        for start in range(0, len(stream), size):
            far.sendall(stream[start : start + size])
            reader.read()
    wanted = [one for one in packets if one != SUBACK]
    assert len(reader.messages) == len(wanted)
    for got, sent in zip(reader.messages, wanted, strict=True):
        assert sent.endswith(got.payload)
        assert got.topic.encode() in sent
        assert (got.qos, got.retain) == (sent[0] >> 1 & 3, bool(sent[0] & 1))
    assert reader.others == [SUBACK] * (len(packets) - len(wanted))


def test_a_message_of_three_one_one_has_no_properties(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    reader.five = False
    far.sendall(publish(b"a/b", b"\x05hello", 7, None))
    reader.read()
    assert reader.messages == [Delivery("a/b", b"\x05hello", False, 1, 7, 1)]


def test_a_topic_that_is_no_text_is_handed_on_for_refusal(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    far.sendall(publish(b"a/\xff", b"x", 7))
    reader.read()
    assert reader.messages[0].topic == "a/\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "broken",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length without end
        b"\x32\x02\x00\x09",  # a topic longer than the packet
        b"\x32\x01\x00",  # half a length of a topic
        b"\x32\x05\x00\x01a\x00\x00",  # packet id 0
        b"\x32\x05\x00\x01a\x00\x01",  # MQTT 5 without properties
        b"\x32\x06\x00\x01a\x00\x01\x05",  # properties longer than the packet
        b"\x36\x06\x00\x01a\x00\x01\x00",  # QoS 3
        b"\x34\x06\x00\x01a\x00\x01\x00",  # QoS 2, which nobody asked for
        b"\x30\x00",
    ],
)
def test_broken_bytes_end_the_connection(broken: bytes, pair: tuple[socket.socket, Reader]) -> None:
    far, reader = pair
    far.sendall(publish(b"a", b"good", 1) + broken + publish(b"a", b"never", 2))
    with pytest.raises(MalformedError):
        reader.read()
    assert [one.payload for one in reader.messages] == [b"good"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_do_worse_than_end_the_connection(noise: bytes, five: bool) -> None:
    far, near = socket.socketpair()
    near.setblocking(False)
    with far, near:
        far.sendall(b"\x32" + noise)
        with contextlib.suppress(MalformedError):
            Reader(Tap(near), five=five).read()


@pytest.mark.parametrize("properties", [b"", b"\x26" + b"k" * 3 * LARGEST])
def test_a_message_without_measure_is_cut_and_costs_its_bound(
    properties: bytes, pair: tuple[socket.socket, Reader]
) -> None:
    far, reader = pair
    far.settimeout(5)
    stream = publish(b"a", b"x" * 4 * LARGEST, 7, properties) + SUBACK + publish(b"a", b"next", 8)
    kept, size = 0, 20_000
    for start in range(0, len(stream), size):
        far.sendall(stream[start : start + size])
        reader.read()
        kept = max(kept, len(reader.tap._unread))
    cut, whole = reader.messages
    assert (cut.topic, cut.mid, whole.payload, reader.others) == ("a", 7, b"next", [SUBACK])
    assert kept < LARGEST + CHUNK
    assert len(cut.payload) < LARGEST + CHUNK
    assert bool(properties) or len(cut.payload) > MAX_PAYLOAD


def test_another_packet_without_measure_ends_the_connection(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    far.sendall(b"\x90" + varint(LARGEST))
    with pytest.raises(MalformedError):
        reader.read()


def test_a_broker_that_never_answers_is_left_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paho_link, "KEEPALIVE", 1)
    monkeypatch.setattr(paho_link, "FIRST_RETRY", 0.001)
    keeper = Keeper()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = LinkOptions("127.0.0.1", silent.getsockname()[1], "me")
        link = PahoLink(options, keeper, SystemClock())
        silent.setblocking(False)
        tries: list[socket.socket] = []
        for _ in range(500):
            link.step(0.01)
            with contextlib.suppress(BlockingIOError):
                tries.append(silent.accept()[0])
            if len(tries) == 2:
                break
        assert len(tries) == 2
        for one in tries:
            one.close()
        link.close()


def test_the_end_comes_after_all_that_was_said(pair: tuple[socket.socket, Reader]) -> None:
    far, reader = pair
    far.sendall(publish(b"a", b"last", 1) + b"\xe0\x00" + b"\x32\x09")
    far.close()
    reader.read()
    assert ([one.payload for one in reader.messages], reader.others) == ([b"last"], [b"\xe0\x00"])
    reader.read()
    assert reader.others[-1] == b""
    assert reader.tap.recv(1) == b""


def test_what_is_sent_gathers_and_goes_out_in_its_order(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    assert reader.tap.send(b"first") == 5
    reader.tap.acknowledge(258)
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    reader.tap.flush()
    assert (far.recv(100), reader.tap.unsent) == (b"first\x40\x02\x01\x02", 0)


def test_a_slow_network_gets_it_all_and_holds_up_who_sends_too_much(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    total = reader.tap.send(bytes(range(256)) * 8192)
    reader.tap.flush()
    assert MOST_UNSENT < reader.tap.unsent < total
    with pytest.raises(BlockingIOError):
        reader.tap.send(b"x")
    got = bytearray()
    while reader.tap.unsent or len(got) < total:
        got += far.recv(1 << 20)
        reader.tap.flush()
    assert got == bytes(range(256)) * 8192


def test_sending_to_who_left_shows_as_the_end_of_reading(
    pair: tuple[socket.socket, Reader],
) -> None:
    far, reader = pair
    far.sendall(publish(b"a", b"last", 1))
    far.close()
    reader.tap.send(b"x")
    reader.tap.flush()
    assert reader.tap.unsent == 0
    reader.read()
    reader.read()
    assert ([one.payload for one in reader.messages], reader.others) == ([b"last"], [b""])
    reader.tap.farewell = 1.0
    reader.tap.close()
    assert reader.tap.fileno() == -1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    argv = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    argv += ["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "1"]
    argv += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_port(certificate: Path, tmp_path: Path) -> Iterator[int]:
    mosquitto, port = find_mosquitto(), free_port()
    assert mosquitto is not None
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
        f"certfile {certificate / 'cert.pem'}\nkeyfile {certificate / 'key.pem'}\n"
    )
    process = subprocess.Popen([str(mosquitto), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        process.kill()
        process.wait()


class Keeper:
    """Keeps what comes and acknowledges it at once."""

    def __init__(self) -> None:
        self.link: PahoLink | None = None
        self.payloads: list[bytes] = []
        self.sent = 0

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None:
        self.sent += 1

    def on_message(self, delivery: Delivery) -> None:
        assert self.link is not None
        self.payloads.append(delivery.payload)
        self.link.ack(delivery)


def linked(port: int, host: str, name: str, tls: ssl.SSLContext) -> Keeper:
    keeper = Keeper()
    options = LinkOptions(host, port, name, subscriptions=(f"to/{name}",), tls=tls)
    keeper.link = PahoLink(options, keeper, SystemClock())
    return keeper


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_the_same_over_tls(certificate: Path, tls_port: int) -> None:
    tls = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    keeper = linked(tls_port, "localhost", "me", tls)
    link = keeper.link
    assert link is not None
    payloads = [bytes([number]) * 30_000 for number in range(100)]
    for _ in range(500):
        link.step(0.02)
        if link.connected and not keeper.sent:
            for one in payloads:
                link.publish("to/me", one)
        if len(keeper.payloads) == keeper.sent == len(payloads):
            break
    assert keeper.payloads == payloads
    link.close()


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_certificate_for_another_name_or_of_a_stranger_is_refused(
    certificate: Path, tls_port: int
) -> None:
    known = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    for host, tls in (("127.0.0.1", known), ("localhost", ssl.create_default_context())):
        keeper = linked(tls_port, host, "me", tls)
        assert keeper.link is not None
        for _ in range(5):
            keeper.link.step(0.05)
        assert not keeper.link.connected
