"""A whole ingest on an estate with years of incidents, for the benchmarks of the pages."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import sqlalchemy as sa
from load import Community, area, until
from processes import PATIENCE, Broker, running, write_config
from wire import SITE

from ingest.accounts import book as accounts
from ingest.incidents import book
from ingest.incidents.fold import fold
from ingest.incidents.incident import Key, Step, Transition
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of
from linli.broker import free_port
from linli.events import Severity
from linli.ids import uuid7

NAME, PASSWORD = "bench", "a long password of the bench"
EVENTS = ("ebike-in-elevator", "fire-lane-blocked", "zone-dwell", "bin-full", "lamp-dark")
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
TOGETHER = 500
NODES = 40


@dataclass(frozen=True, slots=True)
class Estate:
    """Where it answers, and who may ask; `incident` is one that is open."""

    url: str
    mqtt: int
    token: str
    sessions: tuple[str, ...]
    incident: str
    place: str
    device: str
    parent: int
    community: Community
    filled: dict[str, int]


@contextlib.contextmanager
def estate(folder: Path, *, incidents: int, still_open: int, devices: int) -> Iterator[Estate]:
    """Fill a data folder, run mosquitto and the whole ingest on it until it answers."""
    started = time.monotonic()
    community, data, http = Community(devices, NODES), folder / "data", free_port()
    community.register(data)
    engine, now = open_writer(path_of(data, "state")), datetime.now(UTC)
    with writing(engine) as connection:
        accounts.add_account(connection, NAME, "admin", now, PASSWORD)
        token = accounts.add_token(
            connection, NAME, NAME, {"see"}, now=now, lasts=timedelta(days=1)
        )
        account = next(one for one in accounts.accounts(connection) if one.name == NAME)
        sessions = tuple(accounts.open_session(connection, account, now)[0] for _ in range(64))
    last = ""
    for first in range(0, incidents, TOGETHER):
        with writing(engine) as connection:
            for number in range(first, min(first + TOGETHER, incidents)):
                last = _happen(connection, community, number, incidents, still_open, now)
    engine.dispose()
    filled = {
        "incidents": incidents,
        "open": still_open,
        "devices": devices,
        "filled_s": round(time.monotonic() - started),
        "state_mb": round(path_of(data, "state").stat().st_size / 1e6),
    }
    (folder / "broker").mkdir()
    with Broker(folder / "broker") as broker:
        config = write_config(folder, data, broker.port, http)
        with running("run", "--config", str(config)) as parent:
            url = f"http://127.0.0.1:{http}"
            until(lambda: _answers(url), PATIENCE, "the ingest does not start", 0.1)
            node, device = community.homes[0]
            yield Estate(
                url,
                broker.port,
                token,
                sessions,
                last,
                f"{SITE}/{area(node)}",
                f"{node}/{device}",
                parent.pid,
                community,
                filled,
            )


def _happen(
    connection: sa.Connection,
    community: Community,
    number: int,
    incidents: int,
    still_open: int,
    now: datetime,
) -> str:
    """Keep one incident; the newest `still_open` of them are not resolved."""
    chance = random.Random(number)
    node, device = community.homes[number % len(community.homes)]
    ago = timedelta(days=365) * (1 - (number + 1) / incidents)
    at, incident = now - ago, uuid7(now - ago)

    def row(step: Step, minutes: float, actor: str) -> Transition:
        when = min(now, at + timedelta(minutes=minutes))
        return Transition(incident=incident, step=step, at=when, recorded=when, actor=actor)

    rows = [
        Transition(
            incident=incident, step="opened", at=at, recorded=at, actor="rule:edge",
            number=number + 1,
            key=Key(
                site=SITE, node=node, device=device, event=chance.choice(EVENTS), zone=f"z{number}"
            ),
            area=area(node), severity=chance.choice(SEVERITIES), object_label="ebike",
            confidence=0.87, dwell=2.4, episode=uuid7(at), event_id=uuid7(at),
        )
    ]  # fmt: skip
    if number % 3 == 0 or number < incidents - still_open:
        rows.append(row("cleared", 2, "rule:clear"))
    if number < incidents - still_open:
        rows.append(row("acknowledged", chance.uniform(1, 30), f"user:{NAME}"))
        rows.append(row("resolved", chance.uniform(30, 90), f"user:{NAME}"))
    kept = book.keep(connection, fold(rows), rows)
    assert kept is not None
    return incident


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/healthz").status_code == 200
    return False
