"""Places for archives: a folder, a real OpenSSH server, S3 before a stand-in and Swift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import s3_server
import sftp_server
import swift_house

from ingest.archive.folder_place import FolderPlace
from ingest.archive.place import Place
from ingest.archive.places import find, place_of
from ingest.archive.s3_place import parts_of
from ingest.backup_settings import Backup, BackupPlace
from ingest.settings import load_settings
from linli.errors import InputError, StoreError

KINDS = ("folder", "sftp", "s3", pytest.param("swift", marks=pytest.mark.full))


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BackupPlace]:
    if request.param == "folder":
        (tmp_path / "usb").mkdir()
        yield BackupPlace(to=str(tmp_path / "usb"))
    elif request.param == "sftp":
        if why := sftp_server.missing():
            pytest.skip(why)
        (tmp_path / "far" / "linli").mkdir(parents=True)
        with sftp_server.running(tmp_path / "sshd") as server:
            yield BackupPlace(
                to=server.address(tmp_path / "far" / "linli"),
                key_file=str(server.key_file),
                host_key=server.host_key,
            )
    elif request.param == "swift":
        (tmp_path / "swift").mkdir()
        with swift_house.running(tmp_path / "swift") as house:
            yield house.place(tmp_path, "/homes/one")
    else:
        (tmp_path / "secret").write_text(s3_server.SECRET)
        with s3_server.running() as server:
            yield BackupPlace(
                to=f"s3://{s3_server.BUCKET}/homes/one",
                endpoint=server.endpoint,
                access_key=s3_server.ACCESS,
                secret_file=str(tmp_path / "secret"),
            )


def test_a_place_keeps_what_it_is_given(settings: BackupPlace, tmp_path: Path) -> None:
    place: Place = place_of(settings)
    source, back = tmp_path / "source", tmp_path / "back"
    whole = bytes(range(256)) * 50_000  # 12.8 MB: more than one part, more than one packet
    source.write_bytes(whole)
    place.put(source, "c001-x.linli.age")
    source.write_bytes(b"shorter")
    place.put(source, "c001-deleted.age")
    assert place.names() == ["c001-deleted.age", "c001-x.linli.age"]
    place.fetch("c001-x.linli.age", back)
    assert back.read_bytes() == whole
    place.put(source, "c001-x.linli.age")
    place.fetch("c001-x.linli.age", back)
    assert back.read_bytes() == b"shorter"
    place.remove("c001-x.linli.age")
    assert place.names() == ["c001-deleted.age"]
    with pytest.raises(FileNotFoundError):
        place.fetch("c001-x.linli.age", back)
    found = find(Backup(keys=("age1x",), places=(settings,)), f"{place.address}/c001-y")
    assert found is not None
    assert (found[0].address, found[1]) == (settings.to, "c001-y")


@pytest.mark.parametrize("settings", ["sftp"], indirect=True)
def test_a_server_that_shows_another_key_is_not_trusted(
    settings: BackupPlace, tmp_path: Path
) -> None:
    other = sftp_server.make_key(tmp_path / "other")
    changed = msgspec.structs.replace(settings, host_key=other)
    with pytest.raises(InputError, match="another host key"):
        place_of(changed).names()
    changed = msgspec.structs.replace(settings, key_file=str(tmp_path / "other"))
    with pytest.raises(InputError, match="lets us not in"):
        place_of(changed).names()
    changed = msgspec.structs.replace(settings, to=settings.to + "/away")
    for work in (place_of(changed).names, lambda: place_of(changed).put(tmp_path / "other", "x")):
        with pytest.raises(InputError, match="no such folder"):
            work()
    changed = msgspec.structs.replace(settings, to="sftp://linli@127.0.0.1:1/x")
    with pytest.raises(StoreError, match="cannot be reached"):
        place_of(changed).names()


def test_s3_with_a_wrong_secret_or_a_lost_byte(tmp_path: Path) -> None:
    source, secret = tmp_path / "source", tmp_path / "secret"
    source.write_bytes(b"an archive")
    with s3_server.running() as server:
        settings = BackupPlace(
            to=f"s3://{s3_server.BUCKET}",
            endpoint=server.endpoint,
            access_key=s3_server.ACCESS,
            secret_file=str(secret),
        )
        secret.write_text("a guess")
        with pytest.raises(InputError, match="lets us not in"):
            place_of(settings).put(source, "x")
        secret.write_text(s3_server.SECRET)
        server.harm = True
        with pytest.raises(StoreError, match="read back is not what was sent"):
            place_of(settings).put(source, "x")
        assert server.objects == {}
        away = msgspec.structs.replace(settings, to="s3://another")
        with pytest.raises(InputError, match="no such bucket"):
            place_of(away).names()
        server.refuses = "RequestTimeTooSkewed"
        with pytest.raises(InputError, match="our clock is wrong"):
            place_of(settings).names()
        server.refuses = "SlowDown"
        with pytest.raises(StoreError, match=r"cannot be used \(SlowDown: x < y\)$"):
            place_of(settings).names()


def test_what_is_large_goes_in_few_parts_and_little_memory() -> None:
    for size in (0, 1, 8 << 20, 5 << 30, 100 << 30, (5 << 40) - 1):
        part, at_once = parts_of(size)
        assert part >= 5 << 20, "less is refused"
        assert at_once >= 1
        assert part * at_once <= max(64 << 20, part)
        assert size <= part * 1000


def test_a_disk_that_is_not_there_is_not_made_up(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "usb")
    (tmp_path / "source").touch()
    for work in (
        place.names,
        lambda: place.put(tmp_path / "source", "x"),
        lambda: place.fetch("x", tmp_path / "back"),
    ):
        with pytest.raises(InputError, match="no such folder"):
            work()
    assert not (tmp_path / "usb").exists()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('keys = ["age1x"]', "keys and places go together"),
        ('keys = ["age1x"]\n[[backup.places]]\nto = "ftp://x/y"', "ftp:// is no place"),
        ('keys = ["age1x"]\n[[backup.places]]\nto = "sftp://a@b/c"', "key_file is missing"),
        ('keys = ["age1x"]\n[[backup.places]]\nto = "s3://b"', "endpoint is missing"),
        ('keys = ["age1x"]\nat = "24:00"\n[[backup.places]]\nto = "x"', "backup.at"),
        ('keys = ["age1x"]\n[[backup.places]]\nto = "x"\n[[backup.places]]\nto = "x"', "twice"),
    ],
    ids=["no-place", "ftp", "sftp", "s3", "at", "twice"],
)
def test_settings_that_make_no_whole(tmp_path: Path, text: str, rule: str) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text(f'[site]\nid = "c001"\nlabel = "x"\n[backup]\n{text}\n')
    with pytest.raises(InputError) as refused:
        load_settings(config)
    assert rule in str(refused.value)
