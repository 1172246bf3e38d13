"""The peer: paho-mqtt with manual acknowledgement, which acknowledges at once and stores nothing.

    python bench/bare_consumer.py --port 1883 --count 30000

Prints {"messages", "seconds"}: from the first message to the last acknowledgement handed over.
"""

from __future__ import annotations

import argparse
import json
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions
from wire import FILTERS

USER = "svc-bare"
WINDOW = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--user", default=USER)
    parser.add_argument("--password", default="bare")
    arguments = parser.parse_args()
    seen, first = 0, 0.0
    client = paho.Client(
        CallbackAPIVersion.VERSION2, arguments.user, protocol=paho.MQTTv5, manual_ack=True
    )
    client.username_pw_set(arguments.user, arguments.password)

    def on_connect(*_: object) -> None:
        client.subscribe([(one, SubscribeOptions(qos=1)) for one in FILTERS])

    def on_subscribe(*_: object) -> None:
        client.publish(f"bench/{arguments.user}", b"ready", 1)

    def on_message(_: object, __: object, message: paho.MQTTMessage) -> None:
        nonlocal seen, first
        first = first or time.perf_counter()
        client.ack(message.mid, message.qos)
        seen += 1
        if seen == arguments.count:
            print(json.dumps({"messages": seen, "seconds": time.perf_counter() - first}))
            client.disconnect()

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = WINDOW
    properties.SessionExpiryInterval = 3600
    client.connect(
        "127.0.0.1", arguments.port, clean_start=False, properties=properties, keepalive=60
    )
    client.loop_forever()


if __name__ == "__main__":
    main()
