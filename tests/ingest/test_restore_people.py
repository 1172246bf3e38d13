"""Who left after a backup was made has not come back when that one is restored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from house import ADMIN, PASSWORDS, SITE, Folder
from notices import Office

from ingest.accounts import book as accounts
from ingest.archive import make
from ingest.archive.age import Key
from ingest.archive.delivery import bury
from ingest.archive.folder_place import FolderPlace
from ingest.archive.gone import Gone
from ingest.archive.restore import Restored, restore
from ingest.archive.tombstones import Tombstones, gather, since
from ingest.backup_settings import Backup, BackupPlace
from ingest.duty import book as duty
from ingest.refusal import SignInNeeded
from ingest.registry import book as registry
from ingest.registry.records import Person
from ingest.services.access import AccessService
from ingest.services.accounts import AccountService
from ingest.services.registry import NOTHING_YET, RegistryService, Seen
from ingest.store import notify
from ingest.store.engine import reading, writing
from ingest.store.push import push_browser
from ingest.store.state import api_token

KEY = Key.new()
EVERY = Seen(tags=frozenset("*"))
PHONE = "13800138000"


class Burnt:
    """An office as it was backed up; then people left, and the list of that went to the place."""

    def __init__(self, path: Path) -> None:
        usb = path / "usb"
        usb.mkdir()
        self.office = office = Office(path / "old")
        self.folder = folder = office.folder
        self.settings = msgspec.structs.replace(
            folder.settings, backup=Backup(keys=(KEY.public,), places=(BackupPlace(to=str(usb)),))
        )
        people = RegistryService(office.reader, folder.state, office.feed, SITE)
        for name in ("li", "zhao"):
            wish = {"label": name, "role": "security", "phone": PHONE}
            if name == "li":
                wish["account"] = "wang"
            seen = EVERY if name == "li" else NOTHING_YET
            people.put(ADMIN, "person", name, wish, seen=seen, now=office.clock.now())
        access = AccessService(office.reader, folder.state)
        with writing(folder.state) as connection:
            self.token = self._token(connection, "boss")
            phone = {"owner": "person:li", "endpoint": "https://x", "p256dh": "p", "auth": "a"}
            connection.execute(push_browser.insert(), phone | {"added": office.clock.now()})
        office.begin(zone="a")
        office.once()
        assert office.said("bot"), "the address is in what was told"
        self.archive = make.make(self.settings, usb, [KEY.public], office.clock.now()).path

        now = office.clock.now() + timedelta(minutes=1)
        people.put(ADMIN, "person", "li", {"retired": True}, seen=EVERY, now=now, whole=False)
        people.remove(ADMIN, "person", "zhao", seen=EVERY, now=now)
        access.change_account(ADMIN, "wang", role="duty", areas=None, disabled=True, now=now)
        (mine,) = access.tokens(ADMIN)
        access.revoke_token(ADMIN, mine.id, now)
        assert bury(self.settings, now) == {}
        self.graves = gather([FolderPlace(usb)], SITE, KEY, path / "list")

    def _token(self, connection: sa.Connection, name: str) -> str:
        week = timedelta(days=7)
        now = self.office.clock.now()
        return accounts.add_token(connection, name, "x", ["see"], now=now, lasts=week)

    def on(self, path: Path) -> tuple[Office, Restored]:
        new = Office(path)
        new.folder.close()
        new.clock.advance(300)
        return new, restore(new.folder.settings, self.archive, KEY, new.clock, graves=self.graves)


@pytest.fixture
def burnt(tmp_path: Path):
    made = Burnt(tmp_path)
    yield made
    made.office.close()


def sign_in(folder: Folder) -> None:
    service = AccountService(folder.state, folder.state)
    service.login("wang", PASSWORDS["wang"][1], "192.0.2.1", folder.clock.now())


def test_who_left_cannot_sign_in_has_no_phone_and_hears_nothing(
    burnt: Burnt, tmp_path: Path
) -> None:
    sign_in_before = [one for one in burnt.graves if one.accounts]
    assert sign_in_before, "the list names them"
    new, done = burnt.on(tmp_path / "new")
    assert done.settled.people == 4
    with pytest.raises(SignInNeeded):
        sign_in(new.folder)
    with reading(new.reader) as connection:
        li = registry.one(connection, "person", "li")
        assert isinstance(li, Person)
        assert (li.retired, li.phone, li.label) == (True, None, "li")
        assert registry.one(connection, "person", "zhao") is None
        assert duty.get(connection, "contacts", "person:li") is None
        assert connection.scalars(sa.select(push_browser.c.id)).all() == []
        assert connection.scalars(sa.select(api_token.c.id)).all() == []
        told = sa.select(notify.notification.c.address, notify.notification.c.body)
        rows = connection.execute(told.where(notify.notification.c.owner == "person:li")).all()
        assert rows
        assert set(rows) == {("", "[]")}
    new.begin(zone="b")
    new.work(minutes=10)
    assert "li-key" not in {address for address, _ in new.said("bot")}
    assert new.said("bot"), "the team is called instead"
    new.close()


def test_without_the_list_they_would_be_back(burnt: Burnt, tmp_path: Path) -> None:
    burnt.graves = []
    new, done = burnt.on(tmp_path / "new")
    assert done.settled.people == 0
    sign_in(new.folder)
    new.close()


def test_a_list_older_than_the_archive_says_nothing_of_people(burnt: Burnt) -> None:
    (grave,) = burnt.graves
    assert grave.at is not None
    pictures = {"p": grave.at}
    grave = msgspec.structs.replace(grave, pictures=pictures)
    before, after = grave.at - timedelta(hours=1), grave.at + timedelta(hours=1)
    assert since([grave], before).accounts == grave.accounts
    assert since([grave], after) == Gone(pictures=pictures), "they may be back by then"
    old = msgspec.json.decode(b'{"site": "c001", "pictures": {}}', type=Tombstones)
    assert since([old, grave], before).retired == grave.retired
