"""What is shown of what happened: events, steps of incidents, figures of events."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ingest.incidents.incident import Step
from linli.events import Phase, Severity

Actor = Literal["rule", "user", "silence", "other"]


class HappenedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of an event; `delay` in seconds from happening to received, `dwell` how long it
    had stayed. What an older version of Linli did not keep is null."""

    id: str
    event: str
    phase: Phase | None
    severity: Severity | None
    area: str | None
    area_label: str
    node: str
    device: str | None
    device_label: str
    time: datetime
    received: datetime
    delay: float
    dwell: float | None
    confidence: float | None
    incident: str | None


class HappenedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an incident; `by` says what kind of actor took it, never who."""

    at: datetime
    step: Step
    by: Actor
    incident: str
    number: int
    event: str
    title: str
    severity: Severity
    area: str
    area_label: str
    node: str
    device: str
    device_label: str


class EventFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a group in the step that begins at `time`; null where it is not known.

    `delay_median` and `delay_p95`: seconds from happening to received, nearest ranks; `dwell_max`:
    the longest that one stayed; null where there was none.
    """

    time: datetime
    group: str
    label: str
    count: int | None
    delay_median: float | None = None
    delay_p95: float | None = None
    dwell_max: float | None = None


class EventFiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by time and group, in order of time; `step` in seconds as it was used.

    Not `complete`: there was more than is read at once, and the oldest steps are null.
    """

    complete: bool
    step: int
    rows: tuple[EventFigures, ...]


SHOWN: tuple[type, ...] = (HappenedEvent, HappenedStep, EventFiguresView)
"""What the API answers with."""
