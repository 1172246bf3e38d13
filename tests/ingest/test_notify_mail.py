"""E-mail against a real SMTP server."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_network

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ingest.notify.mail import Mail, written
from ingest.notify.message import Failed, Message, Sent

NOW = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
MESSAGE = Message(
    key="0195-abc",
    title="【紧急】#12 电动车\n进电梯",
    lines=("3栋1号电梯",),
    severity="critical",
    link="https://linli.example/i/12",
    picture=b"\xff\xd8jpeg",
)


class Letters:
    """Keeps what arrives; refuses who is called nobody or busy."""

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        if address.startswith("busy"):
            return "451 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.kept.append(found)
        return "250 taken"


class Free(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@pytest.fixture
def letters() -> Iterator[tuple[Letters, int]]:
    kept = Letters()
    server = Free(kept, hostname="127.0.0.1", port=0)
    server.start()
    yield kept, server.port
    server.stop()


def mail(port: int) -> Mail:
    return Mail("127.0.0.1", port, sender="desk@linli.example", security="none")


def test_a_letter_arrives_with_its_picture(letters: tuple[Letters, int]) -> None:
    kept, port = letters
    outcome = mail(port).send(MESSAGE, "wang@linli.example", NOW)
    assert outcome == Sent(reference="<0195-abc@linli.example>")
    (letter,) = kept.kept
    assert letter["subject"] == "【紧急】#12 电动车 进电梯"
    assert letter["message-id"] == "<0195-abc@linli.example>"
    body = letter.get_body(("plain",))
    assert body is not None
    assert "https://linli.example/i/12" in body.get_content()
    (picture,) = letter.iter_attachments()
    assert picture.get_content() == b"\xff\xd8jpeg"


def test_a_guarded_letter_goes_to_no_server_inside(letters: tuple[Letters, int]) -> None:
    kept, port = letters

    def guarded(*networks: str) -> Mail:
        allowed = [ip_network(one) for one in networks]
        return Mail("127.0.0.1", port, sender="a@b.test", security="none", allowed=allowed)

    refused = guarded().send(MESSAGE, "wang@linli.example", NOW)
    assert isinstance(refused, Failed)
    assert (refused.code, refused.advice) == ("address", "never")
    assert not kept.kept
    assert isinstance(guarded("127.0.0.0/8").send(MESSAGE, "wang@linli.example", NOW), Sent)


def test_markup_in_a_name_is_plain_text_in_a_letter(letters: tuple[Letters, int]) -> None:
    kept, port = letters
    evil = "<img src=x onerror=alert(1)>{{7*7}}"
    bad = Message(key="k", title=f"{evil}\r\nBcc: all@linli.example", lines=(evil,), severity="low")
    assert isinstance(mail(port).send(bad, "wang@linli.example", NOW), Sent)
    (letter,) = kept.kept
    assert {one.get_content_type() for one in letter.walk()} <= {"text/plain", "multipart/mixed"}
    assert letter["bcc"] is None
    body = letter.get_body(("plain",))
    assert body is not None
    assert evil in body.get_content()


@pytest.mark.parametrize(
    ("address", "code", "advice"),
    [
        ("nobody@linli.example", "550", "never"),
        ("busy@linli.example", "451", "again"),
        ("no address", "address", "never"),
        ("a@b.example\nBcc: all@b.example", "address", "never"),
    ],
)
def test_who_cannot_be_reached(
    letters: tuple[Letters, int], address: str, code: str, advice: str
) -> None:
    outcome = mail(letters[1]).send(MESSAGE, address, NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == (code, advice)
    assert letters[0].kept == []


def test_a_server_without_encryption_gets_nothing(letters: tuple[Letters, int]) -> None:
    strict = Mail("127.0.0.1", letters[1], sender="desk@linli.example", security="starttls")
    outcome = strict.send(MESSAGE, "wang@linli.example", NOW)
    assert isinstance(outcome, Failed)
    assert outcome.advice == "again"
    assert letters[0].kept == []


def test_a_dead_server_is_tried_again() -> None:
    outcome = mail(1).send(MESSAGE, "wang@linli.example", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("network", "again")


@pytest.mark.parametrize(("code", "advice"), [(454, "again"), (535, "never")])
def test_a_server_that_cannot_check_the_password_now_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    def deliver(letter: object) -> None:
        raise smtplib.SMTPAuthenticationError(code, b"auth")

    channel = mail(1)
    monkeypatch.setattr(channel, "_deliver", deliver)
    outcome = channel.send(MESSAGE, "wang@linli.example", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == (str(code), advice)


def test_the_same_key_makes_the_same_letter() -> None:
    one = written(MESSAGE, "a@b.example", "c@d.example", NOW)
    assert one["Message-ID"] == written(MESSAGE, "a@b.example", "c@d.example", NOW)["Message-ID"]
