"""How a part of the ingest comes to the broker as a user of its own."""

from __future__ import annotations

from ingest.settings import Mqtt, OwnUser
from linli.mqtt import LinkOptions
from linli.tls import client_context


def own_link(mqtt: Mqtt, own: OwnUser, name: str, subscriptions: tuple[str, ...]) -> LinkOptions:
    """Return the session of `own`, `name` where its settings name none. Raises InputError."""
    return LinkOptions(
        host=mqtt.host,
        port=mqtt.port,
        client_id=own.username or name,
        username=own.username,
        password=own.password(),
        protocol=mqtt.protocol,
        tls=client_context(mqtt.ca_file, own.cert_file, own.key_file),
        subscriptions=subscriptions,
    )
