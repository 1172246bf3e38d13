"""The broker from PyPI, for machines without mosquitto; the one file that knows it.

It speaks MQTT 3.1.1 and keeps nothing over a restart; receipts make that safe.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from linli.settings import read_secret


class SecretFileAuth(BaseAuthPlugin):  # type: ignore[misc]  # the library is untyped
    """Lets in whoever knows the password in `{folder}/{username}.password`."""

    async def authenticate(self, *, session: Session) -> bool:
        """Tell whether the session's user and password belong together."""
        folder = Path(str(self._get_config_option("folder", "")))
        name, password = session.username or "", session.password or ""
        path = folder / f"{name}.password"
        if path.parent != folder or not path.is_file() or session.client_id != name:
            return False
        return hmac.compare_digest(read_secret(path).encode(), password.encode())

    @dataclass
    class Config:
        """Where the password files are."""

        folder: str


def run(folder: Path, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    asyncio.run(_serve(folder, host, port))


async def _serve(folder: Path, host: str, port: int) -> None:
    config = BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"{host}:{port}")},
        plugins={"linli.broker.embedded.SecretFileAuth": {"folder": str(folder)}},
    )
    broker = Broker(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()
