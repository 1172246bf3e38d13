"""A box switched off in order is a notice, until what hangs on it is missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.doctor.off import switched_off

SINCE = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("behind", "away", "level"),
    [
        ((), timedelta(), "warning"),
        ((), DAY - MOMENT, "warning"),
        ((), DAY, "bad"),
        (("lamp", "bin", "door"), DAY - MOMENT, "warning"),
        (("lamp", "bin", "door"), DAY, "bad"),
        (("camera",), timedelta(), "warning"),
        (("lamp", "camera"), HOUR - MOMENT, "warning"),
        (("lamp", "camera"), HOUR, "bad"),
        (("lift-door",), HOUR, "bad"),
        (("speaker",), HOUR, "bad"),
        (("guide",), HOUR, "bad"),
        (("camera",), -HOUR, "warning"),
    ],
)
def test_how_serious_it_is(behind: tuple[str, ...], away: timedelta, level: str) -> None:
    found = switched_off("n1", "n1 (B1)", SINCE, behind, SINCE + away)
    assert (found.code, found.about, found.level) == ("edge-off", "n1", level)
    assert (found.since, found.what) == (SINCE, "n1 (B1) was switched off at 2026-03-02 08:00 UTC")
