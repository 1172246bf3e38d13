from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.influx import lines
from ingest.influx.lines import LineEncoder, Point, TooManySeries, in_tag, row_time
from ingest.influx.schema import EVENT, HEALTH, READING

HERE = ("c001", "b03", "n07", "cam-e1")
MOMENT = 1_772_452_800_000_000_000


def reading(value: object = 1.5, unit: str = "/s", device: str = "cam-e1") -> Point:
    tags = (*HERE[:3], device, "camera", "fps", unit, "good")
    return Point(READING, tags, (value,), MOMENT)  # type: ignore[arg-type]


def event(text: str) -> Point:
    tags = (*HERE, "zone-dwell", "-", "begin", "high")
    return Point(EVENT, tags, (text, "e", "person", 0, 1.5, None, None), MOMENT)


def test_a_line_has_all_tags_and_the_fields_that_are_known() -> None:
    assert LineEncoder().line(reading()) == (
        "reading,site=c001,area=b03,node=n07,device=cam-e1,group=camera,name=fps,unit=/s,"
        f"quality=good value=1.5 {MOMENT}"
    )
    line = LineEncoder().line(event("x"))
    assert line.endswith(f' event_id="x",episode="e",label="person",late=0i,delay=1.5 {MOMENT}')


def test_a_whole_number_stays_the_float_that_the_field_is() -> None:
    """Otherwise the first point would make the field an integer, and 1.5 a type conflict."""
    assert " value=3.0 " in LineEncoder().line(reading(3))


@pytest.mark.parametrize("value", [math.nan, math.inf, "3", None])
def test_what_is_no_number_makes_no_point(value: object) -> None:
    with pytest.raises(ValueError, match=r"number|needs a field"):
        LineEncoder().line(reading(value))


@pytest.mark.parametrize("value", [2**63, 1.5, "1"])
def test_what_is_no_integer_makes_no_point(value: object) -> None:
    fields = (5.0, value, *[None] * 10)
    with pytest.raises(ValueError, match="integer"):
        LineEncoder().line(Point(HEALTH, HERE[:3], fields, MOMENT))  # type: ignore[arg-type]


def test_an_empty_tag_is_written_all_the_same() -> None:
    assert ",unit=-," in LineEncoder().line(reading(unit=""))


@given(st.text(max_size=16), st.text(max_size=64))
def test_nothing_that_a_sender_writes_begins_another_point(tag: str, text: str) -> None:
    """S13: the line breaks of a line are those inside of quotes, and its tags stay eight."""
    line = LineEncoder().line(reading(unit=tag))
    assert "\n" not in line
    head = line.replace("\\ ", "_").replace("\\,", "_").replace("\\=", "_").split(" ")[0]
    assert head.count(",") == head.count("=") == 8
    assert "\\" not in in_tag(tag)
    quoted = LineEncoder().line(event(text)).split('event_id="', 1)[1]
    assert quoted.replace('\\"', "_").split('"')[0].count("\\") % 2 == 0


def test_one_series_more_than_there_may_be_is_not_written(monkeypatch) -> None:
    few = replace(READING, most_series=2)
    monkeypatch.setattr(lines, "MEASUREMENTS", (few,))
    encoder = LineEncoder()
    for device in ("a", "b", "a"):
        encoder.line(reading(device=device))
    with pytest.raises(TooManySeries) as error:
        encoder.line(reading(device="c"))
    assert ",device=c," in error.value.line
    assert encoder.line(reading(device="b"))


def test_rows_of_one_millisecond_get_times_of_their_own() -> None:
    times = {row_time(1_772_452_800_123_456, row) for row in range(5, 1005)}
    assert len(times) == 1000
    assert {time // 1_000_000 for time in times} == {1_772_452_800_123}
    assert row_time(1_000, 7) == row_time(1_000, 7) == 1_000_007
