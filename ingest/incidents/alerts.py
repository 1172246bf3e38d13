"""An alert of another monitoring system as a fact for incidents. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Key
from ingest.incidents.storm import NOWHERE
from linli.clock import clamped
from linli.events import SEVERITIES, Phase, Severity
from linli.ids import derived_id
from linli.topics import SELF, is_id

RULE = "rule:grafana"
EVENT = "grafana-alert"
"""What an alert is called whose rule does not say: in its label `rule`, in an id's letters."""
SOURCE = "grafana"
"""Stands for the node of an alert that names none."""
_TITLE = 200
_NEVER = 1971
"""Grafana writes the year 1 for an end that has not come."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. `fingerprint` is the same as long as its labels are; `title` what people read."""

    fingerprint: str
    firing: bool
    starts: datetime
    ends: datetime | None
    labels: Mapping[str, str]
    title: str | None


def fact_of(alert: Alert, site: str, now: datetime) -> EventFact:
    """Return what an alert comes to: the same fact again for the same alert, whenever it is told.

    Its labels `rule`, `area`, `node`, `device`, `of` and `severity` say what and where, as far as
    they are ids of ours. Nothing is in the future.
    """
    labels = {name: value for name, value in alert.labels.items() if is_id(value)}
    rule = labels.get("rule")
    began = min(clamped(alert.starts), now)
    ended = alert.ends if alert.ends is not None and alert.ends.year >= _NEVER else now
    at = began if alert.firing else max(began, min(clamped(ended), now))
    phase: Phase = "begin" if alert.firing else "end"
    episode = derived_id(began, SOURCE, alert.fingerprint, alert.starts.isoformat())
    return EventFact(
        key=Key(
            site=site,
            node=labels.get("node", SOURCE),
            device=labels.get("device", SELF),
            event=rule or EVENT,
            zone=labels.get("of") if rule else _short(alert.fingerprint),
        ),
        area=labels.get("area", NOWHERE),
        subject=None,
        event_id=derived_id(began, episode, phase),
        phase=phase,
        episode=episode,
        severity=_severity(alert.labels.get("severity", "")),
        object_label=EVENT,
        since=began,
        at=at,
        heard=now,
        actor=RULE,
        title=(alert.title or alert.labels.get("alertname") or EVENT).strip()[:_TITLE],
    )


def _severity(said: str) -> Severity:
    return next((one for one in SEVERITIES if one == said), "medium")


def _short(fingerprint: str) -> str:
    """Return an id for any text: two alerts without a rule of their own are two incidents."""
    return hashlib.blake2b(fingerprint.encode(), digest_size=8).hexdigest()
