"""A real web process and a fake provider on a real port; the process is killed in between."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from house import ADMIN, NOON, SITE, Folder
from providers import Provider

from ingest.duty import book
from ingest.feed import Feed
from ingest.notify import climbs, outbox
from ingest.services.registry import NOTHING_YET, RegistryService
from ingest.store.engine import reading, writing
from linli.broker import free_port
from linli.clock import SystemClock

ALONE = Path(__file__).parents[1] / "support" / "web_alone.py"
SECONDS = 60

PEOPLE: tuple[tuple[book.Kind, str, str], ...] = (
    ("routes", book.ONLY, '{"routes": [{"team": "gate"}]}'),
    ("contacts", "team:gate", '{"ways": [{"channel": "bot", "address": "k"}]}'),
)


class Web:
    """A real web process over a folder that the test fills."""

    def __init__(self, folder: Folder, provider: Provider) -> None:
        self.folder = folder
        self.state = folder.reader("state")
        folder.clock = SystemClock()  # type: ignore[assignment]
        self.config = folder.path / "ingest.toml"
        self.config.write_text(
            f'data = "."\n[site]\nid = "{SITE}"\nlabel = "x"\n{folder.toml}'
            f'[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\nurl = "{provider.url}send"\n'
        )
        registry = RegistryService(self.state, folder.state, Feed(), SITE)
        registry.put(ADMIN, "team", "gate", {"label": "门岗"}, seen=NOTHING_YET, now=NOON)
        with writing(folder.state) as connection:
            for kind, name, body in PEOPLE:
                book.write(connection, kind, name, body, actor="cli", now=NOON)
        self.start()

    def start(self) -> None:
        arguments = [sys.executable, str(ALONE), str(self.config), str(free_port())]
        self.process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def position(self) -> int | None:
        with reading(self.state) as connection:
            return climbs.position(connection)

    def states(self) -> list[str]:
        with reading(self.state) as connection:
            return [note.state for note in outbox.notes(connection) if note.channel]

    def refused(self) -> list[int]:
        """Return the attempts of rows that wait for the next one."""
        with reading(self.state) as connection:
            notes = outbox.notes(connection)
        return [note.attempts for note in notes if note.channel and note.state == "waiting"]


def wait(until: object, why: str) -> None:
    assert callable(until)
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline, why
        threading.Event().wait(0.05)


def test_killed_while_the_provider_says_no_the_message_comes_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with Provider({"errcode": 0}) as provider:
        provider.say({"errcode": -1, "errmsg": "system busy"})
        web = Web(folder, provider)
        try:
            wait(lambda: web.position() is not None, "it did not start")
            folder.put_event(folder.event(severity="critical"))
            wait(lambda: len(provider.asked) == 1, "the provider was not asked")
            # Killed before it wrote the refusal down, the row would rest until its lease is over.
            wait(lambda: web.refused() == [1], "the refusal was not written down")
            web.kill()
            web.start()
            wait(lambda: "sent" in web.states(), "it was not sent")
            taken = [one["fields"]["markdown"]["content"] for one in provider.asked[1:]]
            assert len(taken) == 1
            assert "#1" in taken[0]
        finally:
            web.kill()
            folder.close()
