from __future__ import annotations

import os
from pathlib import Path

from ingest.influx.reference import text
from ingest.influx.schema import MEASUREMENTS, names_twice

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "influx.md"


def test_the_page_in_the_repository_is_current() -> None:
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        PAGE.write_text(text(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text(), (
        "docs/reference/influx.md is out of date; "
        "run this test with LINLI_WRITE_DOCUMENTS=1 to write it again"
    )


def test_no_column_has_two_meanings_in_any_version() -> None:
    assert not list(names_twice())
    names = [one.name for one in MEASUREMENTS]
    assert len(set(names)) == len(names)
    assert all(one.most_series > 0 and one.fields for one in MEASUREMENTS)


def test_nothing_that_names_a_person_is_written() -> None:
    columns = {column.name for one in MEASUREMENTS for column in (*one.tags, *one.fields)}
    assert not columns & {"actor", "user", "person", "phone", "plate", "face", "note"}
