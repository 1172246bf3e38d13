"""What a broker says of itself to who connects once and leaves: for looking at it, not for work."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from linli.mqtt.link import LinkOptions

_VERSION = "$SYS/broker/version"
_DEFAULT_WINDOW = 65535


@dataclass(frozen=True, slots=True)
class Greeting:
    """What came of one try. None: the broker did not say, or it never came so far.

    `unreachable` says why there was no MQTT at all; `refused` why nobody was let in.
    """

    unreachable: str | None = None
    refused: str | None = None
    protocol: Literal["5", "3.1.1"] | None = None
    window: int | None = None
    largest: int | None = None
    qos: int | None = None
    retains: bool | None = None
    version: str | None = None

    @property
    def let_in(self) -> bool:
        """Whether it could have worked here."""
        return self.unreachable is None and self.refused is None


@dataclass(slots=True)
class _Heard:
    code: Any = None
    said: Any = None
    version: str | None = None
    granted: bool | None = None
    left: bool = field(default=False)


def greet(options: LinkOptions, *, timeout: float = 5.0) -> Greeting:
    """Connect, hear the broker out for at most `timeout` seconds, leave. Raises nothing."""
    heard = _Heard()
    client = _client(options, heard)
    end = time.monotonic() + timeout
    try:
        client.connect_timeout = timeout
        if options.protocol == "5":
            client.connect(options.host, options.port, keepalive=30, clean_start=True)
        else:
            client.connect(options.host, options.port, keepalive=30)
        _turn(client, lambda: heard.code is not None or heard.left, end)
        if heard.code is not None and not heard.code.is_failure:
            client.subscribe(_VERSION, qos=0)
            _turn(client, lambda: heard.granted is not None or heard.left, end)
            # A retained message follows the answer at once, if this identity may read it.
            soon = min(end, time.monotonic() + 0.5)
            _turn(client, lambda: heard.version is not None or heard.left, soon)
    except (OSError, ValueError) as error:
        return Greeting(unreachable=_why(error))
    finally:
        client.disconnect()
    return _greeting(options, heard)


def _client(options: LinkOptions, heard: _Heard) -> paho.Client:
    five = options.protocol == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        protocol=paho.MQTTv5 if five else paho.MQTTv311,
        clean_session=None if five else True,
        reconnect_on_failure=False,
    )
    if options.tls is not None:
        client.tls_set_context(options.tls)
    if options.username is not None:
        client.username_pw_set(options.username, options.secret())

    def connected(*words: Any) -> None:
        heard.code, heard.said = words[3], words[4]

    def subscribed(*_: Any) -> None:
        heard.granted = True

    def told(*words: Any) -> None:
        heard.version = words[2].payload.decode(errors="replace")[:80]

    def gone(*_: Any) -> None:
        heard.left = True

    client.on_connect, client.on_subscribe = connected, subscribed
    client.on_message, client.on_disconnect = told, gone
    return client


def _turn(client: paho.Client, enough: Callable[[], bool], end: float) -> None:
    while not enough() and time.monotonic() < end:
        if client.loop(0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return


def _greeting(options: LinkOptions, heard: _Heard) -> Greeting:
    if heard.code is None:
        said = "it hung up without a word" if heard.left else "it does not answer as a broker"
        return Greeting(unreachable=said)
    if heard.code.is_failure:
        # An MQTT 3.1.1 broker answers "unsupported version" in words that are no MQTT 5.
        spoken = None if "rotocol" in str(heard.code) else options.protocol
        return Greeting(refused=str(heard.code), protocol=spoken)
    if options.protocol != "5":
        return Greeting(protocol="3.1.1", version=heard.version)
    said = heard.said
    return Greeting(
        protocol="5",
        window=getattr(said, "ReceiveMaximum", _DEFAULT_WINDOW),
        largest=getattr(said, "MaximumPacketSize", None),
        qos=getattr(said, "MaximumQoS", 2),
        retains=bool(getattr(said, "RetainAvailable", 1)),
        version=heard.version,
    )


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {error.reason or error}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
