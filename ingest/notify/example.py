"""An incident that never was, to show what messages about one say."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.incidents.fold import fold
from ingest.incidents.incident import Incident, Key, Transition
from ingest.rules.targets import AREA
from linli.events import Action
from linli.ids import uuid7


def example(site: str, now: datetime) -> Incident:
    """Return an e-bike in a lift, seen four minutes ago, taken by somebody since."""
    began = now - timedelta(minutes=4)
    incident = uuid7(began)
    key = Key(site=site, node=AREA, device="lift-1", event="ebike-in-elevator", zone="b03")
    opened = Transition(
        incident=incident,
        step="opened",
        at=began,
        recorded=began,
        actor="rule:edge",
        number=12,
        key=key,
        area="b03",
        severity="critical",
        object_label="ebike",
        actions=(
            Action(type="door-hold", result="done"),
            Action(type="voice-prompt", result="done"),
        ),
    )
    taken = Transition(
        incident=incident, step="acknowledged", at=now, recorded=now, actor="user:王芳"
    )
    return fold((opened, taken))
