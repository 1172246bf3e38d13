"""Consumers with one fault each: which clause finds it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from toy_consumer import ToyConsumer
from toy_device import NODE

from linli.codec import decode
from linli.conform.trace import WillSeen
from linli.errors import PayloadError
from linli.events import EventMessage
from linli.topics import Topic


class OldVersion(ToyConsumer):
    clause = "C1"

    def connect(self) -> bool:
        return self.wire.connect(self.filters(), self.will(), user="svc", client="svc", level=4)


class PassingStatus(ToyConsumer):
    clause = "C2"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain and "/status" not in topic)


class NoWill(ToyConsumer):
    clause = "C3"

    def will(self) -> WillSeen | None:
        return None


class WillOfAnotherSession(ToyConsumer):
    clause = "C3"

    def will(self) -> WillSeen | None:
        good = super().will()
        assert good is not None
        return replace(good, payload=b'{"state":"lost","session":"00000000"}')


class HearsEventsAlone(ToyConsumer):
    clause = "C4"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return super().filters()[:1]


class HearsAtQos0(ToyConsumer):
    clause = "C4"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return tuple((one, 0) for one, _ in super().filters())


class StaysAway(ToyConsumer):
    clause = "C5"

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(days=1)


class VanishesWhenStopped(ToyConsumer):
    clause = "C6"

    def goodbye(self) -> None:
        self.wire.leave(cut=False, polite=True)


class PassingReceipts(ToyConsumer):
    clause = "C7"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain and "/receipt/" not in topic)


class ReceiptsWithoutUpto(ToyConsumer):
    clause = "C7"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if "/receipt/" in topic:
            payload = payload.replace(b"upto", b"until")
        super().say(topic, payload, qos=qos, retain=retain)


class ReceiptsForAnother(ToyConsumer):
    clause = "C8"

    def receipt(self, node: str, stream: str) -> None:
        super().receipt(NODE, stream)


class CoversAGap(ToyConsumer):
    clause = "C9"

    def receipt(self, node: str, stream: str) -> None:
        self.upto[stream] = max(self.kept[stream])
        super().receipt(node, stream)


class TakesBack(ToyConsumer):
    clause = "C10"
    count = 0

    def receipt(self, node: str, stream: str) -> None:
        super().receipt(node, stream)
        self.count += 1
        if self.count == 9:
            self.upto[stream] = 0
            self.kept[stream] = {1: self.kept[stream][1]}


class GivesNoReceipts(ToyConsumer):
    clause = "C11"

    def receipt(self, node: str, stream: str) -> None: ...


class WantsOrder(ToyConsumer):
    clause = "C12"

    def judge(self, topic: str, payload: bytes) -> EventMessage | None:
        fact = super().judge(topic, payload)
        if fact is not None and int(fact.sequence) > len(self.kept.get(fact.stream, {})) + 1:
            raise PayloadError("schema", "out of order", path="$.sequence")
        return fact


class RefusesDuplicates(ToyConsumer):
    clause = "C13"

    def is_conflict(self, known: bytes, payload: bytes) -> bool:
        return True


class WaitsForTheLost(ToyConsumer):
    clause = "C14"

    def low(self, stream: str, low: int) -> None: ...


class StrictAboutFields(ToyConsumer):
    clause = "C15"

    def judge(self, topic: str, payload: bytes) -> EventMessage | None:
        if decode(Topic.parse(topic), payload).unknown_fields:
            raise PayloadError("schema", "a field that nobody knows")
        return super().judge(topic, payload)


class StumblesForGood(ToyConsumer):
    clause = "C16"
    fallen = False

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        super().refuse(topic, payload, code, path)
        self.fallen = self.fallen or code == "conflict"

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        if not self.fallen:
            super().hear(topic, payload, retain)


class SilentAfterACut(ToyConsumer):
    clause = "C17"
    cut = False

    def lost(self) -> None:
        super().lost()
        self.cut = True

    def receipt(self, node: str, stream: str) -> None:
        if not self.cut:
            super().receipt(node, stream)


class _Swallows(ToyConsumer):
    code = ""

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        if code != self.code:
            super().refuse(topic, payload, code, path)


class SwallowsJson(_Swallows):
    clause, code = "C18", "json"


class SwallowsSchema(_Swallows):
    clause, code = "C19", "schema"


class SwallowsVersion(_Swallows):
    clause, code = "C20", "version"


class SwallowsMismatch(_Swallows):
    clause, code = "C21", "topic-mismatch"


class SwallowsSize(_Swallows):
    clause, code = "C22", "size"


class SwallowsPrivacy(_Swallows):
    clause, code = "C23", "privacy"


class SwallowsConflict(_Swallows):
    clause, code = "C24", "conflict"


class SaysSchemaToAll(ToyConsumer):
    clause = "C23"

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        super().refuse(topic, payload, "schema", path)


class RetainedRejects(ToyConsumer):
    clause = "C25"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain or "/reject/" in topic)


class NamesNothing(ToyConsumer):
    clause = "C26"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if "/reject/" in topic:
            found = json.loads(payload)
            found.pop("stream", None)
            payload = json.dumps(found).encode()
        super().say(topic, payload, qos=qos, retain=retain)


class ReceiptFirst(ToyConsumer):
    clause = "C26"

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        place = self.place(payload)
        if place is not None and code != "conflict":
            self.kept.setdefault(place[0], {})[place[1]] = payload
            self.receipt(topic.split("/")[4], place[0])
        super().refuse(topic, payload, code, path)


class Gossips(ToyConsumer):
    clause = "C27"

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        said = payload.decode()[-200:].replace('"', "'") if code == "privacy" else path
        super().refuse(topic, payload, code, said)


class Forgetful(ToyConsumer):
    clause = "C28"

    def restart(self) -> None:
        super().restart()
        self.kept.clear()
        self.upto.clear()


BAD = tuple(
    one
    for one in (*ToyConsumer.__subclasses__(), *_Swallows.__subclasses__())
    if one.__module__ == __name__ and hasattr(one, "clause")
)
