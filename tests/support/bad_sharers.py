"""Communities and districts with one fault each: which clause finds it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from toy_sharers import ToySharer, ToyStreet

from linli.conform.district import PATH

Said = list[tuple[str, dict[str, Any]]]


class WritesElsewhere(ToySharer):
    clause = "S1"

    def plan(self) -> Said:
        self.wire.publish("linli/v1/c001/b03/c001-n01/cam-1/event/smoke", b"{}")
        return super().plan()


class Retains(ToySharer):
    clause = "S1"

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().send(topic, payload, qos=qos, retain=True)


class SharesAtQos0(ToySharer):
    clause = "S1"

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().send(topic, payload, qos=0)


class SpeaksForAnother(ToySharer):
    clause = "S1"

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().send(topic.replace("c001", f"c00{len(self.again)}"), payload)


class Listens(ToySharer):
    clause = "S2"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return (("linli/v1/c001/+/+/+/command/+", 1),)


class NoSeverity(ToySharer):
    clause = "S3"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        body = super().event(thing, count, version)
        del body["data"]["severity"]
        return body


class CountsInWords(ToySharer):
    clause = "S3"

    def number(self, count: int, version: int) -> dict[str, Any]:
        body = super().number(count, version)
        body["data"]["count"] = "twelve"
        return body


class NamesTheHouse(ToySharer):
    clause = "S4"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        body = super().event(thing, count, version)
        body["data"]["subject"] = "b03/e1"
        return body


class SaysMoreInTheEnvelope(ToySharer):
    clause = "S4"

    def head(self, kind: str, thing: str) -> dict[str, Any]:
        return {**super().head(kind, thing), "subject": "b03/e1"}


class NamesAKindOfItsOwn(ToySharer):
    clause = "S4"

    def number(self, count: int, version: int) -> dict[str, Any]:
        body = super().number(count, version)
        body["data"]["kind"] = "face-gate"
        return body


class TellsThatADoorOpened(ToySharer):
    clause = "S4"

    def say(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "event":
            body["data"]["type"] = "door-open"
            payload = json.dumps(body).encode()
            self.send("linli/v1/c001/_share/event/door-open", payload)
        else:
            super().say(kind, body)


class NamesTheDeviceAsSource(ToySharer):
    clause = "S5"

    def head(self, kind: str, thing: str) -> dict[str, Any]:
        return {**super().head(kind, thing), "source": "/c002"}


class GivesAnotherSchema(ToySharer):
    clause = "S5"

    def head(self, kind: str, thing: str) -> dict[str, Any]:
        other = {"event": "registry", "registry": "event"}[kind]
        return {**super().head(kind, thing), "dataschema": f"urn:linli:schema:share-{other}/1.0"}


class AnotherTypeThanItsTopic(ToySharer):
    clause = "S5"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        body = super().event(thing, count, version)
        body["data"]["type"] = "gas"
        return body


class TellsSeconds(ToySharer):
    clause = "S6"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        return {**super().event(thing, count, version), "time": "2026-03-02T11:00:07Z"}


class TellsSecondsOfTheBeginning(ToySharer):
    clause = "S6"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        body = super().event(thing, count, version)
        body["data"]["since"] = "2026-03-02T11:00:07Z"
        return body


class TellsMillisecondsInItsIds(ToySharer):
    clause = "S6"

    def id_time(self) -> datetime:
        return super().id_time() + timedelta(milliseconds=41_123)


class TellsAtOnce(ToySharer):
    clause = "S7"

    def wait(self) -> timedelta:
        return timedelta(seconds=2)


class KeepsItsVersion(ToySharer):
    clause = "S8"

    def version(self, number: int) -> int:
        return 3


class OneIdForAll(ToySharer):
    clause = "S8"

    def event(self, thing: str, count: int, version: int) -> dict[str, Any]:
        body = super().event("one", count, version)
        if thing == "two":
            body["data"] |= {"since": "2026-03-02T10:00:00Z", "version": 9}
        return body


class MakesNewIdsWhenItTellsAgain(ToySharer):
    clause = "S8"

    def repeated(self, payload: bytes) -> bytes:
        body = json.loads(payload)
        return json.dumps({**body, "id": self.name(f"again {body['id']}")}).encode()


class TakesBackWhatNobodyHeard(ToySharer):
    clause = "S9"

    def plan(self) -> Said:
        return [*super().plan(), ("event", self.event("never", 0, 3))]


class OneIdForEachNumber(ToySharer):
    clause = "S10"

    def name(self, thing: str) -> str:
        return super().name(thing.partition("-")[0])


class NumbersOfOneVersion(ToySharer):
    clause = "S10"

    def number(self, count: int, version: int) -> dict[str, Any]:
        return super().number(count, 1)


class StaysAway(ToySharer):
    clause = "S11"

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(seconds=65)


BAD_SHARERS: tuple[type[ToySharer], ...] = (
    *(WritesElsewhere, Retains, SharesAtQos0, SpeaksForAnother, Listens, NoSeverity),
    *(CountsInWords, NamesTheHouse, SaysMoreInTheEnvelope, NamesAKindOfItsOwn),
    *(TellsThatADoorOpened, NamesTheDeviceAsSource, GivesAnotherSchema, AnotherTypeThanItsTopic),
    *(TellsSeconds, TellsSecondsOfTheBeginning, TellsMillisecondsInItsIds, TellsAtOnce),
    *(
        MakesNewIdsWhenItTellsAgain,
        KeepsItsVersion,
        OneIdForAll,
        TakesBackWhatNobodyHeard,
        OneIdForEachNumber,
    ),
    *(NumbersOfOneVersion, StaysAway),
)


class HearsAtQos0(ToyStreet):
    clause = "U1"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return tuple((text, 0) for text, _ in super().filters())


class HearsEventsAlone(ToyStreet):
    clause = "U1"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return ((f"linli/v1/up/{PATH}/+/event/+", 1),)


class AnswersThere(ToyStreet):
    clause = "U2"

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        super().hear(topic, payload, retain)
        self.wire.publish("linli/v1/up/thanks", b"")


class ComesBackLate(ToyStreet):
    clause = "U3"

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(seconds=65)


class ForgetsItsSession(ToyStreet):
    clause = "U4"
    session = False


class CountsMessages(ToyStreet):
    clause = "U5"

    def key(self, body: dict[str, Any]) -> object:
        return len(self.events)


class KeepsTheFirst(ToyStreet):
    clause = "U6"

    def newer(self, version: int, known: int) -> bool:
        return known < 0


class KeepsTheLast(ToyStreet):
    clause = "U7"

    def newer(self, version: int, known: int) -> bool:
        return True


class CountsNoughtAsOne(ToyStreet):
    clause = "U8"

    def worth(self, count: int) -> int:
        return count or 1


class MixesCommunities(ToyStreet):
    clause = "U9"

    def site(self, body: dict[str, Any]) -> str:
        return "conform-a"


class RefusesNewFields(ToyStreet):
    clause = "U10"

    def read(self, payload: bytes) -> dict[str, Any] | None:
        body = super().read(payload)
        return None if body is None or "tomorrow" in body else body


class GivesUpAfterABadOne(ToyStreet):
    clause = "U11"
    given_up = False

    def read(self, payload: bytes) -> dict[str, Any] | None:
        body = super().read(payload)
        self.given_up |= body is None
        return None if self.given_up else body


class AddsRowsUp(ToyStreet):
    clause = "U12"

    def row(self, body: dict[str, Any]) -> tuple[str, str]:
        return self.site(body), body["data"]["kind"]


BAD_STREETS: tuple[type[ToyStreet], ...] = (
    *(HearsAtQos0, HearsEventsAlone, AnswersThere, ComesBackLate, ForgetsItsSession),
    *(CountsMessages, KeepsTheFirst, KeepsTheLast, CountsNoughtAsOne, MixesCommunities),
    *(RefusesNewFields, GivesUpAfterABadOne, AddsRowsUp),
)
