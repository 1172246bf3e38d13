"""Devices with one fault each: which clause finds it."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from toy_device import NODE, SITE, ToyDevice

from linli.conform.trace import WillSeen


class OldVersion(ToyDevice):
    clause = "D1"

    def connect(self) -> bool:
        return self.wire.connect(self.filters(), self.will(), user=NODE, client=NODE, level=4)


class OtherUser(ToyDevice):
    clause = "D2"

    def connect(self) -> bool:
        return self.wire.connect(self.filters(), self.will(), user="admin", client=NODE)


class ReadyOnlyOnce(ToyDevice):
    clause = "D3"
    told = False

    def status(self, state: str) -> None:
        if state != "ready" or not self.told:
            super().status(state)
        self.told = True


class NoWill(ToyDevice):
    clause = "D4"

    def will(self) -> WillSeen | None:
        return None


class WillOfAnotherSession(ToyDevice):
    clause = "D4"

    def will(self) -> WillSeen | None:
        good = super().will()
        assert good is not None
        return replace(good, payload=b'{"state":"lost","session":"00000000"}')


class WillThatPasses(ToyDevice):
    clause = "D4"

    def will(self) -> WillSeen | None:
        good = super().will()
        assert good is not None
        return replace(good, retain=False)


class DescribesItselfAlone(ToyDevice):
    clause = "D5"

    def births(self) -> list[str]:
        return ["self"]


class DeafToRejects(ToyDevice):
    clause = "D6"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return tuple(one for one in super().filters() if "reject" not in one[0])


class HearsAtQos0(ToyDevice):
    clause = "D6"

    def filters(self) -> tuple[tuple[str, int], ...]:
        return tuple((topic, 0) for topic, _ in super().filters())


class StaysAway(ToyDevice):
    clause = "D7"

    def lost(self) -> None:
        super().lost()
        self.reconnect = self.wire.now + timedelta(days=1)


class NeverReports(ToyDevice):
    clause = "D8"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if not topic.endswith("/report"):
            super().say(topic, payload, qos=qos, retain=retain)


class VanishesWhenStopped(ToyDevice):
    clause = "D9"

    def goodbye(self) -> None:
        self.wire.leave(cut=False, polite=False)


class LeavesWithoutDisconnect(ToyDevice):
    clause = "D9"

    def goodbye(self) -> None:
        self.status("stopped")
        self.wire.leave(cut=False, polite=False)


class ChineseTopic(ToyDevice):
    clause = "D10"

    def topic(self, device: str, kind: str, name: str) -> str:
        return super().topic(device.replace("lift-1", "一号梯"), kind, name)


class SpeaksForTheIngest(ToyDevice):
    clause = "D10"

    def on_up(self) -> None:
        super().on_up()
        self.say(f"linli/v1/{SITE}/_sys/{NODE}/ingest/receipt/aaaaaaaa", b"{}", retain=True)


class ExtraField(ToyDevice):
    clause = "D11"

    def change(self, document: dict[str, Any]) -> None:
        document["hello"] = 1


class NoSeverity(ToyDevice):
    clause = "D11"

    def change(self, document: dict[str, Any]) -> None:
        document["data"].pop("severity", None)


class OtherMajor(ToyDevice):
    clause = "D11"

    def change(self, document: dict[str, Any]) -> None:
        document["dataschema"] = "urn:linli:schema:event/2.0"


class BrokenJson(ToyDevice):
    clause = "D11"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        cut = payload[:-1] if "/event/" in topic else payload
        super().say(topic, cut, qos=qos, retain=retain)


class WrongSource(ToyDevice):
    clause = "D12"

    def change(self, document: dict[str, Any]) -> None:
        document["source"] = "/c001/somebody/else"


class SendsAPlate(ToyDevice):
    clause = "D13"

    def change(self, document: dict[str, Any]) -> None:
        document["data"]["plate"] = "浙A12345"


class SendsAPicture(ToyDevice):
    clause = "D13"

    def change(self, document: dict[str, Any]) -> None:
        document["data"]["snap"] = "A" * 4096


class TooLarge(ToyDevice):
    clause = "D14"

    def change(self, document: dict[str, Any]) -> None:
        if "readings" in document["data"]:
            document["data"]["readings"] *= 480


class EventsAtQos0(ToyDevice):
    clause = "D15"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=0 if "/event/" in topic else qos, retain=retain)


class RetainedFacts(ToyDevice):
    clause = "D16"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain or "/telemetry/" in topic)


class PassingBirth(ToyDevice):
    clause = "D16"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain and "/meta/" not in topic)


class RandomIds(ToyDevice):
    clause = "D17"

    def change(self, document: dict[str, Any]) -> None:
        document["id"] = str(uuid.uuid4())


class UnsyncedWithoutBoot(ToyDevice):
    clause = "D18"

    def __init__(self) -> None:
        super().__init__()
        self.clock = "unsynced"


class SyncedInTheFuture(ToyDevice):
    clause = "D18"

    def change(self, document: dict[str, Any]) -> None:
        document["time"] = (self.wire.now + timedelta(hours=8)).isoformat()


class OneEpisodeForAll(ToyDevice):
    clause = "D19"

    def episode(self) -> str:
        return "019cae4c-8f63-7a1b-9c2d-3e4f5a6b7c8d"


class DoesNotWait(ToyDevice):
    clause = "D20"

    def may_send(self) -> bool:
        return True


class Skips(ToyDevice):
    clause = "D21"

    def number(self, lane: str) -> int:
        self.last[lane] += 2 if self.last[lane] == 2 else 1
        return self.last[lane]


class BeginsAtZero(ToyDevice):
    clause = "D21"

    def __init__(self) -> None:
        super().__init__()
        self.last = {"telemetry": -1, "event": -1}


class Backwards(ToyDevice):
    clause = "D22"

    def number(self, lane: str) -> int:
        self.last[lane] += 1
        return {4: 5, 5: 4}.get(self.last[lane], self.last[lane])


class LowAboveItself(ToyDevice):
    clause = "D23"

    def low(self, lane: str, sequence: int) -> int:
        return sequence + 1


class LowAboveWhatItHolds(ToyDevice):
    clause = "D23"

    def low(self, lane: str, sequence: int) -> int:
        return sequence


class NewIdEachTime(ToyDevice):
    clause = "D24"
    count = 0

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if "/telemetry/" in topic:
            document = json.loads(payload)
            self.count += 1
            document["id"] = f"019cae4c-8f63-7a1b-9c2d-{self.count:012x}"
            payload = json.dumps(document).encode()
        super().say(topic, payload, qos=qos, retain=retain)


class OneIdForAll(ToyDevice):
    clause = "D24"

    def change(self, document: dict[str, Any]) -> None:
        document["id"] = "019cae4c-8f63-7a1b-9c2d-3e4f5a6b7c8d"


class TrustsPuback(ToyDevice):
    clause = "D25"

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        super().say(topic, payload, qos=qos, retain=retain)
        for place in [one for one, held in self.held.items() if held == (topic, payload)]:
            del self.held[place]


class ForgetsNothing(ToyDevice):
    clause = "D26"

    def confirm(self, receipt: dict[str, Any]) -> None: ...


class BlindToRanges(ToyDevice):
    clause = "D26"

    def confirm(self, receipt: dict[str, Any]) -> None:
        if not receipt.get("ranges"):
            return
        super().confirm({**receipt, "ranges": []})


class SendsTheRefusedAgain(ToyDevice):
    clause = "D27"

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[tuple[str, int], tuple[str, bytes]] = {}

    def reject(self, notice: dict[str, Any]) -> None:
        place = (notice["stream"], int(notice["sequence"]))
        self.refused[place] = self.held[place]
        super().reject(notice)

    def on_up(self) -> None:
        super().on_up()
        self.held |= self.refused


class FloodsWithoutReceipts(ToyDevice):
    clause = "D28"

    def make(self) -> None:
        for _ in range(1 if self.last["telemetry"] > 900 else 900):
            super().make()


class TooFast(ToyDevice):
    clause = "D29"

    def make(self) -> None:
        self.next = self.wire.now + timedelta(seconds=0.1)
        for _ in range(9):
            super().make()


class NewStreamEachTime(ToyDevice):
    clause = "D30"

    def on_up(self) -> None:
        super().on_up()
        mark = f"{self.wire.connection:04x}"
        self.streams = {"telemetry": f"aaaa{mark}", "event": f"bbbb{mark}"}
        self.last = {"telemetry": 0, "event": 0}


class SilentOnCommands(ToyDevice):
    clause = "D31"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None: ...


class DoneWithoutAccepted(ToyDevice):
    clause = "D31"

    def word(self, command: str, phase: str, device: str = "lift-1") -> None:
        if phase != "accepted":
            super().word(command, phase, device)


class NeverDone(ToyDevice):
    clause = "D32"

    def word(self, command: str, phase: str, device: str = "lift-1") -> None:
        if phase != "done":
            super().word(command, phase, device)


class AnswersForItself(ToyDevice):
    clause = "D33"

    def word(self, command: str, phase: str, device: str = "lift-1") -> None:
        super().word(command, phase, "self")


class RunsTwice(ToyDevice):
    clause = "D34"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        self.words.clear()
        super().command(topic, document, retain)


class SilentOnDuplicates(ToyDevice):
    clause = "D34"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        if document["id"] not in self.words:
            super().command(topic, document, retain)


class RunsWhatIsOver(ToyDevice):
    clause = "D35"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        later = {"expirytime": (self.wire.now + timedelta(seconds=9)).isoformat()}
        super().command(topic, {**document, **later}, retain)


class RunsTheRetained(ToyDevice):
    clause = "D36"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        super().command(topic, document, False)


class RunsForOthers(ToyDevice):
    clause = "D37"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        super().command(topic.replace("nobody-here", "lift-1"), document, retain)


class RunsTheUnknown(ToyDevice):
    clause = "D38"

    def command(self, topic: str, document: dict[str, Any], retain: bool) -> None:
        super().command(topic.replace("make-tea", "door-hold"), document, retain)


BAD = tuple(one for one in ToyDevice.__subclasses__() if one.__module__ == __name__)
