"""The words of the pages, for messages to people: what happened where, and what to do."""

from __future__ import annotations

import sqlalchemy as sa

from dashboards.web.language import Language as PageLanguage
from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.incidents.incident import Incident
from ingest.notify.message import Language
from ingest.notify.texts import Story
from ingest.store.registry import device, person, team

LANGUAGES: dict[Language, PageLanguage] = {"zh": "zh-CN", "en": "en"}
TODO = {
    "ebike-in-elevator": msg("go to the lift and have the e-bike taken out"),
    "zone-dwell": msg("go there and have it cleared"),
    "bin-full": msg("have the bin emptied"),
    "lamp-fault": msg("have the lamp looked at"),
    "smoke": msg("go there at once, see whether it burns, call 119 if it does"),
    "gas": msg("go there at once, touch no switch, shut the gas, air the place"),
    "water-leak": msg("go there and shut the water"),
    "sensor-offline": msg("see whether its battery is empty"),
    "bin-fire": msg("keep away, call 119 if it burns"),
    "bin-overdue": msg("ask the collectors why they did not come"),
    "bin-tipped": msg("set the bin up again"),
    "blocked-fire-lane": msg("have the vehicle moved"),
    "bulky-waste": msg("have it taken away"),
    "camera-tampered": msg("look at the camera itself"),
    "carbon-monoxide": msg("open the windows, bring everybody out, call 119"),
    "closed-zone-entry": msg("go there and bring them out"),
    "crowding": msg("go there and see that nobody is pressed"),
    "door-open": msg("have the door closed"),
    "forced": msg("go there, not alone"),
    "held-open": msg("see what keeps the door open"),
    "loitering": msg("go there and ask whether help is needed"),
    "sensor-source-offline": msg("see whether the gateway has power and network"),
    "tamper": msg("see who took it off, and put it back"),
    "tilted": msg("set it up again"),
    "battery-low": msg("change its battery"),
    "access-denied": msg("see who stands at the gate"),
    "access-granted": msg("see whether they should be there"),
    "occupancy": msg("see who is there"),
    "on": msg("see whether it is meant to be on"),
    "message-conflict": msg("ask who put an old copy on this box; if nobody did, cut it off"),
    "disk-low": msg("tell whoever looks after the server or the box to make room on its disk"),
    "edge-silent": msg("see whether the box has power and network; it tells of nothing until then"),
    "vibration": msg("see what shakes it"),
    "alarm-storm": msg("look at the list: many alarms came at once"),
}
DRILL_TODO = msg(
    "this is a drill: do what you would do, but call no emergency number and switch nothing"
)
_LABELS = sa.select(device.c.node, device.c.device, device.c.label)
_PEOPLE = sa.union_all(
    sa.select(sa.literal("person:") + person.c.person, person.c.label),
    sa.select(sa.literal("team:") + team.c.team, team.c.label),
)


def todo_of(incident: Incident) -> str | None:
    """Return what is to be done about an incident, for the catalog; None when nobody can say."""
    return DRILL_TODO if incident.key.drill else TODO.get(incident.key.event)


class WebWording:
    """Tells incidents as the pages do."""

    def story(self, connection: sa.Connection, incident: Incident, language: Language) -> Story:
        """Return what happened where, and what to do. Raises StoreError."""
        known = {(node, name): label for node, name, label in connection.execute(_LABELS)}
        people = {row[0]: row[1] for row in connection.execute(_PEOPLE)}
        words = Words(LANGUAGES[language], known, people)
        todo = todo_of(incident)
        where = " ".join(
            part for part in (words.place(incident), words.where(incident.key)) if part
        )
        by = incident.resolved_by or incident.acknowledged_by
        return Story(
            number=incident.number,
            severity=incident.severity,
            what=words.what(incident),
            where=where.replace("\u00a0", " "),
            since=incident.first,
            did=tuple(words.action(one.type, one.result) for one in incident.actions),
            todo="" if todo is None else words.say(todo),
            by=None if by is None else words.actor(by),
            late=incident.late,
        )
