"""Incidents kept by hand: rows straight into the tables, as many as a test wants."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from house import NOON, Folder

from ingest.store.engine import writing
from ingest.store.incidents import incident, transition
from ingest.store.notify import notification


def keep(folder: Folder, *steps: tuple[str, datetime], **changes: Any) -> None:
    """Keep an incident that was opened at noon and what happened to it."""
    one = {"event": "bin-full", "area": "b01", "node": "n1", "device": "cam", "severity": "high"}
    one |= changes
    key = (
        f'{{"site":"c","node":"{one["node"]}","device":"{one["device"]}","event":"{one["event"]}"}}'
    )
    body = (
        f'{{"key":{key},"area":"{one["area"]}","severity":"{one["severity"]}",'
        f'"count":1,"opened":"{NOON.isoformat()}"}}'
    )
    with writing(folder.state) as connection:
        number = connection.scalar(sa.select(sa.func.count()).select_from(incident)) or 0
        number += 1
        row = {name: one[name] for name in ("event", "node", "device", "severity", "area")} | {
            "id": f"i{number}",
            "number": number,
            "key": f"k{number}",
            "site": "c",
            "state": "open",
            "urgency": 1,
            "last": NOON,
            "body": body,
        }
        connection.execute(incident.insert(), row)
        rows = [
            {"incident": f"i{number}", "step": step, "at": at, "recorded": at}
            | {"actor": "rule:edge", "body": "{}"}
            for step, at in steps
        ]
        connection.execute(transition.insert(), rows)


def tell(folder: Folder, number: int, **changes: Any) -> None:
    """Keep a message that was sent, or did not arrive."""
    row = {
        "key": f"k{number}",
        "incident": "i",
        "call": number,
        "kind": "call",
        "round": 1,
        "rung": 0,
        "owner": "person:li",
        "place": 0,
        "channel": "bot",
        "address": "secret-address",
        "urgency": 1,
        "state": "sent",
        "attempts": 1,
        "doubts": 0,
        "next_at": NOON,
        "created": NOON,
        "ended": NOON,
        "body": "[]",
        **changes,
    }
    with writing(folder.state) as connection:
        connection.execute(notification.insert(), row)
