"""What is said of a disk, and what is not known of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from house import NOON

from ingest.doctor import machine
from ingest.evidence.shelf import FolderStore
from ingest.settings import IngestSettings, Site, load_settings
from ingest.store import space
from linli.errors import InputError
from linli.ids import uuid7

GIGA = 1024**3


def disk(monkeypatch: pytest.MonkeyPatch, total: int, free: int) -> None:
    usage = SimpleNamespace(total=total, free=free)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage)


def test_zeros_alone_are_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (space.free_of(tmp_path) or 0) > 0
    assert space.free_of(tmp_path / "no-such") is None
    disk(monkeypatch, 10 * GIGA, 0)
    assert space.free_of(tmp_path) == 0, "a full disk is one all the same"
    disk(monkeypatch, 0, 0)
    assert space.free_of(tmp_path) is None
    space.check_least(tmp_path, GIGA)
    FolderStore(tmp_path, reserve=GIGA).put(str(uuid7(NOON)), b"x")
    settings = IngestSettings(data=str(tmp_path), site=Site(id="c001", label="春晖"))
    assert not [one for one in machine.look(settings) if one.code.startswith("disk")]


def test_at_most_half_of_a_disk_may_have_to_stay_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch, 2 * GIGA, GIGA)
    space.check_least(tmp_path, GIGA)
    with pytest.raises(InputError, match="more than half of the disk") as refused:
        space.check_least(tmp_path, GIGA + 1)
    assert refused.value.where == "disk.least_free"
    assert "256 MiB" in str(refused.value.hint)


def test_what_is_for_events_is_the_least_that_stays_free(tmp_path: Path) -> None:
    path = tmp_path / "ingest.toml"
    text = '[site]\nid = "c001"\nlabel = "x"\n[disk]\nleast_free = '
    path.write_text(f"{text}{256 * 1024**2}\n")
    assert load_settings(path).disk.least_free == 256 * 1024**2
    path.write_text(f"{text}{256 * 1024**2 - 1}\n")
    with pytest.raises(InputError, match="268435456"):
        load_settings(path)
