"""The services as systemd runs them: put into place, started, stopped, waited for until green."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from linli.clock import SystemClock
from linli.errors import InputError
from linli.install import machine
from linli.install.layout import EDGE, INGEST, UNITS, Service

GREEN_SECONDS, HEARD_SECONDS = 180.0, 60.0
_PAUSE = 1.0


def there(services: Sequence[Service]) -> list[Service]:
    """Return those that are installed."""
    return [one for one in services if (UNITS / one.unit).exists()]


def place(texts: Mapping[Service, str]) -> list[Path]:
    """Write units in this order; return those that were not so before."""
    return [
        UNITS / one.unit for one, text in texts.items() if machine.write(UNITS / one.unit, text)
    ]


def enable(services: Sequence[Service]) -> None:
    """Have them start with the machine. Raises InputError."""
    machine.run(["systemctl", "enable", *(one.unit for one in services)])


def restart(services: Sequence[Service]) -> None:
    """Start them as their units are now, in this order. Raises InputError."""
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "restart", *(one.unit for one in services)])


def start(services: Sequence[Service]) -> None:
    """Start those of them that do not run, as their units are now. Raises InputError."""
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", *(one.unit for one in services)])


def stop(services: Sequence[Service]) -> None:
    """Stop them. Raises InputError."""
    machine.run(["systemctl", "stop", *(one.unit for one in services)])


def wait_until_green(program: Path, seconds: float = GREEN_SECONDS) -> None:
    """Wait for a message that goes the whole way from now on; `program` is who looks.

    Raises InputError with what is wrong.
    """
    begun, end = SystemClock().now(), time.monotonic() + seconds
    while True:
        proved, wrong = look(program)
        if proved is not None and proved > begun:
            return
        if time.monotonic() > end:
            break
        time.sleep(_PAUSE)
    raise InputError(
        f"not green after {seconds:.0f} s: {'; '.join(wrong) or 'nothing is heard of it'}",
        hint=f"linli doctor --config {INGEST.settings}; journalctl -u {INGEST.unit}",
    )


def heard_of(program: Path, seconds: float = HEARD_SECONDS) -> bool:
    """Wait until the edge hears the ingest, which it can do without; tell whether it did."""
    argv = [str(program), "edge", "status", "--json", "--config", str(EDGE.settings)]
    end = time.monotonic() + seconds
    while True:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode == 0 and json.loads(done.stdout)["link"].get("ingest_ready"):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)


def look(program: Path) -> tuple[datetime | None, list[str]]:
    """Return when the chain was last proved, None when it is not green, and what is not well."""
    found = _findings(program)
    proved = [one["last"] for one in found if one["code"] == "chain" and one["level"] == "ok"]
    bad = any(one["level"] == "bad" for one in found)
    wrong = [one["what"] for one in found if one["level"] != "ok"]
    return (datetime.fromisoformat(proved[0]) if proved and not bad else None), wrong


def last_proved(program: Path) -> datetime | None:
    """Return when a message last went the whole way, however it is now; None for never."""
    found = [one.get("last") for one in _findings(program) if one["code"].startswith("chain")]
    return next((datetime.fromisoformat(one) for one in found if one), None)


def _findings(program: Path) -> list[dict[str, Any]]:
    argv = [str(program), "doctor", "--json", "--all", "--config", str(INGEST.settings)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"] if done.stdout else []
    return found
