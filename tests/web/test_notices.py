"""Messages speak as the pages do, in both languages."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from house import NOON
from notices import Office

from dashboards.web.notices import TODO, WebWording
from dashboards.web.words import EVENTS
from ingest.notify.message import Language
from ingest.notify.texts import written
from ingest.store.engine import reading
from linli.events import Action


@pytest.mark.parametrize(
    ("language", "title", "todo"),
    [
        ("zh", "【重要】#1 电动自行车进电梯 · 3 号楼 1 号电梯", "请:到电梯处请车主把电动车推出"),
        (
            "en",
            "[High] #1 E-bike in the lift · Building 3 1 号电梯",
            "Please: go to the lift and have the e-bike taken out",
        ),
    ],
)
def test_an_e_bike_in_the_lift(tmp_path: Path, language: Language, title: str, todo: str) -> None:
    office = Office(tmp_path)
    try:
        office.begin(
            name="ebike-in-elevator",
            label="ebike",
            zone=None,
            action=(Action(type="door-hold", result="done"),),
        )
        office.work()
        with reading(office.reader) as connection:
            story = WebWording().story(connection, office.incident(), language)
    finally:
        office.close()
    found, lines = written(story, "call", language, now=NOON, zone=UTC)
    assert found == title
    assert lines[-1] == todo
    assert any("门" in line or "Door held open" in line for line in lines)


def test_whatever_has_words_says_what_to_do() -> None:
    assert set(TODO) == set(EVENTS)
