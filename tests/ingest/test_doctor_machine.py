"""`linli doctor` and the machine: a full disk, folders, databases and files that cannot be used."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from stage import small_disk

from edge.catalog.book import FOLDER_VARIABLE, open_book
from ingest.repairs.finding import Finding
from linli.cli.doctor.command import examine
from linli.cli.main import command


def found(folder: Path, data: str, more: str = "", edge: Path | None = None) -> dict[str, Finding]:
    config = folder / "ingest.toml"
    text = (
        f'data = "{data}"\n[site]\nid = "c001"\nlabel = "x"\n[mqtt]\nport = 9\n[http]\nport = 9\n'
    )
    config.write_text(text + more, encoding="utf-8")
    return {one.code: one for one in examine(config, edge, datetime.now(UTC))}


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        low = found(tmp_path, str(disk))["disk-low"]
    assert low.level == "bad"
    assert low.what.startswith("0.1 GB are free")
    assert "edges hold what they saw" in low.means


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        wrong = found(tmp_path, str(disk))["folder-not-writable"]
    assert wrong.level == "bad"
    assert str(disk) in wrong.what


def test_a_database_whose_password_is_not_there(tmp_path: Path) -> None:
    url = '[database]\nurl = "postgresql://linli@127.0.0.1:9/linli"\npassword_file = "no-such"\n'
    wrong = found(tmp_path, str(tmp_path), url)["database-unusable"]
    assert wrong.level == "bad"
    assert "no-such" in wrong.what


def test_an_edge_whose_settings_or_models_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = tmp_path / "edge.toml"
    edge.write_text("nonsense = 1\n", encoding="utf-8")
    wrong = found(tmp_path, str(tmp_path), edge=edge)["edge-settings-unusable"]
    assert "missing required field" in wrong.what
    assert "edge" in wrong.means
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    model = next(one for one in open_book() if one.origin == "known")
    model.path.parent.mkdir(parents=True, exist_ok=True)
    model.path.write_bytes(b"another file")
    edge.unlink()
    words = ("edge", "init", "--site", "c001", "--area", "b03", "--node", "c001-n01")
    CliRunner().invoke(command, [*words, "--config", str(edge)], catch_exceptions=False)
    wrong = found(tmp_path, str(tmp_path), edge=edge)["model-wrong"]
    assert model.entry.name in wrong.what
    assert "linli models pull" in wrong.do
