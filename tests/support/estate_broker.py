"""A broker of an estate's own, for its sensors, on a free port, with a voice to speak there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from brokers import wait_for_port

from linli.broker import find_mosquitto, free_port
from linli.clock import SystemClock
from linli.mqtt import Delivery, LinkOptions, PahoLink


class LocalBroker:
    """mosquitto without passwords, as it stands beside a Zigbee or LoRaWAN gateway."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        self._config = folder / "local.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._voice: PahoLink | None = None

    def start(self) -> None:
        program = find_mosquitto()
        assert program is not None
        self._process = subprocess.Popen(
            [str(program), "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)
        options = LinkOptions(host="127.0.0.1", port=self.port, client_id="gateway")
        self._voice = PahoLink(options, self, SystemClock())
        while not self._voice.connected:
            self._voice.step(0.1)

    def say(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        """Publish text as it is, anything else as JSON."""
        assert self._voice is not None
        data = payload if isinstance(payload, bytes) else None
        if data is None:
            text = payload if isinstance(payload, str) else json.dumps(payload)
            data = text.encode()
        self._voice.publish(topic, data, retain=retain)
        self._voice.step(0.05)

    def stop(self) -> None:
        if self._voice is not None:
            self._voice.close()
            self._voice = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_message(self, delivery: Delivery) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None: ...
