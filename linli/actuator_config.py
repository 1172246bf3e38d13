"""What an edge can switch, and how it is reached: one type for each kind of far end."""

from __future__ import annotations

import string
from typing import Annotated

from msgspec import Meta

from linli.events import Slug
from linli.log import redact
from linli.settings import Settings, is_web_address

Address = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^+#\x00]+$")]
_PLACES = frozenset({"level", "percent", "state"})


class Zigbee2MqttActuator(Settings, frozen=True, kw_only=True, tag_field="kind", tag="zigbee2mqtt"):
    """A lamp or plug behind Zigbee2MQTT; `address` is its friendly name."""

    source: Slug
    address: Address
    dims: bool = True


class TasmotaActuator(Settings, frozen=True, kw_only=True, tag_field="kind", tag="tasmota"):
    """A lamp or relay with Tasmota; `address` is its topic, `output` the number of its relay."""

    source: Slug
    address: Address
    dims: bool = False
    output: Annotated[int, Meta(ge=1, le=32)] = 1


class HttpActuator(Settings, frozen=True, kw_only=True, tag_field="kind", tag="http"):
    """A device that is switched by a request.

    `url` may hold `{level}` (0..1), `{percent}` (0..100) and `{state}` (on, off).
    """

    url: Annotated[str, Meta(min_length=8, max_length=512)]
    post: bool = False

    def __post_init__(self) -> None:
        try:
            names = {name for _, name, _, _ in string.Formatter().parse(self.url) if name}
            # A field without a name, or with a format, is no place for a value.
            plain = self.at(0.5)
        except (ValueError, KeyError, IndexError, AttributeError):
            raise ValueError(f"url has a place that there is not: {redact(self.url)!r}") from None
        if not names or not names <= _PLACES:
            raise ValueError(f"url must hold one of {', '.join(sorted(_PLACES))} in braces")
        if not is_web_address(plain):
            raise ValueError(f"url must be http(s)://…, not {redact(self.url)!r}")

    def at(self, level: float) -> str:
        """Return the address to ask for a level."""
        state = "on" if level > 0 else "off"
        percent = max(round(level * 100), 1) if level > 0 else 0
        return self.url.format(level=f"{percent / 100:.2f}", percent=percent, state=state)


class ModbusActuator(Settings, frozen=True, kw_only=True, tag_field="kind", tag="modbus"):
    """A coil of a Modbus TCP device: a relay, on or off."""

    source: Slug
    unit: Annotated[int, Meta(ge=0, le=247)] = 1
    coil: Annotated[int, Meta(ge=0, le=65535)]


ActuatorConfig = Zigbee2MqttActuator | TasmotaActuator | HttpActuator | ModbusActuator


def kind_of(actuator: ActuatorConfig) -> str:
    """Return what `kind` says in the settings."""
    return str(actuator.__struct_config__.tag)
