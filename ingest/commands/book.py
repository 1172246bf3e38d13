"""Commands in `state.db`; each function runs in the caller's transaction."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ingest.commands.command import OPEN, Command
from ingest.store.commands import command
from linli.commands import CommandName

_COMMAND = msgspec.json.Decoder(Command)
_SHOWN = 50


def add(connection: sa.Connection, one: Command) -> None:
    """Write down a new one."""
    connection.execute(command.insert(), {**_row(one), "id": one.id})


def keep(connection: sa.Connection, one: Command) -> None:
    """Write down how it stands now."""
    connection.execute(command.update().where(command.c.id == one.id).values(_row(one)))


def get(connection: sa.Connection, name: str) -> Command | None:
    """Return one, None when there is none of that id."""
    body = connection.scalar(sa.select(command.c.body).where(command.c.id == name))
    return None if body is None else _COMMAND.decode(body)


def of_device(
    connection: sa.Connection,
    node: str,
    device: str,
    name: CommandName | None = None,
    limit: int = _SHOWN,
) -> list[Command]:
    """Return the last commands to a device, newest first."""
    query = sa.select(command.c.body).where(command.c.node == node, command.c.device == device)
    if name is not None:
        query = query.where(command.c.name == name)
    found = connection.scalars(query.order_by(command.c.id.desc()).limit(limit))
    return [_COMMAND.decode(body) for body in found]


def unfinished(connection: sa.Connection) -> list[Command]:
    """Return those that wait for a node's word, oldest first, at most a thousand."""
    query = sa.select(command.c.body).where(command.c.state.in_(OPEN))
    found = connection.scalars(query.order_by(command.c.id).limit(1000))
    return [_COMMAND.decode(body) for body in found]


def _row(one: Command) -> dict[str, object]:
    return {
        "node": one.node,
        "device": one.device,
        "name": one.name,
        "state": one.state,
        "incident": one.incident,
        "issued": one.issued,
        "body": msgspec.json.encode(one).decode(),
    }
