"""Settings and people that make no whole are refused with where, rule and hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import ADMIN, GUEST, NOON, Folder
from providers import Provider

from ingest.notify.plans import in_business, load_people
from ingest.notify_settings import Business, Notify
from ingest.refusal import NotAllowed, NotThere
from ingest.services.notify import NotifyService
from ingest.settings import load_settings
from linli.cli.main import command
from linli.errors import InputError

SITE = '[site]\nid = "c001"\nlabel = "春晖"\n'
BOT = '[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\n'
ROUTE = '[[routes]]\nteam = "gate"\n'


def written(folder: Path, notify: str, people: str = ROUTE) -> Path:
    (folder / "people.toml").write_text(people, encoding="utf-8")
    path = folder / "ingest.toml"
    path.write_text(f"{SITE}{notify}", encoding="utf-8")
    return path


def test_without_a_table_nobody_is_told(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")).notify == Notify()


def test_paths_stand_beside_the_file(tmp_path: Path) -> None:
    hook = '[[notify.channels]]\ntype = "webhook"\nname = "hook"\nsecret_file = "s"\n'
    found = load_settings(written(tmp_path, f'[notify]\npeople = "people.toml"\n{hook}')).notify
    assert found.people == str(tmp_path / "people.toml")
    assert getattr(found.channels[0], "secret_file") == str(tmp_path / "s")  # noqa: B009


@pytest.mark.parametrize(
    ("notify", "says"),
    [
        ('[notify]\nbase_url = "https://x.test"\n', "settings without channels"),
        (BOT, "channels without people"),
        (f'[notify]\npeople = "people.toml"\n{BOT}{BOT}', "two channels are called 'bot'"),
        (
            f'[notify]\npeople = "people.toml"\nallow_networks = ["x"]\n{BOT}',
            "not a network: 'x'",
        ),
        (f'[notify]\npeople = "people.toml"\n{BOT}sort = 1\n', "unknown setting 'sort'"),
        ('[[notify.channels]]\ntype = "pigeon"\nname = "p"\n', "pigeon"),
    ],
)
def test_what_makes_no_whole_is_refused(tmp_path: Path, notify: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_settings(written(tmp_path, notify))


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ("", "routes"),
        (f'{ROUTE}ladder = "steep"\n', "no ladder 'steep'"),
        (
            f"{ROUTE}[[contacts]]\nowner_type = 'team'\nowner = 'g'\nchannel = 'mail'\naddress='x'",
            "no channel 'mail'",
        ),
    ],
)
def test_people_that_fit_nothing_are_refused(tmp_path: Path, people: str, says: str) -> None:
    written(tmp_path, "", people)
    with pytest.raises(InputError, match=says):
        load_people(tmp_path / "people.toml", frozenset({"bot"}))


def test_the_examples_of_the_page_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")
    settings, people = (part.split("```")[0] for part in page.split("```toml\n")[1:3])
    found = load_settings(written(tmp_path, settings, people)).notify
    file = load_people(tmp_path / "people.toml", frozenset(one.name for one in found.channels))
    assert file.ladders["lifts"].rungs[1].after.total_seconds() == 180


@pytest.mark.parametrize(
    ("hour", "open_", "business"),
    [
        (9, True, Business()),
        (18, False, Business()),
        (23, True, Business(begin="22:00", end="06:00")),
        (3, False, Business(days=(0,), begin="06:00", end="05:00")),  # Monday before six
    ],
)
def test_business_hours(hour: int, open_: bool, business: Business) -> None:
    assert in_business(business, datetime(2026, 3, 2, hour, tzinfo=UTC), UTC) == open_


def test_the_test_command_says_what_the_provider_said(tmp_path: Path) -> None:
    with Provider({"errcode": 0}) as provider:
        bot = f'{BOT}url = "{provider.url}send"\n'
        config = written(tmp_path, f'[notify]\npeople = "people.toml"\n{bot}')
        arguments = ["ingest", "notify", "test", "bot", "key", "--config", str(config), "--json"]
        taken = CliRunner().invoke(command, arguments)
        assert (taken.exit_code, json.loads(taken.output)["sent"]) == (0, True)
        provider.say({"errcode": 93000, "errmsg": "invalid webhook url"})
        refused = CliRunner().invoke(command, arguments)
        assert refused.exit_code == 1
        assert '"code":"93000"' in refused.output
    other = CliRunner().invoke(command, [*arguments[:3], "post", "x", "--config", str(config)])
    assert other.exit_code != 0
    checked = CliRunner().invoke(
        command, ["ingest", "notify", "check", "--config", str(config), "--json"]
    )
    assert json.loads(checked.output)["routes"] == 1


def test_only_administrators_try_channels(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    try:
        service = NotifyService(Notify(), folder.reader("state"), site="春晖", zone=UTC)
        assert service.status(GUEST).state == "off"
        with pytest.raises(NotAllowed):
            service.test(GUEST, "bot", "x", "zh", NOON)
        with pytest.raises(NotThere):
            service.test(ADMIN, "bot", "x", "zh", NOON)
    finally:
        folder.close()
