"""Who is meant by a part, and how they are reached."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.duty.roster import Roster, Shift
from ingest.notify.contact import Contact, Directory, Quiet, Unreached, recipients
from ingest.notify.escalation import Audience, Told
from ingest.registry.records import Person
from linli.events import Severity

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def person(name: str, role: str = "duty", team: str | None = "desk") -> Person:
    return Person(id=name, label=name, role=role, team=team)  # type: ignore[arg-type]


def contact(owner: str, channel: str = "wecom", **more: object) -> Contact:
    return Contact(owner_type="person", owner=owner, channel=channel, address=owner, **more)  # type: ignore[arg-type]


DIRECTORY = Directory(
    people={
        one.id: one
        for one in (
            person("wang"),
            person("li"),
            person("boss", "manager", None),
            person("street", "grid", None),
            Person(id="gone", label="gone", role="duty", team="desk", retired=True),
        )
    },
    contacts=(
        contact("wang", quiet=Quiet(begin="22:00", end="07:00")),
        contact("wang", "sms"),
        contact("li", least="high"),
        contact("boss"),
        Contact(owner_type="team", owner="desk", channel="group", address="KEY"),
    ),
    rosters={
        "desk": Roster(team="desk", shifts=(Shift(begin="08:00", end="00:30", people=("wang",)),))
    },
    zone=ZONE,
)


def told(who: Audience, *people: str) -> Told:
    return Told(call=1, round=1, rung=0, who=who, people=people)


def names(
    who: Audience, *people: str, severity: Severity = "critical", now: datetime = NOON
) -> list[str]:
    found, _ = recipients(told(who, *people), "desk", severity, DIRECTORY, now)
    return [f"{one.owner_type}:{one.owner}" for one in found]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("on-duty", ["person:wang"]),
        ("team", ["team:desk", "person:wang", "person:li"]),
        ("supervisor", ["person:boss"]),
        ("street", []),
    ],
)
def test_parts(who: Audience, expected: list[str]) -> None:
    assert names(who) == expected


def test_named_people_come_too_and_nobody_twice() -> None:
    assert names("on-duty", "boss", "wang") == ["person:wang", "person:boss"]


def test_nobody_on_duty_means_the_whole_team_and_is_said() -> None:
    early = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # 04:00 there
    found, missing = recipients(told("on-duty"), "desk", "critical", DIRECTORY, early)
    assert [one.owner for one in found] == ["desk", "wang", "li"]
    assert missing == [Unreached(owner="team:desk", why="nobody-on-duty")]


def test_who_cannot_be_reached_is_said() -> None:
    _, missing = recipients(told("street"), "desk", "critical", DIRECTORY, NOON)
    assert missing == [Unreached(owner="person:street", why="no-contact")]
    _, missing = recipients(told("team"), "desk", "low", DIRECTORY, NOON)
    assert missing == [Unreached(owner="person:li", why="below-severity")]


def test_contacts_keep_their_order() -> None:
    found, _ = recipients(told("on-duty"), "desk", "low", DIRECTORY, NOON)
    assert [one.channel for one in found[0].contacts] == ["wecom", "sms"]


@pytest.mark.parametrize(
    ("severity", "now", "until"),
    [
        ("high", MIDNIGHT, datetime(2026, 3, 2, 23, 0, tzinfo=UTC)),
        ("critical", MIDNIGHT, None),
        ("high", NOON, None),
    ],
)
def test_quiet_hours(severity: Severity, now: datetime, until: datetime | None) -> None:
    found, _ = recipients(told("on-duty"), "desk", severity, DIRECTORY, now)
    assert found[0].not_before == until
