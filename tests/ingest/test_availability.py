"""How much of the last days something was there: unknown is neither there nor gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from house import CAMERA, NODE, NOON, SITE, Folder, running, sign_in

from ingest.series import uptime
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.reports import GROUP, STREAMING, UPTIME
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from ingest.series.uptime import Share
from linli.topics import PROBE_NODE, SELF

OWN = "journal_position"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_silence_counts_only_where_somebody_listened_after_the_first_word() -> None:
    there = [None, 1.0, None, None, 1.0, None]
    assert uptime.known(there, [True] * 6) == [None, 1.0, 0.0, 0.0, 1.0, None]
    assert uptime.known(there, [False] * 6) == there
    assert uptime.known([None] * 3, [True] * 3) == [None] * 3


def test_shares_are_of_what_is_known() -> None:
    assert uptime.share([None, 1.0, 0.0, None, 0.5], 0.5) == Share(share=0.5, hours=1.5)
    assert uptime.share([None], 1) is None


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([None, None], None),
        ([1.0, 1.0], (True, 0)),
        ([None, 1.0, 0.0, None, 0.2], (False, 2)),
        ([0.0, None, 1.0, None], (True, 2)),
    ],
)
def test_since_when_it_is_so(steps: list[float | None], found: tuple[bool, int] | None) -> None:
    assert uptime.since(steps) == found


def test_a_camera_of_twenty_minutes_has_no_share_yet_and_no_past(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    began = NOON - 25 * MINUTE  # in the middle of a step of ten minutes
    samples = []
    for number in range(60):
        at = to_millis(NOON - 60 * MINUTE + number * MINUTE)
        own = SeriesKey(site=SITE, node=PROBE_NODE, device="ingest", group=OWN, name=OWN, unit="1")
        samples.append(Sample(key=own, time=at, value=1))
        if at >= to_millis(began):
            key = SeriesKey(
                site=SITE, node=NODE, device=CAMERA, group=GROUP, name=STREAMING, unit="1"
            )
            samples.append(Sample(key=key, time=at, value=0))
    EmbeddedTimeseries(folder.reader("series"), folder.series).write(samples, 1)
    with running(folder) as client:
        headers = sign_in(client, "wang")
        found = client.get(f"/api/v1/devices/{NODE}/{CAMERA}/availability", headers=headers).json()
    assert (found["week"], found["month"]) == (None, None)
    assert (found["there"], found["all_along"]) == (False, False)
    assert found["since"] == began.strftime("%Y-%m-%dT%H:%M:%SZ")
    folder.close()


def test_a_camera_and_a_box_over_a_week(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    def key(node: str, device: str, name: str, group: str = GROUP) -> SeriesKey:
        return SeriesKey(site=SITE, node=node, device=device, group=group, name=name, unit="1")

    samples = []
    for number in range(12 * 6):  # twelve hours; the ingest did not run in the third one
        at = to_millis(NOON - 12 * HOUR + number * 10 * MINUTE + MINUTE)
        hour = number // 6
        if hour != 2:
            samples.append(Sample(key=key(PROBE_NODE, "ingest", OWN, OWN), time=at, value=1))
        if hour not in {2, 5}:
            samples.append(Sample(key=key(NODE, SELF, UPTIME), time=at, value=60))
            camera = float(hour < 9)
            samples.append(Sample(key=key(NODE, CAMERA, STREAMING), time=at, value=camera))
    EmbeddedTimeseries(folder.reader("series"), folder.series).write(samples, 1)
    with running(folder) as client:
        headers = sign_in(client, "wang")
        path = f"/api/v1/devices/{NODE}/{CAMERA}/availability"
        found = client.get(path, headers=headers).json()
        assert found["of"] == "camera"
        assert found["week"] == found["month"]
        assert found["week"]["hours"] == pytest.approx(11)
        assert found["week"]["share"] == pytest.approx(7 / 11)
        assert (found["there"], found["all_along"]) == (False, False)
        assert found["since"] == (NOON - 3 * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert client.get(f"/api/v1/devices/{NODE}/no-such/availability").status_code == 404
    folder.close()
