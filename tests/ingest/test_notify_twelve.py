"""What must hold of any system that tells people, through the real outbox and real senders.

`docs/notifications.md` lists which test proves which; those that are not here stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from house import ADMIN
from notices import Office
from providers import Provider

from ingest.incidents.silence import Matchers
from ingest.notify.channel import Channel
from ingest.notify.dingtalk import DingTalk
from ingest.notify.feishu import Feishu
from ingest.notify.posting import open_client
from ingest.notify.webhook import Webhook, signed
from ingest.notify.wecom_bot import WecomBot
from ingest.services.people_file import PeopleFile
from ingest.services.silences import SilenceService

Make = Callable[[httpx2.Client, str], Channel]
LOCAL = [ip_network("127.0.0.0/8")]
LIMITS: dict[str, tuple[Make, dict[str, Any], int, int]] = {
    "45009": (WecomBot, {"errcode": 45009}, 200, 1),
    "130101": (DingTalk, {"errcode": 130101}, 200, 10),
    "11232": (Feishu, {"code": 11232}, 200, 1),
    "http-429": (lambda web, url: Webhook(web, ["s"], allowed=LOCAL), {}, 429, 1),
}
"""A sender, what its provider answers when it is too much, and the minutes it wants to rest."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.mark.parametrize("code", LIMITS)
def test_a_limit_inside_http_200_is_no_delivery_backs_off_and_is_delivered(
    office: Office, code: str
) -> None:
    make, answer, status, minutes = LIMITS[code]
    with Provider({"errcode": 0, "code": 0}) as provider, open_client() as client:
        provider.say(answer, status=status)
        office.replace("bot", make(client, f"{provider.url}send"), f"{provider.url}hook")
        once = {"rungs": [{"who": "on-duty"}], "rounds": 1}
        office.written_down(msgspec.convert({"ladders": {"usual": once}}, PeopleFile))
        office.begin(severity="medium")
        office.work()
        assert len(provider.asked) == 1
        assert office.tally() == {"waiting": 1}
        office.work(minutes=minutes + 1)
        assert len(provider.asked) == 2
        assert office.tally() == {"sent": 1}


def test_whatever_else_is_inside_http_200_is_no_delivery(office: Office) -> None:
    with Provider({"errcode": 93000, "errmsg": "invalid webhook url"}) as provider:
        with open_client() as client:
            office.replace("bot", WecomBot(client, f"{provider.url}send"), "key")
            office.begin()
            office.work()
        assert office.said("mail") == [("li@linli.test", "call")]  # the next contact is
        assert office.tally() == {"dead refused": 1, "sent": 1}


def silenced(office: Office, minutes: int) -> SilenceService:
    service = SilenceService(office.reader, office.folder.state, office.feed)
    now = office.clock.now()
    matchers = Matchers(events=("zone-dwell",))
    service.add(ADMIN, matchers, ends=now + timedelta(minutes=minutes), why="repair", now=now)
    return service


def test_a_silence_that_ends_while_it_goes_on_is_one_message(office: Office) -> None:
    silenced(office, 10)
    office.begin()
    office.work(minutes=9)
    assert not office.channels["bot"].sent
    office.work(minutes=3)
    assert office.said("bot") == [("li-key", "call")]


@pytest.mark.parametrize("how", ["resolve", "clear"])
def test_a_maintenance_window_never_hides_that_it_is_over(office: Office, how: str) -> None:
    began = office.begin()
    office.work()
    assert office.said("bot") == [("li-key", "call")]
    silenced(office, 60)
    office.work(minutes=1)
    if how == "resolve":
        office.act("resolve")
    else:
        office.end(began)
    office.work(minutes=30)
    kinds = [kind for _, kind in office.said("bot")[1:]]
    assert kinds == (["resolved"] if how == "resolve" else ["ended", "resolved"])
    assert not [state for state in office.tally() if state in {"waiting", "leased"}]


def accepted(secrets: list[str], headers: dict[str, str], body: bytes, now: datetime) -> bool:
    """Judge a request as the specification tells a receiver to."""
    moment = int(headers["webhook-timestamp"])
    if abs(now.timestamp() - moment) > 300:
        return False
    key, at = headers["webhook-id"], datetime.fromtimestamp(moment, now.tzinfo)
    valid = {
        seal
        for secret in secrets
        for seal in signed([secret], key, body, at)["webhook-signature"].split()
    }
    return bool(valid & set(headers["webhook-signature"].split()))


def test_a_receiver_can_tell_what_is_forged_old_or_repeated(office: Office) -> None:
    """S17: time and body are signed together, the id stays, and two keys hold while changing."""
    with Provider({}) as provider, open_client() as client:
        hook = Webhook(client, ["new", "old"], allowed=LOCAL)
        office.replace("bot", hook, f"{provider.url}hook")
        provider.say({}, status=503)
        office.begin()
        office.work(minutes=2)
        first, second = provider.asked[:2]
    now = datetime.fromtimestamp(int(second["headers"]["webhook-timestamp"]), UTC)
    good = (second["headers"], second["raw"])
    for secret in ("new", "old"):
        assert accepted([secret], *good, now)
    assert not accepted(["other"], *good, now)
    assert not accepted(["new"], *good, now + timedelta(minutes=6))
    assert not accepted(["new"], second["headers"], second["raw"] + b" ", now)
    later = {**second["headers"], "webhook-timestamp": str(int(now.timestamp()) + 1)}
    assert not accepted(["new"], later, second["raw"], now)
    other = {**second["headers"], "webhook-id": "other"}
    assert not accepted(["new"], other, second["raw"], now)
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
