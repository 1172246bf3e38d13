"""Plain words for what travels as ids: severities, states, events, objects, places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboards.web.language import Language, catalog, msg
from ingest.incidents.incident import Incident, Key, Label, State
from ingest.incidents.storm import NOWHERE
from ingest.rules.targets import AREA
from linli.events import Severity
from linli.topics import PROBE_NODE, SELF

SEVERITIES: dict[Severity, str] = {
    "critical": msg("Critical"),
    "high": msg("High"),
    "medium": msg("Medium"),
    "low": msg("Low"),
}
STATES: dict[State, str] = {
    "open": msg("Waiting"),
    "acknowledged": msg("Acknowledged"),
    "in-progress": msg("Being handled"),
    "resolved": msg("Resolved"),
}
LABELS: dict[Label, str] = {
    "true-alarm": msg("Confirmed"),
    "false-alarm": msg("False alarm"),
    "drill": msg("Drill"),
}
EVENTS = {
    "ebike-in-elevator": msg("E-bike in the lift"),
    "zone-dwell": msg("%(object)s staying in the watched area"),
    "bin-full": msg("Bin · %(object)s"),
    "bin-fire": msg("Fire in a waste bin"),
    "bin-tipped": msg("Bin has fallen"),
    "bin-overdue": msg("Full bin not emptied in time"),
    "lamp-fault": msg("Lamp · %(object)s"),
    "blocked-fire-lane": msg("Fire lane blocked"),
    "closed-zone-entry": msg("Somebody in a closed zone"),
    "loitering": msg("Somebody stays long"),
    "crowding": msg("Crowd"),
    "bulky-waste": msg("Bulky waste left"),
    "camera-tampered": msg("Camera · %(object)s"),
    "alarm-storm": msg("Many alarms at once"),
    "smoke": msg("Smoke alarm"),
    "gas": msg("Gas alarm"),
    "carbon-monoxide": msg("Carbon monoxide alarm"),
    "water-leak": msg("Water leak"),
    "door-open": msg("Door left open"),
    "forced": msg("Door forced open"),
    "held-open": msg("Door held open too long"),
    "access-granted": msg("Let in at the gate"),
    "access-denied": msg("Refused at the gate"),
    "occupancy": msg("Somebody is there"),
    "vibration": msg("Vibration"),
    "battery-low": msg("Battery of a sensor low"),
    "on": msg("Switched on"),
    "tamper": msg("Sensor taken off"),
    "tilted": msg("Tipped over"),
    "sensor-offline": msg("Sensor silent"),
    "sensor-source-offline": msg("Sensors' gateway silent"),
    "message-conflict": msg("Box contradicts its own messages"),
    "disk-low": msg("Disk · %(object)s"),
    "edge-silent": msg("Edge box silent"),
}
KEPT = {
    "gate-passed": msg("Somebody passed a gate"),
    "gate-refused": msg("Somebody was not let through a gate"),
    "door-hold": msg("Door held open"),
    "voice-prompt": msg("Sentence said"),
    "lamp-set": msg("Lamps set by staff"),
}
"""Events that are kept and call for nobody, unless a rule of the site counts them."""
_ANYBODY = {
    "zone-dwell": msg("Staying in the watched area"),
    "bin-full": msg("Bin full"),
    "lamp-fault": msg("Lamp not as it should be"),
    "camera-tampered": msg("Camera not as it should be"),
    "disk-low": msg("Disk nearly full"),
}
OBJECTS = {
    "person": msg("Person"),
    "bicycle": msg("Bicycle"),
    "motorcycle": msg("Motorcycle"),
    "ebike": msg("E-bike"),
    "car": msg("Car"),
    "bus": msg("Bus"),
    "truck": msg("Truck"),
    "stroller": msg("Stroller"),
    "wheelchair": msg("Wheelchair"),
    "dog": msg("Dog"),
    "cat": msg("Cat"),
    "suitcase": msg("Suitcase"),
    "backpack": msg("Backpack"),
    "umbrella": msg("Umbrella"),
    "chair": msg("Chair"),
    "couch": msg("Couch"),
    "bed": msg("Bed"),
    "dining-table": msg("Table"),
    "refrigerator": msg("Refrigerator"),
    "tv": msg("Television"),
    # What is wrong with a camera's picture.
    "away": msg("No picture comes"),
    "black": msg("Black picture"),
    "covered": msg("Covered"),
    "frozen": msg("Picture stands still"),
    "moved": msg("Turned away"),
    # How short a disk is.
    "little-room": msg("Nearly full"),
    "no-room": msg("Full: readings are given up"),
    "giving-up": msg("Full: what is oldest is deleted"),
    # States of taught places, which stand where an object does.
    "full": msg("Full"),
    "overflowing": msg("Overflowing"),
    "overheating": msg("Overheating"),
    "tipped": msg("Tipped over"),
    "not-emptied": msg("Not emptied"),
    "off": msg("Not lit"),
    "flickering": msg("Flickering"),
    "no-power": msg("No power"),
    "no-light": msg("No light"),
    "stuck-on": msg("Does not go off"),
    "no-answer": msg("Does not answer"),
}
ACTIONS = {
    "door-hold": msg("Door held open"),
    "voice-prompt": msg("Voice prompt played"),
    "lamp": msg("Lamp switched"),
}
RESULTS = {
    "done": msg("done"),
    "failed": msg("failed"),
    "skipped": msg("skipped"),
}
KINDS = {
    "camera": msg("Camera"),
    "lift-door": msg("Lift door"),
    "speaker": msg("Loudspeaker"),
    "bin": msg("Waste bin"),
    "guide": msg("Waste guidance point"),
    "edge": msg("Edge box"),
    "sensor": msg("Sensor"),
    "smoke": msg("Smoke detector"),
    "water-leak": msg("Leak detector"),
    "door": msg("Door contact"),
    "presence": msg("Movement sensor"),
    "light": msg("Light sensor"),
    "people-counter": msg("People counter"),
    "meter": msg("Meter"),
    "gate": msg("Gate"),
}
# Ids of places that are usual enough to have words; b03 is building 3, lift-1 or e1 lift 1.
PLACES = {
    "doorway": msg("Doorway"),
    "door": msg("Doorway"),
    "entrance": msg("Entrance"),
    "lobby": msg("Lobby"),
    "stairs": msg("Stairs"),
    "corridor": msg("Corridor"),
    "fire-lane": msg("Fire lane"),
    "garden": msg("Garden"),
    "parking": msg("Car park"),
    "gate-n": msg("North gate"),
    "gate-s": msg("South gate"),
    "gate-e": msg("East gate"),
    "gate-w": msg("West gate"),
}
_NUMBERED = (
    (re.compile(r"b0*([1-9][0-9]{0,3})", re.ASCII), msg("Building %(number)s")),
    (re.compile(r"(?:lift-|e)0*([1-9][0-9]?)", re.ASCII), msg("Lift %(number)s")),
)


_DAYS = re.compile(r"days-([0-9]{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks one language; `devices` maps (node, device) to the name people gave it.

    `people` maps actors that are no accounts, `person:ID` and `team:ID`, to what they are called.
    """

    language: Language
    devices: Mapping[tuple[str, str], str]
    people: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """Translate a text that `msg` marked."""
        return catalog(self.language).gettext(text)

    def severity(self, severity: Severity) -> str:
        """Return the word that stands beside colour and shape."""
        return self.say(SEVERITIES[severity])

    def state(self, state: State) -> str:
        """Return the word of a state of work."""
        return self.say(STATES[state])

    def what(self, incident: Incident) -> str:
        """Return what happened, as a headline: in the words of the rule where it has some."""
        what = self._what(incident)
        return self.say(msg("Drill: %(what)s")) % {"what": what} if incident.key.drill else what

    def _what(self, incident: Incident) -> str:
        if incident.title is not None:
            return incident.title
        subject = self.object(incident.object_label)
        event = EVENTS.get(incident.key.event)
        if event is None:
            return f"{unslug(incident.key.event)} · {subject}"
        return self.say(event) % {"object": subject}

    def event(self, event: str) -> str:
        """Return what an event is called, whoever it is about."""
        known = EVENTS.get(event)
        if known is None or "%(object)s" in known:
            known = _ANYBODY.get(event) or KEPT.get(event)
        return self.say(known) if known is not None else unslug(event)

    def where(self, key: Key) -> str:
        """Return the place as the camera is called."""
        if key.device == NOWHERE:
            return self.say(msg("Whole site"))
        if key.node == PROBE_NODE:
            return self.say(msg("Server"))
        if key.node == AREA:
            return self.area(key.device)
        known = self.devices.get((key.node, key.device))
        return known or (key.node if key.device == SELF else unslug(key.device))

    def place(self, incident: Incident) -> str:
        """Return the wider place, unless the name of the thing begins with it, and the zone."""
        wider = incident.area != NOWHERE and incident.key.node != AREA
        area = self.area(incident.area)
        parts = [area] if wider and not _begins(self.where(incident.key), area) else []
        if incident.key.zone and not incident.key.drill:
            parts.append(self.area(incident.key.zone))
        # A line may break between the parts, not inside one.
        return " · ".join(part.replace(" ", "\u00a0") for part in parts)

    def area(self, slug: str) -> str:
        """Return a building, public area or zone in words."""
        for pattern, text in _NUMBERED:
            found = pattern.fullmatch(slug)
            if found:
                return self.say(text) % {"number": found.group(1)}
        return self._known(PLACES, slug)

    def object(self, label: str) -> str:
        """Return what the model calls an object."""
        if days := _DAYS.fullmatch(label):
            count = int(days.group(1))
            ngettext = catalog(self.language).ngettext
            return ngettext("full in about %(num)s day", "full in about %(num)s days", count) % {
                "num": count
            }
        return self._known(OBJECTS, label)

    def action(self, action: str, result: str) -> str:
        """Return what the edge did by itself and how it went."""
        parts = {"action": self._known(ACTIONS, action), "result": self._known(RESULTS, result)}
        return self.say(msg("%(action)s: %(result)s")) % parts

    def kind(self, kind: str) -> str:
        """Return the kind of a device."""
        return self._known(KINDS, kind)

    def actor(self, actor: str) -> str:
        """Return who did something: a person's name, or the system."""
        who, _, name = actor.partition(":")
        if who in {"person", "team"}:
            return self.people.get(actor, name)
        return name if who in {"user", "integrator"} and name else self.say(msg("the system"))

    def _known(self, table: Mapping[str, str], slug: str) -> str:
        known = table.get(slug)
        return self.say(known) if known is not None else unslug(slug)


def _begins(name: str, area: str) -> bool:
    """Return whether a name says its area already, as `3 号楼 1 号电梯` says `3 号楼`."""
    said, wider = ("".join(one.split()) for one in (name, area))
    ends_in_number = said[len(wider) :][:1].isdigit() and wider[-1:].isdigit()
    return said.startswith(wider) and not ends_in_number


def unslug(slug: str) -> str:
    """Return an id as words: `fire-lane` as `Fire lane`."""
    text = slug.replace("-", " ")
    return text[:1].upper() + text[1:]
