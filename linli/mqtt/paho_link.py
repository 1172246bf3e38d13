"""The real link: the one file that knows the client library."""

from __future__ import annotations

import random
import select
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from linli.clock import Clock
from linli.errors import LinkError, LinliError
from linli.log import get_logger
from linli.mqtt.link import Delivery, LinkHandler, LinkOptions
from linli.mqtt.packets import MalformedError
from linli.mqtt.tap import Tap, TapContext

log = get_logger(__name__)

SESSION_EXPIRY = 7 * 24 * 3600
FIRST_RETRY = 1.0
LONGEST_RETRY = 60.0
CONNECT_TIMEOUT = 5.0
KEEPALIVE = 30
GOODBYE = 2.0


def full_jitter(attempt: int, random_fraction: float) -> float:
    """Return seconds to wait before try `attempt` ≥ 1: ≤ 2 s at first, then up to 60 s."""
    ceiling = min(LONGEST_RETRY, FIRST_RETRY * 2.0**attempt)
    return ceiling * (0.5 + random_fraction / 2)


class PahoLink:
    """The real thing. Every connection gets a fresh client, so no state outlives its socket."""

    def __init__(self, options: LinkOptions, handler: LinkHandler, clock: Clock) -> None:
        self._options = options
        self._handler = handler
        self._clock = clock
        self._client: paho.Client | None = None
        self._tap: Tap | None = None
        self._connection = 0
        self._up = False
        self._attempt = 0
        self._retry_at = 0.0
        self._received = 0
        self._refused = ""
        self._broker_window = options.window

    @property
    def window(self) -> int:
        """How many deliveries the broker leaves unacknowledged, as far as both sides said."""
        return min(self._options.window, self._broker_window)

    @property
    def connected(self) -> bool:
        """Whether messages can be published now."""
        return self._up

    def step(self, timeout: float) -> int:
        """Connect when due, handle traffic once, return how many messages came in."""
        self._received = 0
        if self._client is None:
            self._connect_when_due()
        if self._client is None or self._tap is None:
            self._idle(timeout)
            return 0
        status = self._turn(self._client, self._tap, timeout)
        if status != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._drop(self._refused or paho.error_string(status))
        return self._received

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry: int = 0
    ) -> int:
        """Send a message and return its token. Raises LinkError when the link is down."""
        if self._client is None or not self._up:
            raise LinkError("not connected", where=f"mqtt {self._address}")
        properties = None
        if expiry and self._options.protocol == "5":
            properties = _properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = expiry
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise LinkError(paho.error_string(info.rc), where=f"mqtt {self._address}")
        return info.mid

    def ack(self, delivery: Delivery) -> None:
        """Acknowledge a delivery of the present connection."""
        if self._tap is not None and delivery.connection == self._connection and delivery.qos:
            self._tap.acknowledge(delivery.mid)

    def flush(self) -> None:
        """Send what waits now, as far as the network takes it."""
        if self._tap is not None:
            self._tap.flush()

    def close(self) -> None:
        """Flush what is waiting, then disconnect without speaking the will."""
        client, tap = self._client, self._tap
        self._client = self._tap = None
        self._up = False
        if client is not None and tap is not None:
            tap.farewell = GOODBYE
            client.disconnect()
            tap.close()

    def cut(self) -> None:
        """Lose the connection as a pulled cable does: the will is spoken; `step` connects again."""
        was_up = self._up
        if self._tap is not None:
            self._tap.close()
        self._client = self._tap = None
        self._up = False
        if was_up:
            self._handler.on_down("cut")

    def _turn(self, client: paho.Client, tap: Tap, timeout: float) -> MQTTErrorCode:
        """Do what `client.loop` does, with the tap between."""
        if tap.fileno() < 0:
            # The library closes it by itself when a broker is silent, and need not say so.
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        tap.flush()
        writes = [tap] if tap.unsent else []
        readable, _, _ = select.select([tap], writes, [], timeout)
        status = MQTTErrorCode.MQTT_ERR_SUCCESS
        if readable:
            status = self._read(client, tap)
        if status == MQTTErrorCode.MQTT_ERR_SUCCESS and client.want_write():
            status = client.loop_write()
        tap.flush()
        return status or client.loop_misc()

    def _read(self, client: paho.Client, tap: Tap) -> MQTTErrorCode:
        status = MQTTErrorCode.MQTT_ERR_SUCCESS

        def other() -> None:
            nonlocal status
            status = status or client.loop_read()

        five = self._options.protocol == "5"
        try:
            tap.read(self._on_message, other, connection=self._connection, five=five)
        except MalformedError as error:
            self._refused = f"broken MQTT: {error}"
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return status

    @property
    def _address(self) -> str:
        return f"{self._options.host}:{self._options.port}"

    def _idle(self, timeout: float) -> None:
        """Spend the step's time without a connection, but no longer than the next try is away."""
        time.sleep(max(0.0, min(timeout, self._retry_at - self._clock.monotonic())))

    def _connect_when_due(self) -> None:
        if self._clock.monotonic() < self._retry_at:
            return
        self._connection += 1
        self._refused = ""
        try:
            client = self._make_client()
            client.connect(
                self._options.host,
                self._options.port,
                keepalive=KEEPALIVE,
                **self._connect_arguments(),
            )
        except (OSError, ValueError, LinliError) as error:
            self._failed(str(error))
            return
        tap = client.socket()
        assert isinstance(tap, Tap)
        self._client, self._tap = client, tap

    def _make_client(self) -> paho.Client:
        options = self._options
        five = options.protocol == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            clean_session=None if five else not options.keep_session,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        context: Any = TapContext(options.tls)
        client.tls_set_context(context)
        client.connect_timeout = CONNECT_TIMEOUT
        client.max_inflight_messages_set(options.window)
        if options.username is not None:
            client.username_pw_set(options.username, options.secret())
        if options.will is not None:
            properties = None
            if five:
                properties = _properties(PacketTypes.WILLMESSAGE)
                properties.WillDelayInterval = options.will.delay
            client.will_set(
                options.will.topic, options.will.payload, qos=1, retain=True, properties=properties
            )
        connection = self._connection
        client.on_connect = lambda *a: self._on_connect(connection, a[3], a[4])
        client.on_subscribe = lambda *a: self._on_subscribe(connection, a[3])
        client.on_publish = lambda _c, _u, mid, code, _p: self._on_publish(connection, mid, code)
        client.on_disconnect = lambda *a: self._on_disconnect(connection, a[3])
        return client

    def _connect_arguments(self) -> dict[str, Any]:
        if self._options.protocol != "5":
            return {}
        properties = _properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum = self._options.window
        if self._options.keep_session:
            properties.SessionExpiryInterval = SESSION_EXPIRY
        elif self._options.will is not None:
            # The will is spoken when the session ends, if that is before its delay has passed.
            properties.SessionExpiryInterval = self._options.will.delay
        return {"clean_start": not self._options.keep_session, "properties": properties}

    def _on_connect(self, connection: int, code: ReasonCode, said: Properties | None) -> None:
        if connection != self._connection or self._client is None:
            return
        if code.is_failure:
            self._refused = f"broker refused {self._options.client_id}: {code}"
            return
        # What a broker takes of us at once is what mosquitto also sends at once; without a word
        # the protocol means 65535.
        self._broker_window = getattr(said, "ReceiveMaximum", self._options.window)
        if not self._options.subscriptions:
            self._be_up()
        else:
            five = self._options.protocol == "5"
            wanted = self._options.subscriptions
            if five:
                self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in wanted])
            else:
                self._client.subscribe([(topic, 1) for topic in wanted])

    def _on_subscribe(self, connection: int, codes: list[ReasonCode]) -> None:
        if connection != self._connection:
            return
        refused = [str(code) for code in codes if code.is_failure]
        if refused:
            log.warning(
                "mqtt: %s refused %d of the subscriptions of %s: %s",
                *(self._address, len(refused), self._options.client_id, refused[0]),
            )
        self._be_up()

    def _be_up(self) -> None:
        self._up = True
        self._attempt = 0
        log.info("mqtt: connected to %s as %s", self._address, self._options.client_id)
        self._handler.on_up()

    def _on_message(self, delivery: Delivery) -> None:
        self._received += 1
        self._handler.on_message(delivery)

    def _on_publish(self, connection: int, mid: int, code: ReasonCode) -> None:
        if connection == self._connection:
            self._handler.on_sent(mid, str(code) if code.is_failure else None)

    def _on_disconnect(self, connection: int, code: ReasonCode) -> None:
        if connection == self._connection and not self._refused:
            self._refused = str(code)

    def _drop(self, reason: str) -> None:
        was_up = self._up
        if self._tap is not None:
            self._tap.close()
        self._client = self._tap = None
        self._up = False
        self._failed(reason, quiet=was_up)
        if was_up:
            log.warning("mqtt: lost %s: %s", self._address, reason)
            self._handler.on_down(reason)

    def _failed(self, reason: str, *, quiet: bool = False) -> None:
        self._attempt += 1
        if self._attempt == 1 and not quiet:
            log.warning("mqtt: cannot reach %s: %s; trying on", self._address, reason)
        delay = full_jitter(self._attempt, random.random())  # noqa: S311 - spreads load, no secret
        self._retry_at = self._clock.monotonic() + delay


def _properties(packet: int) -> Properties:
    make: Any = Properties
    made: Properties = make(packet)
    return made
