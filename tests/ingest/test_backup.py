"""`linli backup`: what is in an archive, who can open it, and that it is true while written to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from handed_in import arrival
from house import NOON, Folder, jpeg

from ingest.archive import make as archive
from ingest.archive.age import Key
from ingest.archive.manifest import Manifest
from ingest.audit import book as audit
from ingest.evidence import book, keys
from ingest.evidence.shelf import FolderStore
from ingest.store import space
from ingest.store.engine import reading, writing
from linli.cli.main import command
from linli.errors import InputError, StoreError
from linli.ids import uuid7
from linli.owner import sole_owner
from linli.seal import id_of

KEY = Key.new()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def keep_picture(folder: Folder, *, safety: bool | None = None) -> str:
    data, name = jpeg(), uuid7(NOON)
    FolderStore(folder.path / "evidence").put(name, data)
    kept = {"received": NOON, "sha256": "0", "bytes": len(data), "width": 64, "height": 48}
    with writing(folder.state) as connection:
        book.add(connection, arrival(data, name), kept)
        if safety is not None:
            book.use(connection, name, uuid7(NOON), safety=safety)
    return name


def made(folder: Folder, target: Path, **more: object) -> archive.Made:
    now = more.pop("now", NOON)
    return archive.make(folder.settings, target, [KEY.public], now, **more)  # type: ignore[arg-type]


def opened(path: Path, scratch: Path, key: Key = KEY) -> Manifest:
    return archive.verify(path, key, archive.fresh(scratch))


def test_an_archive_holds_everything_and_only_the_key_opens_it(
    folder: Folder, tmp_path: Path
) -> None:
    folder.put_event(folder.event())
    keep_picture(folder)
    gone = keep_picture(folder)
    FolderStore(folder.path / "evidence").remove(gone)
    (folder.path / "push-key").write_text("f" * 64)
    with writing(folder.state) as connection:
        public = keys.make(connection)
    path = made(folder, tmp_path / "usb").path
    assert path.name == "c001-20260302T120000Z.linli.age"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not space.staging(folder.path)
    manifest = opened(path, tmp_path / "scratch")
    assert manifest.rows["journal"]["message"] == 1
    assert manifest.rows["state"]["account"] == 3
    assert manifest.keys == (id_of(public),)
    assert (manifest.pictures, manifest.vanished) == (1, 1)
    assert (tmp_path / "scratch/push-key").read_text() == "f" * 64
    with pytest.raises(InputError, match="another key"):
        opened(path, tmp_path / "scratch", Key.new())


@pytest.mark.parametrize("beside", [False, True])
def test_none_is_begun_that_would_have_history_deleted(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    keep_picture(folder)
    size, least = folder.database.size(), folder.settings.disk.least_free * 5 // 4
    need = 3 * size + len(jpeg()) if beside else 2 * size
    monkeypatch.setattr(archive, "same_disk", lambda *_: beside)
    monkeypatch.setattr(archive, "free_of", lambda _: least + need - 1)
    with pytest.raises(InputError, match="to stay free"):
        made(folder, tmp_path / "usb")
    assert not space.staging(folder.path)
    assert list((tmp_path / "usb").iterdir()) == []
    monkeypatch.setattr(archive, "free_of", lambda _: least + need)
    assert made(folder, tmp_path / "usb").path.exists()
    assert not space.staging(folder.path)


@pytest.mark.parametrize("harm", ["cut", "changed", "other"])
def test_a_harmed_archive_is_found(folder: Folder, tmp_path: Path, harm: str) -> None:
    path = made(folder, tmp_path / "usb").path
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"cut": whole[:-7], "changed": flipped, "other": b"nothing of ours"}[harm])
    with pytest.raises(InputError, match="cannot be opened"):
        opened(path, tmp_path / "scratch")


def test_it_is_consistent_while_others_write(folder: Folder, tmp_path: Path) -> None:
    done = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not done.is_set():
            folder.put_event(folder.event())
            written += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        found = [made(folder, tmp_path / "usb").manifest for _ in range(3)]
    finally:
        done.set()
        thread.join()
    counts = [one.rows["journal"]["message"] for one in found]
    assert counts == sorted(counts)
    assert counts[-1] <= written
    with folder.journal.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM message").scalar() == written


@pytest.mark.parametrize(("which", "taken"), [("all", 4), ("safety", 2), ("none", 0)])
def test_pictures_by_class(folder: Folder, tmp_path: Path, which: str, taken: int) -> None:
    keep_picture(folder)
    keep_picture(folder, safety=False)
    keep_picture(folder, safety=True)
    held = keep_picture(folder)
    step = book.HoldStep(step="asked", account="boss", at=NOON, why="a letter of the court")
    with writing(folder.state) as connection:
        book.add_step(connection, held, step)
    manifest = made(folder, tmp_path / "usb", pictures=which).manifest
    assert (manifest.pictures, manifest.left) == (taken, 4 - taken)


def test_a_full_disk_is_said() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(StoreError, match="cannot be written"),
        archive.sealing(full, [KEY.public], "/dev/full") as plain,
    ):
        plain.write(b"x" * 1_000_000)


class Shell:
    def __init__(self, folder: Folder, path: Path) -> None:
        self.path = path
        self.config = path / "ingest.toml"
        self.config.write_text('data = "data"\n[site]\nid = "c001"\nlabel = "x"\n')

    def __call__(self, *words: str) -> Result:
        result = CliRunner().invoke(command, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


def test_the_commands(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell, key = Shell(folder, tmp_path), str(tmp_path / "backup.key")
    public = json.loads(shell("backup", "key", key, "--json").stdout)["public"]
    assert Path(key).stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="is there already"):
        shell("backup", "key", key)
    to = ("--config", str(shell.config), "--to", str(tmp_path / "usb"))
    said = json.loads(shell("backup", "make", *to, "--for", public, "--json").stdout)
    assert said["rows"]["state"] > 0
    with reading(folder.state) as connection:
        (row,) = audit.page(connection, before=None, limit=9)
    assert (row.act, row.subject) == ("backed-up", str(tmp_path / "usb"))
    assert said["audit"] == f"{row.id}:{row.hash}", "the archive itself holds it"
    done = shell("backup", "check", said["path"], "--key", key)
    assert done.exit_code == 0, done.output
    again = done.stdout
    assert "hashes and rows are right" in again
    with pytest.raises(InputError, match="is no public key"):
        shell("backup", "make", *to, "--for", "age1nonsense")
    with pytest.raises(InputError, match="is no private key"):
        shell("backup", "check", said["path"], "--key", str(shell.config))
    monkeypatch.setattr("linli.cli.backup._WAIT_SECONDS", 0.0)
    with sole_owner(folder.path, "backup"), pytest.raises(InputError, match="another backup runs"):
        shell("backup", "make", *to, "--for", public)


def test_what_cannot_be_taken_is_said(folder: Folder, tmp_path: Path) -> None:
    shell = Shell(folder, tmp_path)
    to = ("--config", str(shell.config), "--to", str(tmp_path / "usb"), "--for", KEY.public)
    text = shell.config.read_text()
    shell.config.write_text(text.replace('"data"', '"empty"'))
    with pytest.raises(InputError, match="no ingest has kept anything"):
        shell("backup", "make", *to)
