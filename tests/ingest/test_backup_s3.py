"""Backups to a real server that speaks S3, OpenStack Swift: it checks each signature by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import swift_house
from house import NOON, SITE, Folder
from night_backups import KEY, Shell, keep_picture
from swift_house import SwiftHouse

from ingest.archive import s3_place, tombstones
from ingest.archive.delivery import deliver
from ingest.archive.places import place_of
from ingest.backup_settings import Backup
from ingest.evidence.shelf import FolderStore
from linli.errors import InputError, StoreError

pytestmark = pytest.mark.full
NAME = f"{SITE}-20260302T040000Z.linli.age"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftHouse]:
    with swift_house.running(tmp_path_factory.mktemp("swift")) as house:
        yield house


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def test_what_was_backed_up_comes_back_on_a_clean_host(
    house: SwiftHouse, folder: Folder, tmp_path: Path
) -> None:
    place = house.place(tmp_path, "/桂花苑 一期/+a&b")
    picture = keep_picture(folder)
    shell = Shell(tmp_path, place)
    assert shell("backup", "make", "--json").exit_code == 0
    (address,) = shell.addresses()
    assert address.startswith(f"{place.to}/{SITE}-")
    asked = ("--place", SITE, "--from", "2020-01-01", "--why", "request 17", "--yes")
    assert "1 deleted" in shell("privacy", "delete", *asked).stdout
    assert all(one.startswith("桂花苑 一期/+a&b/") for one in house.listed())
    folder.close()  # and the machine burns

    clean = Shell(tmp_path, place, "clean")
    words = ("restore", address, "--key", str(clean.key), "--json")
    assert json.loads(clean(*words).stdout)["gone"] == 1
    assert FolderStore(tmp_path / "clean/evidence").get(picture) is None
    (told,) = [one for one in place_of(place).names() if tombstones.is_list(SITE, one)]
    place_of(place).remove(told)
    again = Shell(tmp_path, place, "again")
    assert json.loads(again(*words).stdout)["gone"] == 0, "without the list nobody knows"
    assert FolderStore(tmp_path / "again/evidence").get(picture) is not None


def test_older_archives_go(house: SwiftHouse, folder: Folder, tmp_path: Path) -> None:
    place = house.place(tmp_path, "/older")
    rule = Backup(keys=(KEY.public,), places=(place,), daily=1, weekly=0, monthly=0)
    settings = msgspec.structs.replace(folder.settings, backup=rule)
    first = deliver(settings, NOON, noted=True).made.path.name
    second = deliver(settings, NOON + timedelta(days=1), noted=True)
    assert second.dropped == (f"{place.to}/{first}",)
    life = tombstones.name_of(SITE, tombstones.life(folder.path))
    assert place_of(place).names() == sorted([life, second.made.path.name])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"secret_file": "guess"}, "lets us not in. Mend access_key, its secret, and what"),
        ({"access_key": "nobody"}, "lets us not in. Mend access_key, its secret, and what"),
        ({"to": "s3://another"}, "no such bucket. Is its name right?"),
        ({"region": "eu-west-1"}, "takes no requests for this region. Mend region"),
    ],
    ids=["secret", "key", "bucket", "region"],
)
def test_what_a_person_must_mend_is_said_in_one_line(
    house: SwiftHouse, tmp_path: Path, change: dict[str, str], rule: str
) -> None:
    (source := tmp_path / "source").write_bytes(b"an archive")
    if "secret_file" in change:
        (tmp_path / "guess").write_text("a guess")
        change = {"secret_file": str(tmp_path / "guess")}
    place = place_of(msgspec.structs.replace(house.place(tmp_path), **change))
    for work in (
        place.names,
        lambda: place.put(source, NAME),
        lambda: place.fetch(NAME, tmp_path / "back"),
        lambda: place.remove(NAME),
    ):
        with pytest.raises(InputError) as refused:
            work()
        assert str(refused.value).startswith(f"{place.address}: {rule}")
        assert len(str(refused.value).splitlines()) == 1


def test_a_key_that_may_only_read_brings_back_and_changes_nothing(
    house: SwiftHouse, tmp_path: Path
) -> None:
    (source := tmp_path / "source").write_bytes(b"an archive")
    place_of(house.place(tmp_path, "/read")).put(source, NAME)
    reader = place_of(house.place(tmp_path, "/read", "test:reader"))
    source.write_bytes(b"another")
    for work in (lambda: reader.put(source, NAME), lambda: reader.remove(NAME)):
        with pytest.raises(InputError, match="lets us not in"):
            work()
    reader.fetch(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"an archive"
    with pytest.raises(FileNotFoundError):
        reader.fetch("x", tmp_path / "back")


def test_a_large_one_goes_in_parts(
    house: SwiftHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    with source.open("wb") as out:
        for one in range(40):
            out.write(one.to_bytes() * (1 << 20))
        out.write(b"end")
    place = place_of(house.place(tmp_path, "/large"))
    place.put(source, NAME)
    place.fetch(NAME, back)
    assert back.read_bytes() == source.read_bytes()
    parts = [one for one in house.listed("estate+segments") if one.startswith(f"large/{NAME}/")]
    assert len(parts) == 6
    monkeypatch.setattr(s3_place, "_LEAST_PART", 1 << 30)
    with pytest.raises(StoreError, match="EntityTooLarge"):
        place.put(source, f"{NAME}.whole")
    assert place.names() == [NAME]


def test_one_cut_short_leaves_nothing_half(tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    (tmp_path / "swift").mkdir()
    with swift_house.running(tmp_path / "swift") as house:
        source.write_bytes(b"the old one")
        place_of(house.place(tmp_path)).put(source, NAME)
        (tmp_path / "swift" / "falls").touch()
        source.write_bytes(bytes(20 << 20))
        for name in (NAME, f"{SITE}-new.linli.age"):
            place = place_of(house.place(tmp_path))
            with pytest.raises(StoreError) as failed:
                place.put(source, name)
            assert len(str(failed.value).splitlines()) == 1
            house.ended()
            with pytest.raises(StoreError, match=r"cannot be used \(Connection refused\)$"):
                place.names()
            house.start()
        assert len(house.listed("estate+segments")) >= 6, "all parts of both were there"
        place = place_of(house.place(tmp_path))
        assert place.names() == [NAME]
        place.fetch(NAME, back)
        assert back.read_bytes() == b"the old one"
        (tmp_path / "swift" / "falls").unlink()
        place.put(source, NAME)
        place.fetch(NAME, back)
        assert back.read_bytes() == source.read_bytes()
