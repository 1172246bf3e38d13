"""Who is told follows the roster that is kept, else that of the file."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from house import NOON, Folder

from ingest.duty import book
from ingest.duty.roster import Roster, Shift, on_duty
from ingest.notify.plans import FilePlans, PeopleFile, Route
from ingest.store.engine import reading, writing
from ingest.store.registry import team
from linli.cli.main import command


def around_the_clock(person: str) -> Roster:
    return Roster(team="night", shifts=(Shift(begin="00:00", end="00:00", people=(person,)),))


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def told(folder: Folder, plans: FilePlans) -> tuple[str, ...]:
    with reading(folder.state) as connection:
        found = plans.directory(connection)
    turn = on_duty(found.rosters["night"], NOON, UTC)
    return () if turn is None else turn.people


def test_the_kept_roster_counts_and_the_file_after_it_is_gone(folder: Folder) -> None:
    file = PeopleFile(routes=(Route(team="night"),), rosters=(around_the_clock("old"),))
    plans = FilePlans(file, UTC)
    assert told(folder, plans) == ("old",)
    kept = msgspec.json.encode(around_the_clock("new")).decode()
    for body, expected in ((kept, "new"), (None, "old")):
        with writing(folder.state) as connection:
            book.write(connection, "roster", "night", body, actor="user:boss", now=NOON)
        assert told(folder, plans) == (expected,)


def test_the_command_line_says_who_is_on_duty(folder: Folder, tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text(
        f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "x"\n[mqtt]\nhost = "127.0.0.1"\n'
        f"{folder.toml}"
    )

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(
            command, ["ingest", "duty", *arguments, "--config", str(config)], catch_exceptions=False
        )
        return done.output

    assert "no team is registered" in run("now")
    roster = Roster(team="night", shifts=(Shift(begin="00:00", end="00:00", people=("li",)),))
    with writing(folder.state) as connection:
        connection.execute(team.insert(), {"team": "night", "label": "夜班"})
        kept = msgspec.json.encode(roster).decode()
        book.write(connection, "roster", "night", kept, actor="user:boss", now=NOON)
    assert "night (夜班): li until" in run("now")
    (found,) = json.loads(run("now", "--json"))["teams"]
    assert found["now"]["people"][0]["id"] == "li"
    assert json.loads(run("show", "night"))["shifts"][0]["people"] == ["li"]
