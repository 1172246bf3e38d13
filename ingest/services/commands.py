"""What staff may ask of devices: each is written down with who, why and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.commands import book
from ingest.commands.command import TTL, Command, check_holds, wish
from ingest.feed import Feed
from ingest.incidents import book as incidents
from ingest.refusal import Busy, Clash, NotAllowed, NotThere, NotUsable
from ingest.settings import Integrator
from ingest.store.engine import reading, writing
from ingest.store.registry import CONFIRMED, device, node
from linli.commands import AskData, CommandName
from linli.ids import uuid7

LONGEST_REASON = 200
MOST_OPEN = 100


class CommandService:
    """Takes commands; `submit` sends them, None where commands are off."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        submit: Callable[[Command], None] | None,
        integrators: Sequence[Integrator] = (),
    ) -> None:
        self._integrators = integrators
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._submit = submit

    @property
    def on(self) -> bool:
        """Whether commands are sent at all."""
        return self._submit is not None

    def issue(
        self,
        viewer: Viewer,
        where: tuple[str, str],
        name: CommandName,
        now: datetime,
        *,
        reason: str,
        seconds: int | None = None,
        prompt: str | None = None,
        level: float | None = None,
        lasts: int | None = None,
        incident: str | None = None,
        once: str | None = None,
    ) -> Command:
        """Send a command to `where`, a node and a device; it is sent once and never again.

        Asked again under the same `once` by the same viewer while it holds, it is the same one.
        Raises NotAllowed, NotThere, NotUsable, Busy, and Clash when commands are off, the incident
        is a drill, or a door was held too often in a row.
        """
        viewer.within("command")
        if self._submit is None:
            raise Clash("commands are off", hint="Set commands.enabled in ingest.toml")
        reason = reason.strip()
        if not 0 < len(reason) <= LONGEST_REASON:
            raise NotUsable(f"say why, in at most {LONGEST_REASON} characters", where="reason")
        data = wish(name, viewer.actor, seconds=seconds, prompt=prompt, level=level, lasts=lasts)
        with writing(self._writer) as connection:
            site, area = home(connection, *where)
            if not viewer.knows(area):
                raise NotThere("no such device in use")
            known = _asked_before(book.of_device(connection, *where, name), viewer.actor, once, now)
            if known is not None:
                return known
            if incident is not None:
                _check_incident(connection, incident)
            if len(book.unfinished(connection)) >= MOST_OPEN:
                raise Busy("too many commands wait for their devices")
            if name == "door-hold":
                check_holds(book.of_device(connection, *where, name), now)
            made = Command(
                id=uuid7(now),
                site=site,
                area=area,
                node=where[0],
                device=where[1],
                name=name,
                data=data,
                actor=viewer.actor,
                reason=reason,
                issued=now,
                incident=incident,
                once=once,
            )
            book.add(connection, made)
            said = {"command": name, "id": made.id, "reason": reason, "incident": incident}
            audit.note(connection, now, viewer.actor, "commanded", "/".join(where), **said)
        self._submit(made)
        self._feed.tell("devices")
        return made

    def request(
        self, user: str, device_name: str, name: CommandName, ask: AskData, now: datetime
    ) -> Command:
        """Send what another system asks for, if it may ask for that.

        The same request again is the same command. Raises NotAllowed, NotThere when there is not
        exactly one such device, NotUsable, and what `issue` raises.
        """
        known = next((one for one in self._integrators if one.user == user), None)
        if known is None or name not in known.commands:
            raise NotAllowed(f"{user} may not ask for {name}")
        if not now < ask.expirytime <= now + TTL:
            rule = f"is over, or more than {TTL.seconds} s ahead"
            raise NotUsable(rule, where="expirytime")
        with reading(self._reader) as connection:
            node_name = _only_node(connection, device_name)
        if known.devices and f"{node_name}/{device_name}" not in known.devices:
            raise NotAllowed(f"{user} may not ask {node_name}/{device_name}")
        return self.issue(
            Viewer(account=f"integrator:{user}", name=user, role="integrator", kind="integrator"),
            (node_name, device_name),
            name,
            now,
            reason=ask.reason,
            seconds=ask.seconds,
            prompt=ask.prompt,
            level=ask.level,
            lasts=ask.lasts,
            once=ask.id,
        )

    def get(self, viewer: Viewer, command: str) -> Command:
        """Return one as it stands. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            found = book.get(connection, command)
        if found is None or not viewer.knows(found.area):
            raise NotThere("no such command")
        return found

    def of_device(self, viewer: Viewer, where: tuple[str, str]) -> tuple[Command, ...]:
        """Return the last fifty commands to a device, newest first. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            _, area = home(connection, *where)
            if not viewer.knows(area):
                raise NotThere("no such device in use")
            return tuple(book.of_device(connection, *where))


def _asked_before(
    before: Iterable[Command], actor: str, once: str | None, now: datetime
) -> Command | None:
    """Return what was asked under this name a moment ago; later it is meant anew."""
    for one in before:
        if once is not None and (one.actor, one.once) == (actor, once) and now < one.expires:
            return one
    return None


def _check_incident(connection: sa.Connection, name: str) -> None:
    found = incidents.get(connection, name)
    if found is None:
        raise NotThere("no such incident")
    if found.label == "drill":
        raise Clash("this is a drill: nothing is switched for it")


def home(connection: sa.Connection, node_name: str, device_name: str) -> tuple[str, str]:
    """Return site and area of a device that is in use. Raises NotThere."""
    query = (
        sa.select(device.c.site, device.c.area)
        .join(node, node.c.node == device.c.node)
        .where(
            device.c.node == node_name,
            device.c.device == device_name,
            device.c.standing == CONFIRMED,
            node.c.standing == CONFIRMED,
        )
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotThere("no such device in use")
    return row.site, row.area


def _only_node(connection: sa.Connection, name: str) -> str:
    """Return the node of the one device in use that is called so. Raises NotThere."""
    query = (
        sa.select(device.c.node)
        .join(node, node.c.node == device.c.node)
        .where(
            device.c.device == name,
            device.c.standing == CONFIRMED,
            node.c.standing == CONFIRMED,
        )
        .limit(2)
    )
    found: list[str] = list(connection.scalars(query))
    if len(found) != 1:
        raise NotThere("no such device in use, or more than one")
    return found[0]
