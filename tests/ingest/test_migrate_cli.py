"""`linli ingest migrate`: what it says, asks and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import stores
from click.testing import CliRunner, Result

from ingest.store import migrate
from linli.cli.ingest import command
from linli.errors import InputError
from linli.owner import sole_owner


class Shell:
    """Runs `linli ingest migrate …` on one store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        where = stores.copy(folder / "data")
        database = "" if where.url is None else f'[database]\nurl = "{where.url}"\n'
        self.config = folder / "ingest.toml"
        self.config.write_text(f'data = "data"\n[site]\nid = "c001"\nlabel = "x"\n{database}')

    def __call__(self, *arguments: str, answer: str = "") -> Result:
        words = ("migrate", *arguments, "--config", str(self.config))
        result = CliRunner().invoke(command, words, input=answer)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def version(self, file: str) -> str | None:
        found = json.loads(self("status", "--json").stdout)["files"]
        return {one["file"]: one["version"] for one in found}[file]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_status_says_where_and_which_version(shell: Shell) -> None:
    said = shell("status").stdout.splitlines()
    assert said[1:] == [f"{file:<8} {migrate.head(file)}" for file in migrate.FILES]
    shell("back", "journal", "--yes")
    assert f"(newest: {migrate.head('journal')})" in shell("status").stdout


def test_status_of_nothing_makes_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.config.write_text('data = "none"\n[site]\nid = "c001"\nlabel = "x"\n')
    assert shell("status").stdout.count("not there yet") == 3
    assert not (tmp_path / "none").exists()
    with pytest.raises(InputError, match="there is no state here yet"):
        shell("back", "state", "--yes")


def test_back_shows_what_goes_and_asks(shell: Shell) -> None:
    refused = shell("back", "journal", answer="n\n")
    assert refused.exit_code == 1
    assert "goes: place (0 rows)" in refused.stderr
    assert shell.version("journal") == migrate.head("journal")
    done = shell("back", "journal", answer="y\n")
    assert done.exit_code == 0
    assert "backup: " in done.stdout
    assert shell.version("journal") == migrate.previous("journal")
    with pytest.raises(InputError, match="its tables are at"):
        shell("back", "journal", "--yes")


def test_back_and_up_for_machines(shell: Shell) -> None:
    back = json.loads(shell("back", "journal", "--yes", "--json").stdout)
    assert back["version"] == migrate.previous("journal")
    assert set(back["destroyed"]) == {"place"}
    assert Path(back["backup"]).is_file()
    up = json.loads(shell("up", "--json").stdout)
    assert [Path(one).is_file() for one in up["backups"]] == [True]
    assert json.loads(shell("up", "--json").stdout) == {"backups": []}
    none = json.loads(shell("back", "journal", "--yes", "--no-backup", "--json").stdout)
    assert none["backup"] is None
    assert "up to date" in shell("up", "--no-backup").stdout


def test_restore_asks_and_puts_the_backup_back(shell: Shell) -> None:
    assert shell("check").stdout == "up to date\n"
    assert json.loads(shell("backup", "--json").stdout) == {"backups": {}}
    shell("back", "state", "--yes", "--no-backup")
    assert shell("check").stdout == "to be brought up: state\n"
    (path,) = json.loads(shell("backup", "--json").stdout)["backups"].values()
    assert f"{path} would do" in shell("restore", path, "--rehearse").stdout
    shell("up", "--no-backup")
    assert shell("restore", path, answer="n\n").exit_code == 1
    assert shell.version("state") == migrate.head("state")
    assert f"state is at {migrate.previous('state')}" in shell("restore", path, "--yes").stdout
    done = json.loads(shell("restore", path, "--yes", "--json").stdout)
    assert done == {"file": "state", "version": migrate.previous("state"), "rehearsed": False}


def test_a_running_ingest_is_not_taken_back(shell: Shell) -> None:
    with sole_owner(shell.folder / "data"), pytest.raises(InputError, match="another ingest runs"):
        shell("back", "journal", "--yes")
    assert shell.version("journal") == migrate.head("journal")
    path = shell.folder / "state_0001-20260302T120000Z.backup"
    path.touch()
    with sole_owner(shell.folder / "data"), pytest.raises(InputError, match="another ingest runs"):
        shell("restore", str(path), "--yes")
