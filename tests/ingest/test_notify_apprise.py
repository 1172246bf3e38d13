"""The optional extra: what it sends, what it is not asked for, and what it cannot tell."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from providers import Provider

from ingest.notify.by_apprise import OWN, ByApprise
from ingest.notify.message import Failed, Message, Sent
from linli.errors import InputError

# Apprise's own warning, of a library that it still asks for.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
NOW = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
MESSAGE = Message(
    key="k",
    title="【紧急】#12 电动车进电梯",
    lines=("3栋1号电梯",),
    severity="critical",
    link="https://linli.example/i/12",
)


@pytest.fixture
def channel() -> ByApprise:
    pytest.importorskip("apprise", reason="the extra is not installed: pip install apprise")
    return ByApprise("other")


@pytest.fixture
def service() -> Iterator[Provider]:
    with Provider({}) as found:
        yield found


def address(service: Provider) -> str:
    return service.url.replace("http://", "json://user:TOP-SECRET@")


def test_it_sends_title_lines_and_link(channel: ByApprise, service: Provider) -> None:
    assert channel.send(MESSAGE, address(service), NOW) == Sent()
    fields = service.asked[0]["fields"]
    assert fields["title"] == MESSAGE.title
    assert fields["message"] == "3栋1号电梯\nhttps://linli.example/i/12"
    assert fields["type"] == "failure"


def test_a_refusal_is_tried_again_and_no_secret_is_told(
    channel: ByApprise, service: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    service.say({}, status=500)
    with caplog.at_level(logging.DEBUG):
        outcome = channel.send(MESSAGE, address(service), NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("apprise", "again")
    assert "TOP-SECRET" not in repr(outcome) + caplog.text


def test_an_error_inside_of_http_200_is_not_noticed(channel: ByApprise, service: Provider) -> None:
    """A fact to know, not a wish: see docs/notifications.md."""
    service.say({"errcode": 45009, "errmsg": "api freq out of limit"})
    assert channel.send(MESSAGE, address(service), NOW) == Sent()


@pytest.mark.parametrize("schema", [*OWN, "DingTalk"])
def test_what_has_a_channel_of_its_own_is_refused(channel: ByApprise, schema: str) -> None:
    outcome = channel.send(MESSAGE, f"{schema}://token", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("own-channel", "never")


@pytest.mark.parametrize("text", ["", "none", "nosuch://x", "json://", "://"])
def test_what_is_no_address_is_refused(channel: ByApprise, text: str) -> None:
    outcome = channel.send(MESSAGE, text, NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("address", "never")


def test_without_the_library_the_settings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(InputError, match="not installed"):
        ByApprise("other")
