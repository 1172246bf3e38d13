"""`linli upgrade` on files and on a PostgreSQL: it works, or all is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from upgraded import NEW, OLD, Estate, assert_new, assert_old, names

from ingest.store import backup


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    return Estate(tmp_path, monkeypatch)


def test_it_works(estate: Estate) -> None:
    done = estate()
    assert done.exit_code == 0, done.output
    assert f"all green with {NEW}" in done.stdout
    assert_new(estate)
    assert [backup.file_of(one) for one in estate.backups] == ["journal", "state"]
    again = estate()
    assert "run this very installation" in str(again.exception)


def test_one_that_does_not_work_goes_back_and_keeps_what_edges_sent(estate: Estate) -> None:
    estate.works = False
    failed = estate()
    assert f"back at {OLD}, all green" in str(failed.exception)
    assert "it does not work: not green" in failed.stderr
    assert_old(estate)
    assert "after" in names(estate, "journal", "counter"), "a receipt was given for it"
    estate.works = True
    assert estate().exit_code == 0
    assert_new(estate)
