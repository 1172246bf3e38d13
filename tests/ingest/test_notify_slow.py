"""A webhook that is slow, or never ends, beside a channel that is well: real threads and ports."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import httpx2
import pytest
from house import ADMIN
from notices import Office
from providers import Provider

from ingest.duty import book
from ingest.notifier import Notifier
from ingest.notify import outbox, posting
from ingest.notify.message import Failed
from ingest.notify.wording import PageLinks, PlainWording
from ingest.notify_settings import Notify, WebhookSettings, WecomBotSettings
from ingest.services.registry import NOTHING_YET, RegistryService
from ingest.store.engine import reading, writing

LADDER = '{"rungs": [{"who": "team", "people": ["wu"]}], "rounds": 1}'


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    registry = RegistryService(office.reader, office.folder.state, office.feed, "c001")
    wu = {"label": "吴", "role": "duty"}
    registry.put(ADMIN, "person", "wu", wu, seen=NOTHING_YET, now=office.clock.now())
    yield office
    office.close()


@contextmanager
def telling(office: Office, bot: Provider, hook: Provider) -> Iterator[None]:
    """Run everything that tells people, as in life: the team by `hook`, 吴 by `bot`."""
    secret = office.folder.path / "hook"
    secret.write_text("s")
    papers: tuple[tuple[book.Kind, str, str], ...] = (
        ("ladder", "usual", LADDER),
        ("contacts", "person:wu", '{"ways": [{"channel": "bot", "address": "k"}]}'),
        (
            "contacts",
            "team:gate",
            f'{{"ways": [{{"channel": "hook", "address": "{hook.url}hook"}}]}}',
        ),
    )
    with writing(office.folder.state) as connection:
        for kind, name, body in papers:
            book.write(connection, kind, name, body, actor="cli", now=office.clock.now())
    settings = Notify(
        channels=(
            WecomBotSettings(name="bot", url=f"{bot.url}send"),
            WebhookSettings(name="hook", secret_file=str(secret)),
        ),
        allow_networks=("127.0.0.0/8",),
    )
    notifier = Notifier(
        settings,
        office.reader,
        office.folder.state,
        wording=PlainWording(),
        links=PageLinks("https://linli.test"),
        shelf=office.shelf,
        zone=UTC,
        clock=office.clock,
    )
    for runner in notifier.runners:
        runner.start()
    try:
        yield
    finally:
        if hook.held is not None:
            hook.held.set()
        for runner in notifier.runners:
            runner.stop()
        notifier.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def sent(office: Office, channel: str) -> list[tuple[int, int]]:
    """Return attempts and doubts of each message that a channel took."""
    with reading(office.reader) as connection:
        notes = outbox.notes(connection, state="sent")
    return [(one.attempts, one.doubts) for one in notes if one.channel == channel]


def test_a_webhook_that_does_not_answer_delays_no_other_channel(office: Office) -> None:
    with Provider({"errcode": 0}) as bot, Provider({}) as hook:
        hook.held = threading.Event()
        with telling(office, bot, hook):
            for zone in ("a", "b", "c"):
                office.begin(severity="critical", zone=zone)
            office.incidents.step()
            until(lambda: len(sent(office, "bot")) == 3 and len(hook.asked) == 1)
            assert sent(office, "hook") == []  # it still waits for its first answer
            office.begin(severity="critical", zone="d")
            office.incidents.step()
            until(lambda: len(sent(office, "bot")) == 4)
            assert len(hook.asked) == 1
            hook.held.set()
            until(lambda: len(sent(office, "hook")) == 4)
        assert len(bot.asked) == 4, "told again by the channel that is well"
        keys = [one["headers"]["webhook-id"] for one in hook.asked]
        assert len(keys) == len(set(keys)) == 4


def test_what_was_answered_too_late_comes_again_under_its_key_and_counts_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT", httpx2.Timeout(0.5))
    with Provider({"errcode": 0}) as bot, Provider({}) as hook:
        hook.held = threading.Event()
        with telling(office, bot, hook):
            office.begin(severity="critical")
            office.incidents.step()
            until(lambda: "timeout" in codes(office))
            hook.held.set()  # the first is taken after all, and answered 200 to nobody
            office.clock.advance(11)
            until(lambda: sent(office, "hook") == [(2, 0)])
        first, second = hook.asked
        assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
        assert len(bot.asked) == 1


def codes(office: Office) -> set[str | None]:
    with reading(office.reader) as connection:
        return {one.code for one in outbox.notes(connection)}


def test_an_answer_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "LONGEST", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        started = time.monotonic()
        with posting.open_client() as client:
            answer = posting.post(client, f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert isinstance(answer, Failed)
        assert (answer.code, answer.advice) == ("timeout", "again")
        assert time.monotonic() - started < 10
        thread.join()


def trickle(server: socket.socket) -> None:
    """Answer a byte each twentieth of a second, until nobody listens."""
    peer, _ = server.accept()
    with peer:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n")
        try:
            for _ in range(1000):
                peer.sendall(b" ")
                threading.Event().wait(0.05)
        except OSError:
            return


def test_channels_come_and_change_while_it_runs(office: Office) -> None:
    def write(kind: book.Kind, name: str, body: str | None) -> None:
        with writing(office.folder.state) as connection:
            book.write(connection, kind, name, body, actor="cli", now=office.clock.now())
        notifier.runners[0].wake()

    notifier = Notifier(
        Notify(allow_networks=("127.0.0.0/8",)),
        office.reader,
        office.folder.state,
        wording=PlainWording(),
        links=PageLinks("https://linli.test"),
        shelf=office.shelf,
        zone=UTC,
        clock=office.clock,
    )
    with Provider({"errcode": 0}) as first, Provider({"errcode": 0}) as second:
        for runner in notifier.runners:
            runner.start()
        try:
            write("ladder", "usual", LADDER)
            write("contacts", "person:wu", '{"ways": [{"channel": "bot", "address": "k"}]}')
            bot = '{{"type": "wecom-bot", "name": "bot", "url": "{}send"}}'
            write("channel", "bot", bot.format(first.url))
            office.begin(severity="critical", zone="a")
            office.incidents.step()
            until(lambda: len(first.asked) > 0)
            write("channel", "bot", bot.format(second.url))
            until(lambda: {one.version[:2] for one in notifier._senders.values()} == {"2-"})
            told = len(first.asked)
            office.begin(severity="critical", zone="b")
            office.incidents.step()
            until(lambda: len(second.asked) > 0)
            assert len(first.asked) == told
            write("channel", "bot", None)
            until(lambda: not notifier._senders and not notifier._others)
            assert notifier.alive
        finally:
            for runner in notifier.runners:
                runner.stop()
            notifier.close()
