"""What goes next for a disk that is short, and when it is short: pure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest.repairs.room import (
    ORDER,
    PICTURES,
    level,
    next_up,
    pictures_last,
    short,
)


def test_the_order_is_of_all_there_is_and_pictures_come_last() -> None:
    gone, lying = [], set(ORDER)
    while (one := next_up(lying)) is not None:
        gone.append(one)
        lying.discard(one)
    assert gone == list(ORDER)
    assert gone[0] == "slack", "what costs nothing"
    assert [one for one in ORDER if one in PICTURES] == list(PICTURES)
    assert gone.index("reading") < gone.index("rollup") < gone.index("false-alarm")
    assert gone[-2:] == ["safety", "unresolved"]


@pytest.mark.parametrize(
    ("free", "giving", "wanted"),
    [
        (1000, False, False),
        (999, False, True),
        (1000, True, True),
        (1249, True, True),
        (1250, True, False),
        (0, False, True),
    ],
)
def test_it_ends_later_than_it_begins(free: int, giving: bool, wanted: bool) -> None:
    assert short(free, 1000, giving=giving) is wanted


@pytest.mark.parametrize(
    ("free", "lasts", "before", "urgent", "wanted"),
    [
        (4000, None, None, False, None),
        (4000, timedelta(days=15), None, False, None),
        (4000, timedelta(days=14), None, False, "filling"),
        (4000, timedelta(days=17), "filling", False, "filling"),
        (4000, timedelta(days=18), "filling", False, None),
        (1999, None, None, False, "low"),
        (2000, None, None, False, None),
        (2000, timedelta(days=1), "low", False, "low"),
        (2499, None, "urgent", False, "low"),
        (2500, None, "low", False, None),
        (9000, None, None, True, "urgent"),
    ],
)
def test_how_short_a_disk_is(free, lasts, before, urgent, wanted) -> None:
    assert level(free, 2000, urgent=urgent, lasts=lasts, before=before) == wanted


@pytest.mark.parametrize(
    ("kept", "daily", "going", "wanted"),
    [
        (50, None, {}, None),
        (50, 0.0, {}, None),
        (50, 10.0, {}, 6),
        (50, 10.0, {0: 10, 1: 10, 2: 10}, 9),
        (50, 3.0, {}, None),
        (50, 10.0, dict.fromkeys(range(14), 10), None),
        (100, 10.0, {}, None),
    ],
)
def test_when_the_room_for_pictures_is_used_up(kept, daily, going, wanted) -> None:
    found = pictures_last(kept, 100, daily, going)
    assert (found and found.days) == wanted
