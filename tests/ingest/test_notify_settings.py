"""Settings and people that make no whole are refused with where, rule and hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import ADMIN, GUEST, NOON, Folder
from providers import Provider

from ingest.notify.plans import in_business
from ingest.notify_settings import Business, Notify
from ingest.refusal import NotAllowed, NotThere
from ingest.services.notify import NotifyService
from ingest.services.people_file import address_faults, load_people
from ingest.settings import load_settings
from linli.cli.main import command
from linli.errors import InputError

SITE = '[site]\nid = "c001"\nlabel = "春晖"\n'
BOT = '[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\n'


def written(folder: Path, notify: str) -> Path:
    path = folder / "ingest.toml"
    path.write_text(f"{SITE}{notify}", encoding="utf-8")
    return path


def test_without_a_table_nobody_is_told(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")).notify == Notify()


def test_paths_stand_beside_the_file(tmp_path: Path) -> None:
    hook = '[[notify.channels]]\ntype = "webhook"\nname = "hook"\nsecret_file = "s"\n'
    found = load_settings(written(tmp_path, hook)).notify
    assert getattr(found.channels[0], "secret_file") == str(tmp_path / "s")  # noqa: B009


@pytest.mark.parametrize(
    ("notify", "says"),
    [
        (f"{BOT}{BOT}", "two channels are called 'bot'"),
        (f'[notify]\nallow_networks = ["x"]\n{BOT}', "not a network: 'x'"),
        (f"{BOT}sort = 1\n", "unknown setting 'sort'"),
        ('[[notify.channels]]\ntype = "pigeon"\nname = "p"\n', "pigeon"),
    ],
)
def test_what_makes_no_whole_is_refused(tmp_path: Path, notify: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_settings(written(tmp_path, notify))


def test_the_examples_of_the_page_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")
    settings, people = (part.split("```")[0] for part in page.split("```toml\n")[1:3])
    found = load_settings(written(tmp_path, settings)).notify
    (tmp_path / "people.toml").write_text(people, encoding="utf-8")
    file = load_people(tmp_path / "people.toml")
    assert file.ladders["lifts"].rungs[1].after.total_seconds() == 180
    assert {one.channel for one in file.contacts} <= {one.name for one in found.channels}
    assert not [one for one in address_faults(file, found) if "x.example" not in one[1]]


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
        config = written(tmp_path, f'{BOT}url = "{provider.url}send"\n')
        arguments = ["ingest", "notify", "test", "bot", "key", "--config", str(config), "--json"]
        taken = CliRunner().invoke(command, arguments)
        assert (taken.exit_code, json.loads(taken.output)["sent"]) == (0, True)
        provider.say({"errcode": 93000, "errmsg": "invalid webhook url"})
        refused = CliRunner().invoke(command, arguments)
        assert refused.exit_code == 1
        assert '"code":"93000"' in refused.output
    other = CliRunner().invoke(command, [*arguments[:3], "post", "x", "--config", str(config)])
    assert other.exit_code != 0
    early = CliRunner().invoke(command, ["ingest", "notify", "check", "--config", str(config)])
    assert early.exit_code != 0  # no ingest has run here yet


def test_only_administrators_try_channels(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    try:
        service = NotifyService(Notify(), folder.reader("state"), site="春晖", zone=UTC)
        assert service.status(GUEST, folder.clock.now()).state == "off"
        with pytest.raises(NotAllowed):
            service.test(GUEST, "bot", "x", "zh", NOON)
        with pytest.raises(NotThere):
            service.test(ADMIN, "bot", "x", "zh", NOON)
    finally:
        folder.close()
