"""Each channel against a server that answers as the provider does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from providers import Provider

from ingest.notify import reach as reaching
from ingest.notify.channel import Channel
from ingest.notify.dingtalk import DingTalk
from ingest.notify.feishu import Feishu
from ingest.notify.message import Failed, Message, Sent, cut
from ingest.notify.ntfy import Ntfy
from ingest.notify.posting import open_client
from ingest.notify.reach import reach
from ingest.notify.sms import LONGEST, Sms
from ingest.notify.texts import digest
from ingest.notify.webhook import Webhook, signed
from ingest.notify.wecom_app import WecomApp
from ingest.notify.wecom_bot import MOST_BYTES, WecomBot
from linli.errors import InputError

NOW = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
HOME = (ipaddress.ip_network("127.0.0.0/8"),)
SECRET = "s3cr3t-key"
MESSAGE = Message(
    key="0195-abc",
    title="【紧急】#12 电动车进电梯",
    lines=("3栋1号电梯", "11:24 起", "门已保持打开"),
    severity="critical",
    number=12,
    link="https://linli.example/i/12?t=x",
    asks=True,
)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with open_client() as found:
        yield found


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider({"errcode": 0, "code": 0, "errmsg": "ok"}) as found:
        yield found


def test_a_guarded_client_goes_to_the_address_that_was_judged(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = provider.url.replace("127.0.0.1", "bots.example")
    asked: list[str] = []

    def answer(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(reaching.socket, "getaddrinfo", answer)
    with open_client([]) as client:
        refused = WecomBot(client, named).send(MESSAGE, "KEY", NOW)
    assert isinstance(refused, Failed)
    assert (refused.code, refused.advice) == ("address", "never")
    assert not provider.asked
    asked.clear()
    with open_client(["127.0.0.0/8"]) as client:
        assert WecomBot(client, named).send(MESSAGE, "KEY", NOW) == Sent()
    assert asked[0] == "bots.example"
    assert "bots.example" not in asked[1:], "a second answer could be another"
    assert provider.asked[0]["headers"]["host"].startswith("bots.example:")


def test_wecom_bot_sends_what_where_and_a_link(client: httpx2.Client, provider: Provider) -> None:
    assert WecomBot(client, provider.url).send(MESSAGE, "KEY", NOW) == Sent()
    (asked,) = provider.asked
    assert asked["query"] == {"key": "KEY"}
    text = asked["fields"]["markdown"]["content"]
    assert "#12" in text
    assert "3栋1号电梯" in text
    assert "(https://linli.example/i/12?t=x)" in text


def test_wecom_bot_counts_bytes_not_characters(client: httpx2.Client, provider: Provider) -> None:
    long = Message(
        key="k", title="长", lines=("电" * 5000,), severity="low", link="https://linli.example/i"
    )
    WecomBot(client, provider.url).send(long, "KEY", NOW)
    text = provider.asked[0]["fields"]["markdown"]["content"]
    assert len(text.encode()) <= MOST_BYTES
    assert text.endswith("(https://linli.example/i)")


def test_wecom_bot_sends_a_picture_second(client: httpx2.Client, provider: Provider) -> None:
    shown = msgspec.structs.replace(MESSAGE, picture=b"\xff\xd8jpeg")
    provider.say({"errcode": 0})
    provider.say({"errcode": 40009, "errmsg": "invalid image size"})
    assert WecomBot(client, provider.url).send(shown, "KEY", NOW) == Sent()
    image = provider.asked[1]["fields"]["image"]
    assert base64.b64decode(image["base64"]) == b"\xff\xd8jpeg"
    assert image["md5"] == hashlib.md5(b"\xff\xd8jpeg", usedforsecurity=False).hexdigest()


def test_names_in_a_message_cannot_make_links(client: httpx2.Client, provider: Provider) -> None:
    bad = Message(key="k", title="[点我](https://evil.example)", lines=("<a>",), severity="low")
    WecomBot(client, provider.url).send(bad, "KEY", NOW)
    text = provider.asked[0]["fields"]["markdown"]["content"]
    assert "[点我]" not in text
    assert "<a>" not in text


@pytest.mark.parametrize("kind", [WecomBot, DingTalk])
@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"errcode": 93000, "errmsg": "invalid webhook url"}, "never"),
        ({"errcode": -1, "errmsg": "system busy"}, "again"),
        ({}, "again"),
        ({"errcode": "0"}, "again"),
    ],
)
def test_http_200_with_an_error_inside_is_a_failure(
    client: httpx2.Client,
    provider: Provider,
    kind: type[WecomBot | DingTalk],
    fields: dict[str, object],
    advice: str,
) -> None:
    provider.say(fields)
    outcome = kind(client, provider.url).send(MESSAGE, "KEY", NOW)
    assert isinstance(outcome, Failed)
    assert outcome.advice == advice


def test_wecom_bot_rests_when_it_said_too_much(client: httpx2.Client, provider: Provider) -> None:
    provider.say({"errcode": 45009, "errmsg": "api freq out of limit"})
    outcome = WecomBot(client, provider.url).send(MESSAGE, "KEY", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.advice, outcome.after) == ("pause", timedelta(minutes=1))


@pytest.mark.parametrize(
    ("status", "advice"),
    [(500, "again"), (429, "again"), (408, "again"), (425, "again"), (404, "never")],
)
def test_http_failures(client: httpx2.Client, provider: Provider, status: int, advice: str) -> None:
    provider.say({"errmsg": "no"}, status=status, retry_after="7")
    outcome = Feishu(client, provider.url).send(MESSAGE, "TOKEN", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == (f"http-{status}", advice)
    assert outcome.after == (timedelta(seconds=7) if advice == "again" else None)


def test_a_dead_server_is_tried_again_and_no_key_is_told(client: httpx2.Client) -> None:
    outcome = WecomBot(client, "http://127.0.0.1:1/").send(MESSAGE, "TOP-SECRET", NOW)
    assert isinstance(outcome, Failed)
    assert outcome.advice == "again"
    assert "TOP-SECRET" not in repr(outcome)


def test_dingtalk_signs_once_and_rests_ten_minutes(
    client: httpx2.Client, provider: Provider
) -> None:
    channel = DingTalk(client, provider.url)
    assert channel.send(MESSAGE, f"TOKEN {SECRET}", NOW) == Sent()
    asked = provider.asked[0]
    moment = str(int(NOW.timestamp() * 1000))
    seal = hmac.new(SECRET.encode(), f"{moment}\n{SECRET}".encode(), hashlib.sha256).digest()
    expected = base64.b64encode(seal).decode()
    assert asked["query"]["sign"] == expected
    assert quote(expected, safe="") in asked["raw_query"]
    assert "%25" not in asked["raw_query"]
    assert SECRET not in asked["raw_query"]
    provider.say({"errcode": 130101, "errmsg": "send too fast"})
    outcome = channel.send(MESSAGE, "TOKEN", NOW)
    assert outcome == Failed(
        code="130101", words="too fast", advice="pause", after=timedelta(minutes=10)
    )


def test_feishu_signs_in_the_body(client: httpx2.Client, provider: Provider) -> None:
    assert Feishu(client, provider.url).send(MESSAGE, f"TOKEN {SECRET}", NOW) == Sent()
    fields = provider.asked[0]["fields"]
    moment = str(int(NOW.timestamp()))
    seal = hmac.new(f"{moment}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert fields["timestamp"] == moment
    assert fields["sign"] == base64.b64encode(seal).decode()
    assert provider.asked[0]["path"] == "/TOKEN"
    assert fields["card"]["header"]["template"] == "red"


@pytest.mark.parametrize(("code", "advice"), [(11232, "pause"), (19021, "never"), (9499, "never")])
def test_feishu_codes(client: httpx2.Client, provider: Provider, code: int, advice: str) -> None:
    provider.say({"code": code, "msg": "x"})
    outcome = Feishu(client, provider.url).send(MESSAGE, "TOKEN", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == (str(code), advice)


def app(client: httpx2.Client, provider: Provider) -> WecomApp:
    return WecomApp(client, corporation="ww1", agent=7, secret=SECRET, url=provider.url)


TOKEN = {"errcode": 0, "access_token": "T1", "expires_in": 7200}


def test_wecom_app_card_has_a_button_and_one_token_serves_many(
    client: httpx2.Client, provider: Provider
) -> None:
    provider.say(TOKEN)
    provider.say({"errcode": 0, "msgid": "m1"})
    provider.say({"errcode": 0, "msgid": "m2"})
    channel = app(client, provider)
    assert channel.send(MESSAGE, "wang", NOW) == Sent(reference="m1")
    assert channel.send(MESSAGE, "li", NOW) == Sent(reference="m2")
    assert [asked["path"] for asked in provider.asked] == [
        "/gettoken",
        "/message/send",
        "/message/send",
    ]
    fields = provider.asked[1]["fields"]
    assert fields["enable_duplicate_check"] == 1
    assert fields["template_card"]["button_list"][0]["key"] == "acknowledge"
    assert fields["template_card"]["task_id"] == MESSAGE.key


def test_wecom_app_fetches_a_forgotten_or_old_token_again(
    client: httpx2.Client, provider: Provider
) -> None:
    provider.say(TOKEN)
    provider.say({"errcode": 42001, "errmsg": "access_token expired"})
    provider.say({**TOKEN, "access_token": "T2"})
    provider.say({"errcode": 0, "msgid": "m"})
    channel = app(client, provider)
    assert channel.send(MESSAGE, "wang", NOW) == Sent(reference="m")
    assert provider.asked[3]["query"] == {"access_token": "T2"}
    provider.say({**TOKEN, "access_token": "T3"})
    provider.say({"errcode": 0})
    channel.send(MESSAGE, "wang", NOW + timedelta(hours=2))
    assert provider.asked[5]["query"] == {"access_token": "T3"}


def test_wecom_app_member_it_does_not_know_is_not_sent(
    client: httpx2.Client, provider: Provider
) -> None:
    provider.say(TOKEN)
    provider.say({"errcode": 0, "invaliduser": "nobody"})
    outcome = app(client, provider).send(MESSAGE, "nobody", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("invaliduser", "never")


def test_ntfy(client: httpx2.Client, provider: Provider) -> None:
    provider.say({"id": "n1"})
    assert Ntfy(client, provider.url, "tk").send(MESSAGE, "desk", NOW) == Sent(reference="n1")
    asked = provider.asked[0]
    assert asked["headers"]["authorization"] == "Bearer tk"
    assert asked["fields"]["priority"] == 5
    assert asked["fields"]["click"] == MESSAGE.link


def test_wecom_app_has_a_button_only_where_a_tap_is_answered(
    client: httpx2.Client, provider: Provider
) -> None:
    provider.say(TOKEN)
    deaf = WecomApp(client, corporation="c", agent=1, secret="s", url=provider.url, answered=False)
    told = msgspec.structs.replace(MESSAGE, asks=False)
    lines = tuple(f"https://linli.example/i/{'x' * 200}{number}" for number in range(20))
    digest = msgspec.structs.replace(told, link=None, number=None, lines=lines)
    deaf.send(MESSAGE, "wang", NOW)
    channel = app(client, provider)
    provider.say(TOKEN)
    channel.send(told, "wang", NOW)
    channel.send(digest, "wang", NOW)
    cards = [one["fields"] for one in provider.asked if one["path"] == "/message/send"]
    for card in cards[:2]:
        assert card["template_card"]["card_type"] == "text_notice"
        assert card["template_card"]["card_action"] == {"type": 1, "url": MESSAGE.link}
        assert "button_list" not in card["template_card"]
    text = cards[2]["text"]["content"]
    assert len(text.encode()) <= 2048
    assert set(text.splitlines()[1:]) <= set(lines)  # no half of a link


@pytest.mark.parametrize("kind", ["wecom-bot", "ntfy", "sms"])
def test_a_long_digest_names_every_incident_and_has_no_half_of_a_link(
    client: httpx2.Client, provider: Provider, kind: str
) -> None:
    told = [
        msgspec.structs.replace(
            MESSAGE,
            key=str(number),
            number=number,
            title=f"【重要】#{number} {'电动车进电梯' * 10}",
            severity="high",
            link=f"https://linli.example/i/{'x' * 120}{number}",
        )
        for number in range(101, 121)
    ]
    senders: dict[str, Channel] = {
        "wecom-bot": WecomBot(client, provider.url),
        "ntfy": Ntfy(client, provider.url),
        "sms": Sms(Webhook(client, [SECRET], allowed=HOME), provider.url),
    }
    address = "13800138000" if kind == "sms" else "KEY"
    assert senders[kind].send(digest(told, "d"), address, NOW) == Sent()
    fields = provider.asked[0]["fields"]
    markdown = fields.get("markdown", {})
    text = markdown.get("content") or fields.get("message") or fields["text"]
    assert len(text.encode()) <= 4096
    whole = {one.link for one in told}
    assert all(part in whole for part in text.split() if part.startswith("https"))
    assert [f"#{number}" in text for number in range(101, 121)] == [True] * 20


# --- webhooks ------------------------------------------------------------------------------------


def test_webhook_signs_time_and_body_with_both_secrets(
    client: httpx2.Client, provider: Provider
) -> None:
    hook = Webhook(client, ("new", "old"), allowed=HOME)
    assert hook.send(MESSAGE, f"{provider.url}in?x=1", NOW) == Sent()
    asked = provider.asked[0]
    assert asked["path"] == "/in"
    assert asked["query"] == {"x": "1"}
    headers = asked["headers"]
    content = f"{MESSAGE.key}.{int(NOW.timestamp())}.".encode() + asked["raw"]
    for part, secret in zip(headers["webhook-signature"].split(), ("new", "old"), strict=True):
        seal = hmac.new(secret.encode(), content, hashlib.sha256).digest()
        assert part == "v1," + base64.b64encode(seal).decode()
    assert headers["webhook-id"] == MESSAGE.key


def test_markup_in_a_name_is_a_json_string_in_a_webhook(
    client: httpx2.Client, provider: Provider
) -> None:
    evil = '<img src=x onerror=alert(1)>{{7*7}}"},"admin":"'
    bad = Message(key="k", title=evil, lines=(evil,), severity="low")
    assert Webhook(client, ("s",), allowed=HOME).send(bad, f"{provider.url}in", NOW) == Sent()
    asked = provider.asked[0]
    assert asked["headers"]["content-type"].startswith("application/json")
    said = json.loads(asked["raw"])
    assert said["data"].keys().isdisjoint({"admin"})
    assert (said["data"]["title"], said["data"]["lines"]) == (evil, [evil])


def test_a_changed_body_has_another_signature() -> None:
    one = signed(("k",), "id", b"{}", NOW)
    assert one != signed(("k",), "id", b"{ }", NOW)
    assert one != signed(("k",), "id", b"{}", NOW + timedelta(seconds=1))
    assert one != signed(("k2",), "id", b"{}", NOW)


def test_webhook_follows_no_redirect(client: httpx2.Client, provider: Provider) -> None:
    provider.say({}, status=302, location="http://127.0.0.1:1/")
    outcome = Webhook(client, ("k",), allowed=HOME).send(MESSAGE, provider.url, NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("http-302", "never")
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "10.1.2.3",
        "172.20.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1",
        "fd00::1",
        "224.0.0.1",
    ],
)
def test_no_address_inside_is_called(client: httpx2.Client, address: str) -> None:
    hook = Webhook(client, ("k",), lookup=lambda _host, _port: ["93.184.216.34", address])
    outcome = hook.send(MESSAGE, "https://shop.example/hook", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("address", "never")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "https://user:pw@example.com/",
        "https://",
        "no address",
        "http://example.com/",
    ],
)
def test_bad_addresses_are_refused_before_anything_is_called(url: str) -> None:
    with pytest.raises(InputError):
        reach(url, (), lambda _host, _port: ["93.184.216.34"])


def test_a_number_is_looked_up_as_the_system_does() -> None:
    with pytest.raises((InputError, OSError)):
        reach("https://0x7f.1/")


def test_the_judged_address_is_the_one_that_is_called() -> None:
    answers = iter((["93.184.216.34"], ["127.0.0.1"]))
    place = reach("https://shop.example:8443/a?b=1", (), lambda _h, _p: next(answers))
    assert place.url == "https://93.184.216.34:8443/a?b=1"
    assert (place.host, place.name) == ("shop.example:8443", "shop.example")


def test_sms_is_short_keeps_its_link_and_refuses_what_is_no_number(
    client: httpx2.Client, provider: Provider
) -> None:
    channel = Sms(Webhook(client, ("k",), allowed=HOME), provider.url)
    long = Message(
        key="k", title="长" * 300, lines=("x",), severity="high", link="https://linli.example/i"
    )
    assert channel.send(long, "+86 138-0013-8000", NOW) == Sent()
    fields = provider.asked[0]["fields"]
    assert fields["to"] == "+8613800138000"
    assert fields["text"].endswith("… https://linli.example/i")
    assert len(fields["text"]) == LONGEST + len(" https://linli.example/i")
    outcome = channel.send(long, "12x", NOW)
    assert isinstance(outcome, Failed)
    assert outcome.advice == "never"


def test_cut_keeps_whole_characters() -> None:
    assert cut("电动车", 9) == "电动车"
    assert cut("电动车x", 9) == "电动…"
    assert cut("abc", 3) == "abc"
