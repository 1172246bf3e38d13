"""Who is told follows what is written down at that moment; the command line shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from house import NOON, Folder
from notices import Office

from ingest.duty import book
from ingest.duty.roster import Roster, Shift
from ingest.services.people_file import PeopleFile
from ingest.store.engine import reading, writing
from ingest.store.registry import person, team
from linli.cli.main import command

PEOPLE = """
[[routes]]
team = "night"
event = "ebike-in-elevator"
ladder = "lifts"

[[rosters]]
team = "night"
shifts = [{ begin = "00:00", end = "00:00", people = ["li"] }]

[[contacts]]
owner_type = "person"
owner = "li"
channel = "bot"
address = "li-key"

[[contacts]]
owner_type = "team"
owner = "night"
channel = "bot"
address = "group-key"

[ladders.lifts]
rungs = [{ who = "on-duty" }, { who = "team", after = "PT3M" }]
"""


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        connection.execute(team.insert(), {"team": "night", "label": "夜班"})
        connection.execute(person.insert(), {"person": "li", "label": "李", "role": "duty"})
    yield folder
    folder.close()


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.close()


class Line:
    """The command line beside a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder.path
        self.config = folder.path / "ingest.toml"
        self.config.write_text(
            f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}'
            '[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\n'
        )

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(command, ["ingest", *arguments, "--config", str(self.config)])

    def bring(self, text: str, how: str = "--apply") -> Result:
        file = self.folder / "people.toml"
        file.write_text(text, encoding="utf-8")
        return self.run("people", "import", str(file), how, "--json")


def changed(office: Office, **values: Any) -> None:
    office.written_down(msgspec.convert(values, PeopleFile))


def test_a_change_counts_from_the_next_call_on(office: Office) -> None:
    office.begin(zone="a")
    office.work()
    ways = [{"owner_type": "person", "owner": "li", "channel": "mail", "address": "new@linli.test"}]
    changed(office, contacts=ways)
    office.begin(zone="b")
    office.work()
    assert office.said("bot") == [("li-key", "call")]
    assert office.said("mail") == [("new@linli.test", "call")]


def test_a_ladder_under_way_stays_as_it_was(office: Office) -> None:
    office.begin(zone="a")
    office.work()
    steep = {"rungs": [{"who": "on-duty"}, {"who": "supervisor", "after": "PT1M"}]}
    changed(office, ladders={"usual": steep})
    office.work(minutes=4)
    assert not office.channels["mail"].sent  # the old one tells the team after five minutes
    office.work(minutes=2)
    assert ("group-key", "call") in office.said("bot")
    office.begin(zone="b")
    office.work(minutes=2)
    assert ("boss@linli.test", "call") in office.said("mail")


def test_whoever_left_is_not_told_by_an_old_roster_or_contact(office: Office) -> None:
    with writing(office.folder.state) as connection:
        connection.execute(
            person.update().where(person.c.person == "li").values(retired_at=office.clock.now())
        )
    office.begin()
    office.work()
    assert office.said("bot") == [("group-key", "call")]  # the rung behind did not wait
    assert office.tally() == {"suppressed no-contact": 1, "sent": 1}


def test_a_file_is_previewed_and_then_written_down_whole(folder: Folder) -> None:
    line = Line(folder)
    seen = json.loads(line.bring(PEOPLE, "--preview").output)
    assert seen["applied"] is False
    assert {(one["kind"], one["name"], one["action"]) for one in seen["changes"]} == {
        ("contacts", "person:li", "created"),
        ("contacts", "team:night", "created"),
        ("roster", "night", "created"),
        ("ladder", "lifts", "created"),
        ("routes", "all", "created"),
    }
    assert json.loads(line.run("people", "list", "--json").output)["items"] == []
    done = json.loads(line.bring(PEOPLE).output)
    assert done["applied"] is True
    again = json.loads(line.bring(PEOPLE.replace("li-key", "other")).output)
    assert [one["name"] for one in again["changes"] if one["action"] == "changed"] == ["person:li"]
    shown = line.run("people", "list", "--json").output + line.run("people", "list").output
    assert "person:li" in shown
    assert "other" not in shown
    checked = json.loads(line.run("notify", "check", "--json").output)
    assert checked["numbers"]["routes"] == 1


def test_an_old_address_is_gone_with_its_change(folder: Folder) -> None:
    line = Line(folder)
    line.bring(PEOPLE)
    line.bring(PEOPLE.replace("li-key", "other"))
    with reading(folder.state) as connection:
        kept = connection.exec_driver_sql("SELECT body, digest FROM duty_document").all()
        history = book.history(connection, "contacts", "person:li", before=None, limit=9)
    assert "li-key" not in str(kept)
    assert [one.version for one in history] == [2, 1]
    assert history[0].actor.startswith("cli")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PEOPLE.replace('"night"', '"ghosts"'), "no team 'ghosts' is in use"),
        (PEOPLE.replace('owner = "li"', 'owner = "wu"'), "person:wu"),
        (PEOPLE.replace('ladder = "lifts"', 'ladder = "steep"'), "no ladder 'steep'"),
        (PEOPLE.replace('channel = "bot"', 'channel = "fax"'), "no channel 'fax'"),
        (PEOPLE.replace("PT3M", "P9D"), "between PT0S and P1D"),
        (PEOPLE.replace("li-key", "https://x/send?key=1"), "no key of a bot"),
        (PEOPLE.replace('event = "ebike-in-elevator"', 'building = "b99"'), "no place '*/b99'"),
        (
            PEOPLE.replace("[[rosters]]", '[[routes]]\nteam = "night"\n' * 2 + "[[rosters]]"),
            "never",
        ),
    ],
)
def test_what_breaks_a_rule_is_said_and_nothing_is_kept(
    folder: Folder, text: str, says: str
) -> None:
    line = Line(folder)
    refused = line.bring(text)
    assert refused.exit_code != 0
    assert says in refused.output
    assert "li-key" not in refused.output
    assert json.loads(line.run("people", "list", "--json").output)["items"] == []


@pytest.mark.parametrize("text", ["", "[[routes]]\n", "routes = 3", "[people]\n", "x ="])
def test_a_file_that_is_none_is_refused_in_words(folder: Folder, text: str) -> None:
    refused = Line(folder).bring(text)
    assert "Traceback" not in refused.output
    assert refused.exit_code != 0 or json.loads(refused.output)["changes"] == []


def test_the_command_line_says_who_would_be_told(folder: Folder) -> None:
    line = Line(folder)
    assert "nobody would be told" in line.run("people", "preview", "ebike-in-elevator").output
    assert line.run("notify", "check").exit_code != 0
    line.bring(PEOPLE)
    told = line.run("people", "preview", "ebike-in-elevator").output
    assert "team night, ladder lifts" in told
    assert "person:li by bot" in told
    assert "nobody would be told" in line.run("people", "preview", "bin-full").output


def test_the_command_line_says_who_is_on_duty(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    line = Line(folder)
    assert "no team is registered" in line.run("duty", "now").output
    roster = Roster(team="night", shifts=(Shift(begin="00:00", end="00:00", people=("li",)),))
    with writing(folder.state) as connection:
        connection.execute(team.insert(), {"team": "night", "label": "夜班"})
        kept = msgspec.json.encode(roster).decode()
        book.write(connection, "roster", "night", kept, actor="user:boss", now=NOON)
    assert "night (夜班): li until" in line.run("duty", "now").output
    (found,) = json.loads(line.run("duty", "now", "--json").output)["teams"]
    assert found["now"]["people"][0]["id"] == "li"
    assert json.loads(line.run("duty", "show", "night").output)["shifts"][0]["people"] == ["li"]
    folder.close()
