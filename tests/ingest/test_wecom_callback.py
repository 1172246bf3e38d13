"""Calls of 企业微信: the provider's own examples, taps that count once, and all that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from house import ADMIN, Folder, sign_in
from phones import PERSON, Phone, phone
from providers import Provider
from wecom import AGENT, CORPORATION, KEY, TOKEN, call, query, sealed, tap

from ingest.notify import outbox
from ingest.notify.contact import Contact
from ingest.notify.note import Note
from ingest.notify.wecom_callback import Callback, Seal, sealed_part, signature, tap_of
from ingest.notify_settings import Notify, WecomAppSettings
from ingest.refusal import NotAllowed, NotUsable
from ingest.settings import load_settings
from ingest.store.engine import writing
from linli.errors import InputError

# The examples that the provider ships with its own library for receiving messages.
TRIAL = Seal("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780")
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
CALL = Seal("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149")
BODY = (
    "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><Encrypt><![CDATA["
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj"
    "911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06"
    "DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQ"
    "H03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo"
    "6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+q"
    "N+E7Q==]]></Encrypt><AgentID><![CDATA[218]]></AgentID></xml>"
)


def at(seal: Seal) -> datetime:
    return datetime.fromtimestamp(int(seal.timestamp), UTC)


@pytest.fixture
def callback() -> Callback:
    return Callback(token=TOKEN, key=KEY, corporation=CORPORATION)


def test_the_provider_s_own_examples_open(callback: Callback) -> None:
    assert callback.open(TRIAL, ECHO, at(TRIAL)) == b"1616140317555161061"
    plain = callback.open(CALL, sealed_part(BODY.encode()), at(CALL))
    assert b"<Content><![CDATA[hello]]></Content>" in plain
    assert tap_of(plain) is None  # a message of a person is no tap


@pytest.mark.parametrize("drift", [timedelta(minutes=5, seconds=1), -timedelta(minutes=6)])
def test_a_call_that_is_not_fresh_is_refused(callback: Callback, drift: timedelta) -> None:
    with pytest.raises(NotAllowed, match="too old"):
        callback.open(TRIAL, ECHO, at(TRIAL) + drift)


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": "0" * 40},
        {"signature": ""},
        {"signature": "签名"},
        {"timestamp": "1409659590"},
        {"nonce": "1"},
    ],
)
def test_what_is_not_signed_so_is_refused(callback: Callback, changed: dict[str, str]) -> None:
    with pytest.raises(NotAllowed, match="signature"):
        callback.open(msgspec.structs.replace(TRIAL, **changed), ECHO, at(TRIAL))


@pytest.mark.parametrize(
    "part",
    [
        "",
        "AAAA",
        "链接",
        "A" * 64,
        pytest.param(sealed(b"x", corporation="other"), id="for somebody else"),
    ],
)
def test_what_was_not_sealed_for_us_is_refused(callback: Callback, part: str) -> None:
    signed = query(part, at(TRIAL))
    seal = Seal(signed["msg_signature"], signed["timestamp"], signed["nonce"])
    with pytest.raises(NotAllowed):
        callback.open(seal, part, at(TRIAL))


def test_a_signed_call_without_a_time_is_refused(callback: Callback) -> None:
    seal = Seal(signature(TOKEN, "١٢", "n", ECHO), "١٢", "n")
    with pytest.raises(NotAllowed, match="no time"):
        callback.open(seal, ECHO, at(TRIAL))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<xml></xml>",
        b"<xml><Encrypt></Encrypt></xml>",
        b"\xff\xfe",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"<xml><Encrypt>" + b"A" * 70_000 + b"</Encrypt></xml>",
    ],
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(NotUsable):
        sealed_part(body)


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "A", "!" * 43, "键" * 43])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="EncodingAESKey"):
        Callback(token=TOKEN, key=key, corporation=CORPORATION)


def test_one_of_the_two_secrets_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ingest.toml"
    path.write_text(
        '[site]\nid = "c001"\nlabel = "x"\n[[notify.channels]]\n'
        'type = "wecom-app"\nname = "w"\ncorporation = "c"\nagent = 1\nsecret_file = "s"\n'
        'callback_key_file = "k"\n'
    )
    with pytest.raises(InputError, match="alone"):
        load_settings(path)


# --- with a real ingest --------------------------------------------------------------------------


class Desk:
    """A real ingest with an application of the provider, and a card that was sent to 李伟."""

    def __init__(self, there: Phone, provider: Provider) -> None:
        self.there, self.provider = there, provider
        self.clock = there.folder.clock
        contact = Contact(
            owner_type="person", owner="li", channel="app", address="LiWei", language="zh"
        )
        now = self.clock.now()
        self.note = Note(
            incident=there.of,
            call=1,
            kind="call",
            owner=PERSON,
            created=now,
            next_at=now,
            urgency=0,
            contacts=(contact,),
            state="sent",
            ended=now,
        )
        self.add(self.note)

    def add(self, note: Note) -> None:
        with writing(self.there.folder.state) as connection:
            outbox.add(connection, [note])

    def tap(self, member: str = "LiWei", task: str | None = None, **more: Any) -> Any:
        part = sealed(tap(member, task or self.note.key, **more))
        params = query(part, self.clock.now())
        return self.there.client.post("/webhook/wecom/app", params=params, content=call(part))

    def shown(self) -> list[str]:
        """What cards say now."""
        return [
            one["fields"]["button"]["replace_name"]
            for one in self.provider.asked
            if one["path"].endswith("update_template_card")
        ]

    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.there.services.cards.taps(ADMIN, self.there.of)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    answer = {"errcode": 0, "access_token": "tk", "expires_in": 7200}
    with Provider(answer) as provider:
        folder = Folder(tmp_path)
        for name, secret in (("secret", "s"), ("token", TOKEN), ("key", KEY)):
            (tmp_path / name).write_text(secret)
        app = WecomAppSettings(
            name="app",
            corporation=CORPORATION,
            agent=AGENT,
            secret_file=str(tmp_path / "secret"),
            callback_token_file=str(tmp_path / "token"),
            callback_key_file=str(tmp_path / "key"),
            url=provider.url,
        )
        notify = Notify(channels=(app,))
        folder.settings = msgspec.structs.replace(folder.settings, notify=notify)
        with phone(folder) as there:
            yield Desk(there, provider)


def test_a_secret_that_cannot_be_read_is_nobody_s_business(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key").unlink()
    params = query("x", desk.clock.now())
    for answer in (
        desk.there.client.get("/webhook/wecom/app", params={**params, "echostr": "x"}),
        desk.tap(),
    ):
        assert answer.status_code == 404
        assert str(tmp_path) not in answer.text
    assert "channel app: a call cannot be opened" in caplog.text


def test_the_address_is_verified(desk: Desk) -> None:
    part = sealed(b"1616140317555161061")
    path, params = "/webhook/wecom/app", {**query(part, desk.clock.now()), "echostr": part}
    answer = desk.there.client.get(path, params=params)
    assert (answer.status_code, answer.text) == (200, "1616140317555161061")
    wrong = desk.there.client.get(path, params={**params, "nonce": "1"})
    assert wrong.status_code == 403
    assert desk.there.client.get("/webhook/wecom/none", params=params).status_code == 404
    assert desk.there.client.get(path).status_code == 422


def test_a_tap_takes_the_incident_as_the_member_and_the_card_says_so(desk: Desk) -> None:
    answer = desk.tap()
    assert (answer.status_code, answer.content) == (200, b"")
    incident = desk.there.incident()
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", PERSON)
    (asked,) = [one for one in desk.provider.asked if "update_template" in one["path"]]
    assert asked["query"] == {"access_token": "tk"}
    assert asked["fields"] == {
        "userids": ["LiWei"],
        "agentid": AGENT,
        "response_code": "code-1",
        "button": {"replace_name": "已由我处理"},
    }
    headers = sign_in(desk.there.client, "boss")
    book = desk.there.client.get(f"/api/v1/incidents/{desk.there.of}/links", headers=headers)
    (row,) = book.json()["taps"]
    assert (row["member"], row["recipient"], row["outcome"]) == ("LiWei", PERSON, "taken")


def test_the_same_tap_again_does_nothing_more(desk: Desk) -> None:
    desk.tap()
    services, now = desk.there.services, desk.clock.now()
    services.incidents.resolve(ADMIN, desk.there.of, now)
    services.incidents.resume(ADMIN, desk.there.of, now)
    before = services.incidents.newest(ADMIN, desk.there.of, 100)
    assert desk.tap().status_code == 200  # the provider asks again when it heard no answer
    assert services.incidents.newest(ADMIN, desk.there.of, 100) == before
    assert desk.shown() == ["已由我处理"]
    assert desk.outcomes() == ["taken"]


def test_who_comes_second_reads_that_others_have_it(desk: Desk) -> None:
    desk.there.services.incidents.acknowledge(ADMIN, desk.there.of, desk.clock.now())
    desk.tap()
    desk.there.services.incidents.resolve(ADMIN, desk.there.of, desk.clock.now())
    desk.tap(response="code-2")
    assert desk.shown() == ["已有人处理", "已处理完"]
    assert desk.there.incident().state == "resolved"


def test_others_cards_old_cards_and_unknown_ones_do_nothing(desk: Desk) -> None:
    desk.tap("WangFang", response="a")
    desk.tap(task="0" * 64, response="b")
    told = msgspec.structs.replace(desk.note, kind="seen")
    desk.add(told)
    desk.tap(task=told.key, response="c")
    desk.there.person(retired=True)
    desk.tap(response="d")
    desk.there.person(retired=False)
    desk.clock.advance(timedelta(hours=72).total_seconds())
    desk.tap(response="e")
    assert desk.shown() == [
        "不是发给你的",
        "没有这条告警",
        "没有这条告警",
        "你已不在名单",
        "卡片已过期",
    ]
    assert desk.there.incident().state == "open"
    assert desk.outcomes() == ["not-theirs", "left", "ended"]


def test_other_events_and_other_applications_are_heard_and_left(desk: Desk) -> None:
    for more in ({"Event": "enter_agent"}, {"AgentID": 7}, {"EventKey": "other"}):
        assert desk.tap(**more).status_code == 200
    assert desk.there.incident().state == "open"
    assert desk.shown() == []


def test_forged_and_played_again_calls_change_nothing(desk: Desk) -> None:
    part = sealed(tap("LiWei", desk.note.key))
    path, client = "/webhook/wecom/app", desk.there.client
    signed = query(part, desk.clock.now())
    forged = query(part, desk.clock.now(), token="guessed")
    assert client.post(path, params=forged, content=call(part)).status_code == 403
    assert client.post(path, params=signed, content="no xml").status_code == 400
    desk.clock.advance(301)
    assert client.post(path, params=signed, content=call(part)).status_code == 403
    assert desk.there.incident().state == "open"


def test_a_card_that_cannot_be_changed_is_no_failure_of_the_tap(desk: Desk) -> None:
    desk.provider.say({"errcode": 0, "access_token": "tk", "expires_in": 7200})
    desk.provider.say({"errcode": 42014, "errmsg": "response_code expired"})
    assert desk.tap().status_code == 200
    assert desk.there.incident().state == "acknowledged"


def test_links_are_called_back_by_rest(desk: Desk) -> None:
    there, path = desk.there, f"/api/v1/incidents/{desk.there.of}/links"
    assert there.get().status_code == 200
    headers = sign_in(there.client, "boss")
    assert (
        there.client.post(
            f"{path}/stop", json={"recipient": "team:security"}, headers=headers
        ).status_code
        == 204
    )
    assert there.get().status_code == 200
    wrong = there.client.post(f"{path}/stop", json={"recipient": "user:x"}, headers=headers)
    assert wrong.status_code == 422
    for _ in range(2):
        assert there.client.post(f"{path}/stop", headers=headers).status_code == 204
    assert there.get().status_code == 410
    assert [one["recipient"] for one in there.client.get(path).json()["looks"]] == [PERSON] * 2
