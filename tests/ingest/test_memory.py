"""A web process that holds too much: live views go first."""

from __future__ import annotations

import pytest
from house import AREA, CAMERA, NODE, NOON, SITE

from ingest.consumers.memory import MemoryJob
from ingest.live.desk import LiveDesk
from ingest.live.look import LEASE, LiveLook
from ingest.refusal import Busy, Gone
from ingest.repairs.memory import BUDGET, high

WEB = BUDGET["web"]


@pytest.mark.parametrize(
    ("size", "before", "wanted"),
    [
        (0, False, False),
        (WEB, False, False),
        (WEB + 1, False, True),
        (WEB * 95 // 100, True, True),
        (WEB * 89 // 100, True, False),
    ],
)
def test_it_ends_a_tenth_lower_than_it_begins(size: int, before: bool, wanted: bool) -> None:
    assert high("web", size, before=before) is wanted


def test_live_views_end_and_begin_again() -> None:
    desk, sizes = LiveDesk(), [WEB, WEB + 1, WEB, WEB // 2]
    camera = (NODE, CAMERA)
    who = {"id": "x", "account": "wang", "actor": "user:wang", "purpose": "fault"}
    look = LiveLook(**who, node=NODE, device=CAMERA, began=NOON, until=NOON + LEASE)
    desk.keep(look, (SITE, AREA), NOON)
    job = MemoryJob(desk, lambda: sizes.pop(0))
    job.step()
    desk.expects(camera, NOON)
    job.step()
    with pytest.raises(Gone):
        desk.expects(camera, NOON)
    job.step()
    with pytest.raises(Busy, match="memory"):
        desk.keep(look, (SITE, AREA), NOON)
    job.step()
    desk.keep(look, (SITE, AREA), NOON)
    desk.expects(camera, NOON)
