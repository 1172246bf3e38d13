"""Plays two communities to who counts in a district: twice, corrected, late, and bad messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linli.codec import encode
from linli.conform.district import (
    EVENTS,
    ONE,
    OTHER,
    PATH,
    REGISTRY,
    answer,
    hears,
    wishes,
    wrong,
)
from linli.conform.trace import Connected, Event, Subscribed, Trace
from linli.conform.trial import Ask, Cut, Open, Say, Script, Trial, Wait, never
from linli.events import schema_uri
from linli.ids import derived_id, short_id
from linli.share import (
    AreaClass,
    SharedCount,
    SharedCountData,
    SharedEvent,
    SharedEventData,
    SharedKind,
    SharedType,
)
from linli.topics import district_prefix

_BACK = 70.0


@dataclass(frozen=True, slots=True)
class DistrictPlan:
    """How long to wait, in seconds, and in which street the communities are.

    `tally`: there is a command that prints what it counts.
    """

    patience: float = 60.0
    quiet: float = 3.0
    tally: bool = False
    path: str = PATH


class DistrictTrial(Trial):
    """The client that subscribes to what communities share is the one that is tried."""

    def __init__(self, plan: DistrictPlan) -> None:
        super().__init__()
        self._plan = plan
        self._before: list[tuple[str, Event]] = []
        self._salt = short_id()
        self._first: datetime | None = None

    def see(self, client: str, event: Event) -> None:
        """Take what passed the relay; until it is known who is tried, of everybody."""
        if self.trace.node:
            if client == self.trace.node:
                self.trace.add(event)
            return
        self._before.append((client, event))
        if isinstance(event, Subscribed) and _listens(event, self._plan.path):
            self.trace.node = client
            for who, one in self._before:
                if who == client:
                    self.trace.add(one)
            self._before.clear()

    def script(self) -> Script:
        """Tell what communities tell, in the ways that it may come; look at what is counted."""
        self.phase = "waiting for it to subscribe to what communities share"
        yield Wait(lambda: bool(self.trace.node), self._plan.patience)
        if not self.trace.node:
            return
        self._note("path", self._plan.path)
        self.phase = "two communities share"
        self._ordinary()
        self._odd()
        self._numbers()
        yield Wait(never, self._plan.quiet)
        self.phase = "its connection is cut"
        self._note("cut")
        self._do(Cut())
        self._event("water-leak", 1, 3)
        yield Wait(never, self._plan.quiet)
        count = self._connections()
        self._note("open")
        self._do(Open())
        self.phase = "waiting for it to come back"
        yield Wait(lambda: self._connections() > count, _BACK)
        if self._plan.tally:
            yield from self._asked()

    def _asked(self) -> Script:
        self.phase = "what it counts"
        for _ in range(max(1, int(self._plan.patience / self._plan.quiet))):
            before = len(self.trace.did("answer"))
            self._do(Ask())
            yield Wait(lambda: len(self.trace.did("answer")) > before, self._plan.patience)  # noqa: B023 - read before the next
            found = answer(self.trace)
            if found is not None and not (
                wrong(found, "events", EVENTS) or wrong(found, "registry", REGISTRY)
            ):
                return
            yield Wait(never, self._plan.quiet)

    def _ordinary(self) -> None:
        for number, count in (("1", 2), ("1", 2), ("2", 1)):
            self._event("smoke", count, 3, number=number)
        for count, version in ((1, 3), (3, 5)):
            self._event("gas", count, version)
        for count, version in ((4, 5), (1, 3)):
            self._event("forced", count, version)
        for count, version in ((2, 3), (0, 4)):
            self._event("loitering", count, version)
        self._event("tilted", 0, 4)
        self._event("tamper", 1, 3)
        self._event("tamper", 2, 3, site=OTHER)

    def _odd(self) -> None:
        newer = {"dataschema": "urn:linli:schema:share-event/1.99", "tomorrow": "x"}
        self._event("crowding", 5, 3, more=newer, data={"mood": "calm"})
        good = self._made("vibration", 7, 3, number="bad")
        topic = self._topic(ONE, "event/vibration")
        self._do(Say(topic, good[:-1]))
        for spoiled in ({"count": "many"}, {"type": 7}, {"version": None}):
            self._event("vibration", 7, 3, number="bad", data=spoiled)
        self._do(Say(topic, b"[]"))
        self._event("vibration", 1, 3)

    def _numbers(self) -> None:
        for number, version in ((12, 1), (9, 2), (12, 1)):
            self._count("camera", "building", number, version)
        self._count("lamp", "public", 3, 1)
        self._count("camera", "building", 4, 1, site=OTHER)

    def _topic(self, site: str, rest: str) -> str:
        return district_prefix(self._plan.path, site) + rest

    def _event(
        self,
        kind: SharedType,
        count: int,
        version: int,
        *,
        site: str = ONE,
        number: str = "1",
        more: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        payload = self._made(kind, count, version, site=site, number=number)
        if more or data:
            body = json.loads(payload)
            body |= more or {}
            body["data"] |= data or {}
            payload = json.dumps(body).encode()
        self._do(Say(self._topic(site, f"event/{kind}"), payload))

    def _made(
        self, kind: SharedType, count: int, version: int, *, site: str = ONE, number: str = "1"
    ) -> bytes:
        made = SharedEvent(
            **self._head("event", site, kind, number),
            data=SharedEventData(
                phase="end",
                type=kind,
                severity="low",
                areaclass="other",
                since=self._minute(),
                count=count,
                version=version,
            ),
        )
        return encode(made)

    def _count(
        self, kind: SharedKind, areaclass: AreaClass, number: int, version: int, *, site: str = ONE
    ) -> None:
        head = self._head("registry", site, kind, areaclass, str(version))
        data = SharedCountData(kind=kind, areaclass=areaclass, count=number, version=version)
        topic = self._topic(site, "registry/" + head["id"].replace("-", ""))
        self._do(Say(topic, encode(SharedCount(**head, data=data))))

    def _head(self, kind: str, site: str, *parts: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": derived_id(self._whole(), self._salt, kind, site, *parts),
            "source": f"/{site}",
            "type": f"linli.share.{kind}",
            "time": self._minute(),
            "datacontenttype": "application/json",
            "dataschema": schema_uri(f"share-{kind}"),
        }

    def _whole(self) -> datetime:
        """Return the minute of the first message: an id is the same however often it is told."""
        self._first = self._first or self._now.replace(second=0, microsecond=0)
        return self._first

    def _minute(self) -> str:
        return self._whole().strftime("%Y-%m-%dT%H:%M:00Z")

    def _connections(self) -> int:
        return sum(1 for _ in self.trace.all(Connected))


def _listens(event: Subscribed, path: str) -> bool:
    trace = Trace()
    trace.add(event)
    return any(
        hears(text, kind, path) for text, _ in wishes(trace) for kind in ("event", "registry")
    )
