"""The MQTT connection.

A `Link` is driven by the thread that owns it: `step` connects when it is due, moves bytes once and
calls the handler. No thread of its own, so nothing can die unseen, and whoever owns the link may
store first and acknowledge afterwards.
"""

from linli.mqtt.fake import FakeBroker, FakeLink
from linli.mqtt.link import Delivery, Link, LinkFactory, LinkHandler, LinkOptions, Will
from linli.mqtt.paho_link import PahoLink

__all__ = [
    "Delivery",
    "FakeBroker",
    "FakeLink",
    "Link",
    "LinkFactory",
    "LinkHandler",
    "LinkOptions",
    "PahoLink",
    "Will",
]
