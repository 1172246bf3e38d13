"""`linli doctor --bundle`: enough to help by, and nothing that nobody else may see."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from handed_in import arrival
from house import NOON, Folder, jpeg

from ingest.evidence.retention import Keep
from ingest.evidence.shelf import FolderStore
from ingest.feed import Feed
from ingest.services.evidence import EvidenceService
from linli.cli.doctor.bundle import wordless
from linli.cli.main import command
from linli.errors import InputError
from linli.ids import uuid7

SECRET = "tell-nobody-1f9c"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_helps_and_tells_no_secret(folder: Folder, tmp_path: Path) -> None:
    config, out, picture = tmp_path / "ingest.toml", tmp_path / "help.zip", jpeg((64, 48))
    shelf = FolderStore(folder.path / "evidence")
    service = EvidenceService(folder.reader("state"), folder.state, shelf, Feed(), keep=Keep())
    assert service.take(arrival(picture, uuid7(NOON)), picture, NOON)
    config.write_text(
        f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "王家大院"\n'
        f'[influx]\nurl = "http://influx.example/{SECRET}"\ntoken_file = "{SECRET}"\n'
        f"[series]\nraw_days = 17\n{folder.toml}",
        encoding="utf-8",
    )
    done = CliRunner().invoke(command, ["doctor", "--config", str(config), "--bundle", str(out)])
    assert done.exit_code == 2, "no ingest runs"
    assert out.stat().st_mode & 0o077 == 0
    parts = read(out)
    whole = b"\n".join(parts.values())
    for hidden in (SECRET.encode(), "王家".encode(), picture[:64]):
        assert hidden not in whole
    settings = json.loads(parts["settings.json"])
    assert settings["series"]["raw_days"] == 17
    assert settings["site"]["label"] == "(4 characters)"
    store = json.loads(parts["store.json"])
    assert store["state"]["rows"]["evidence"] == 1
    assert store["journal"]["version"].startswith("journal_")
    assert {one["code"] for one in json.loads(parts["doctor.json"])} >= {"ingest-down", "settings"}
    about = json.loads(parts["about.json"])
    assert about["packages"]["click"]
    assert about["cores"] > 0
    with pytest.raises(InputError, match="is there already"):
        CliRunner().invoke(
            command,
            ["doctor", "--config", str(config), "--bundle", str(out)],
            catch_exceptions=False,
        )


def test_where_settings_or_store_are_broken_the_rest_is_told(tmp_path: Path) -> None:
    for number, text in enumerate(("not toml at all", '[site]\nid = "c001"\nlabel = "x"\n')):
        config, out = tmp_path / f"{number}.toml", tmp_path / f"{number}.zip"
        config.write_text(text)
        CliRunner().invoke(command, ["doctor", "--config", str(config), "--bundle", str(out)])
        parts = read(out)
        assert "doctor.json" in parts
        assert ("settings.json" in parts) is (number == 1)
    assert "error" in json.loads(parts["store.json"])


def test_no_text_of_settings_is_told() -> None:
    told = wordless({"a": ["xy", 3], "b": {"c": "z", "d": True, "e": None}})
    assert told == {
        "a": ["(2 characters)", 3],
        "b": {"c": "(1 characters)", "d": True, "e": None},
    }
