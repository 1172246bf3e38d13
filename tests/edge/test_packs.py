from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.facts import EpisodeFact
from edge.pipeline import CameraPipeline
from edge.source.frame import Frame
from ingest.registry.configs import checked
from linli.cli.edge.packs import packs as packs_command
from linli.clock import ManualClock
from linli.edge_config import Camera, EdgeConfig
from linli.errors import InputError
from linli.packs import completed, packs
from linli.settings import convert

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 3, 1, 23, tzinfo=SHANGHAI)
ZONE = {"id": "here", "points": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.99], [0.1, 0.99]]}
KINDS = ("person", "ebike", "bicycle", "stroller", "wheelchair", "car", "couch")
IMAGE = np.full((60, 100, 3), 90, np.uint8)
FPS = 5.0


def document(pack: str, **over: object) -> dict[str, Any]:
    scenario = {"pack": pack, "zone": "here", **over}
    return {
        "camera": [
            {
                "id": "c1",
                "label": "c",
                "source": "pattern:empty",
                "zone": [ZONE],
                "scenario": [scenario],
            }
        ]
    }


def camera(pack: str, **over: object) -> Camera:
    whole = completed(document(pack, **over), "test")
    return convert(whole, EdgeConfig, where="test").camera[0]


def play(pack: str, kinds: list[str], seconds: float, start: datetime = NIGHT) -> list[float]:
    """Return after how many seconds it begins when these stand there, one beside the other."""
    one = camera(pack)
    names = tuple(dict.fromkeys((*KINDS, *one.scenario[0].labels)))
    wide = 0.7 / max(len(kinds), 1)
    rows = [(0.15 + n * wide, 0.3, 0.15 + (n + 0.9) * wide, 0.9) for n in range(len(kinds))]
    seen = Detections(
        np.array(rows, np.float32).reshape(-1, 4),
        np.full(len(kinds), 0.9, np.float32),
        np.array([names.index(kind) for kind in kinds], np.int64),
        names,
    )
    steps = int(seconds * FPS) + 1
    pipeline = CameraPipeline(
        one, FakeDetector(names, [seen] * steps), ManualClock(start), zone=SHANGHAI
    )
    begins = []
    for n in range(steps):
        now = (start + timedelta(seconds=n / FPS)).astimezone(UTC)
        facts = pipeline.process(Frame(IMAGE, n, n / FPS, now, now))
        begins += [
            n / FPS for fact in facts if isinstance(fact, EpisodeFact) and fact.phase == "begin"
        ]
    return begins


@pytest.mark.parametrize(
    ("pack", "kinds", "seconds", "begins"),
    [
        ("ebike-in-elevator", ["ebike"], 10, [1.0]),
        ("ebike-in-elevator", ["ebike", "person", "person"], 10, [1.0]),
        ("ebike-in-elevator", ["bicycle", "wheelchair", "stroller", "person"], 10, []),
        ("ebike-in-elevator", ["ebike"], 0.8, []),
        ("blocked-fire-lane", ["car"], 130, [120.0]),
        ("blocked-fire-lane", ["car"], 119, []),
        ("blocked-fire-lane", ["person"], 130, []),
        ("closed-zone-entry", ["person"], 5, [1.0]),
        ("loitering", ["person"], 310, [300.0]),
        ("loitering", ["person"], 299, []),
        ("crowding", ["person"] * 8, 40, [30.0]),
        ("crowding", ["person"] * 7, 40, []),
        ("bulky-waste", ["couch"], 610, [600.0]),
        ("bulky-waste", ["person"], 610, []),
    ],
)
def test_what_each_pack_begins_and_when(
    pack: str, kinds: list[str], seconds: float, begins: list[float]
) -> None:
    assert play(pack, kinds, seconds) == begins


@pytest.mark.parametrize(("hour", "begins"), [(21, []), (22, [1.0]), (5, [1.0]), (6, [])])
def test_the_closed_zone_is_closed_at_night_alone(hour: int, begins: list[float]) -> None:
    assert play("closed-zone-entry", ["person"], 3, NIGHT.replace(hour=hour)) == begins


def test_every_pack_is_tried_above_and_told_in_both_languages() -> None:
    told = (Path(__file__).parents[2] / "docs/scenarios.md").read_text(encoding="utf-8")
    for name, pack in packs().items():
        assert camera(name).scenario[0].event == name
        assert re.search("[\u4e00-\u9fff]", pack.title.zh + pack.means.zh)
        for text in (f"## `{name}`", pack.title.zh, pack.title.en, pack.means.zh, pack.means.en):
            assert text in told
        assert (Path(__file__).parents[2] / f"docs/img/scenarios/{name}.svg").exists()


def test_what_a_scenario_says_itself_goes_before_its_pack() -> None:
    rule = camera("loitering", dwell=60, labels=["person"]).scenario[0]
    assert (rule.dwell, rule.gone_after, rule.pack) == (60.0, 10.0, "loitering")


def test_a_pack_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match="there is no pack 'loitring'") as caught:
        camera("loitring")
    assert "camera c1" in str(caught.value)
    assert "loitering" in str(caught.value)
    with pytest.raises(InputError, match="no pack"):
        checked(document("loitring"))


def test_the_ingest_keeps_the_document_as_it_was_given() -> None:
    given = document("crowding")
    assert checked(given) == given
    assert "labels" not in given["camera"][0]["scenario"][0]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"camera": 3},
        {"camera": [3]},
        {"camera": [{"scenario": 3}]},
        {"camera": [{"scenario": [3, {"pack": 3}]}]},
    ],
)
def test_what_is_no_configuration_is_left_for_its_own_check(odd: dict[str, Any]) -> None:
    assert completed(odd, "test") == odd


def test_packs_are_listed_and_shown_with_their_reasons() -> None:
    listed = CliRunner().invoke(packs_command, []).output
    assert all(name in listed and pack.title.zh in listed for name, pack in packs().items())
    shown = CliRunner().invoke(packs_command, ["crowding"]).output
    assert "at_least = 8" in shown
    assert "heads hide heads" in shown
    said = CliRunner().invoke(packs_command, ["crowding", "--json"]).output
    assert msgspec.json.decode(said)["crowding"]["scenario"]["at_least"] == 8
    failed = CliRunner().invoke(packs_command, ["nothing"])
    assert isinstance(failed.exception, InputError)
