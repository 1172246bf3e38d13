from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import quick_apps
import sqlalchemy as sa
from house import GUEST, NOON, PASSWORDS, STAFF, Folder, running

from ingest.accounts import book, passwords
from ingest.accounts.account import Viewer
from ingest.accounts.first import ADMIN_PASSWORD_FILE
from ingest.accounts.origin import origin
from ingest.refusal import NotAllowed, SignInNeeded
from ingest.services.accounts import AccountService
from ingest.store.engine import reading, writing
from ingest.store.state import account, api_token, login_origin, session
from linli.errors import InputError

RIGHT = PASSWORDS["wang"][1]


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def door(folder: Folder) -> AccountService:
    return AccountService(folder.reader("state"), folder.state)


def refused(door: AccountService, name="wang", password="wrong", address="::1", at=NOON) -> bool:
    try:
        door.login(name, password, address, at)
    except SignInNeeded:
        return True
    return False


def test_sessions_begin_and_end(door: AccountService) -> None:
    done = door.login("wang", RIGHT, "::1", NOON)
    found = door.session(done.token, NOON)
    assert found == done.session
    assert (found.viewer.name, found.viewer.role) == ("wang", "duty")
    assert door.csrf_ok(found, found.csrf)
    assert not door.csrf_ok(found, None)
    assert not door.csrf_ok(found, "另一个")
    assert door.session(done.token, NOON + timedelta(hours=12)) is None
    assert door.session("", NOON) is None
    assert door.session(None, NOON) is None
    door.logout(done.token, NOON)
    assert door.session(done.token, NOON) is None


def test_only_hashes_are_kept(door: AccountService, folder: Folder) -> None:
    done = door.login("wang", RIGHT, "::1", NOON)
    with writing(folder.state) as connection:
        token = book.add_token(connection, "wang", "x", ["see"], now=NOON, lasts=timedelta(days=1))
        rows = [
            *connection.execute(account.select()),
            *connection.execute(session.select()),
            *connection.execute(api_token.select()),
        ]
    text = repr(rows)
    for secret in (done.token, token, RIGHT):
        assert secret not in text
    assert "$argon2id$" in text


@pytest.mark.parametrize(
    ("name", "password"),
    [("wang", "wrong"), ("nobody", RIGHT), ("", ""), ("wang", ""), ("wang", RIGHT * 100)],
)
def test_every_wrong_try_gets_the_same_answer(door: AccountService, name, password) -> None:
    with pytest.raises(SignInNeeded) as caught:
        door.login(name, password, "::1", NOON)
    assert str(caught.value) == "name or password is wrong, or there were too many wrong tries"


def test_ten_wrong_tries_lock_the_pair_for_a_while(door: AccountService) -> None:
    for _ in range(10):
        assert refused(door)
    assert refused(door, password=RIGHT)
    assert not refused(door, password=RIGHT, address="2001:db8::1")
    assert not refused(door, name="guest", password=PASSWORDS["guest"][1])
    assert not refused(door, password=RIGHT, at=NOON + timedelta(minutes=15))


def test_getting_it_right_forgives(door: AccountService) -> None:
    for _ in range(9):
        assert refused(door)
    assert not refused(door, password=RIGHT)
    for _ in range(9):
        assert refused(door)
    assert not refused(door, password=RIGHT)


def test_names_that_nobody_has_lock_the_same_way(door: AccountService, folder: Folder) -> None:
    for _ in range(10):
        assert refused(door, name="nobody")
    with writing(folder.state) as connection:
        assert not book.begin_try(connection, "nobody", "::/64", NOON)
        assert book.begin_try(connection, "someone", "::/64", NOON)


def test_one_address_cannot_try_many_names(folder: Folder) -> None:
    with writing(folder.state) as connection:
        allowed = [book.begin_try(connection, f"n{index}", "::9", NOON) for index in range(60)]
    assert allowed == [True] * 50 + [False] * 10


def test_many_addresses_guess_no_faster_and_keep_nobody_out(door: AccountService) -> None:
    assert not refused(door, password=RIGHT, address="10.0.0.7")
    for number in range(30):
        assert refused(door, address=f"192.0.2.{number}")
    assert refused(door, password=RIGHT, address="192.0.2.99")
    assert not refused(door, password=RIGHT, address="10.0.0.7")
    assert not refused(door, name="guest", password=PASSWORDS["guest"][1], address="192.0.2.99")
    later = NOON + timedelta(minutes=15)
    assert not refused(door, password=RIGHT, address="192.0.2.99", at=later)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1:aaaa::7", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_home_is_one_origin(address: str, expected: str) -> None:
    assert origin(address) == expected


def test_few_origins_of_a_name_are_remembered(folder: Folder) -> None:
    with writing(folder.state) as connection:
        for number in range(book.KNOWN_ORIGINS + 3):
            book.welcome(connection, "wang", str(number), NOON + timedelta(seconds=number))
        kept = connection.scalars(sa.select(login_origin.c.address)).all()
    assert sorted(map(int, kept)) == list(range(3, book.KNOWN_ORIGINS + 3))


def test_many_tries_at_once_do_not_slip_through(door: AccountService, monkeypatch) -> None:
    looked_at: list[str] = []

    def fits(password: str, stored: str | None) -> bool:
        if stored is not None:
            looked_at.append(password)
        return False

    monkeypatch.setattr(passwords, "fits", fits)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: refused(door, password=str(number)), range(40)))
    assert len(looked_at) == 10


def test_a_hash_costs_what_is_advised() -> None:
    assert (quick_apps.REAL.time_cost, quick_apps.REAL.memory_cost) >= (2, 19 * 1024)
    assert quick_apps.REAL.hash("x").startswith("$argon2id$")


def test_unknown_names_cost_as_much_as_known_ones(monkeypatch) -> None:
    verified: list[str] = []
    hasher = quick_apps.REAL

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored.rpartition("$")[0].rpartition("$")[0])
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    monkeypatch.setattr(passwords, "_NOBODY", quick_apps.REAL_NOBODY)
    stored = hasher.hash("right password")
    assert not passwords.fits("wrong", stored)
    assert not passwords.fits("wrong", None)
    assert passwords.fits("right password", stored)
    assert verified[0] == verified[1]
    assert not passwords.fits("x", "not a hash")


def test_made_passwords_are_long_random_and_readable() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 19 and not set(one) & set("0o1l") for one in made)


def test_a_disabled_account_is_out_at_once(door: AccountService, folder: Folder) -> None:
    done = door.login("wang", RIGHT, "::1", NOON)
    with writing(folder.state) as connection:
        token = book.add_token(connection, "wang", "x", ["see"], now=NOON, lasts=timedelta(days=1))
        book.disable(connection, "wang")
    assert door.session(done.token, NOON) is None
    assert door.bearer(token, NOON) is None
    assert refused(door, password=RIGHT)


def test_another_password_ends_the_sessions(door: AccountService, folder: Folder) -> None:
    done = door.login("wang", RIGHT, "::1", NOON)
    with writing(folder.state) as connection:
        fresh = book.set_password(connection, "wang")
    assert door.session(done.token, NOON) is None
    assert refused(door, password=RIGHT)
    assert not refused(door, password=fresh)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"name": "a b"}, "not usable"),
        ({"name": ""}, "not usable"),
        ({"name": "<img>"}, "not usable"),
        ({"name": "wang"}, "already"),
        ({"role": "god"}, "Roles are duty, supervisor"),
        ({"password": "short"}, "10 to 128"),
    ],
)
def test_accounts_that_cannot_be_made(folder: Folder, change, hint) -> None:
    values = {"name": "李雷", "role": "duty", "now": NOON, "password": None, **change}
    with writing(folder.state) as connection, pytest.raises(InputError, match=hint):
        book.add_account(connection, **values)


@pytest.mark.parametrize("scopes", [[], ["see", "fly"]])
def test_tokens_that_cannot_be_made(folder: Folder, scopes) -> None:
    with writing(folder.state) as connection, pytest.raises(InputError, match="Scopes are"):
        book.add_token(connection, "wang", "x", scopes, now=NOON, lasts=timedelta(days=1))
    with writing(folder.state) as connection, pytest.raises(InputError, match="no account"):
        book.add_token(connection, "x", "x", ["see"], now=NOON, lasts=timedelta(days=1))


def test_roles_and_scopes_limit_each_other() -> None:
    assert STAFF.may("act")
    assert not GUEST.may("act")
    limited = Viewer(account="a", name="a", role="admin", scopes=frozenset({"see"}))
    assert limited.may("see")
    with pytest.raises(NotAllowed):
        limited.require("administer")
    greedy = Viewer(account="a", name="a", role="street", scopes=frozenset({"act"}))
    assert not greedy.may("act")
    with pytest.raises(NotAllowed, match="this token or link does not"):
        limited.require("act")
    with pytest.raises(NotAllowed, match="the role street does not"):
        greedy.require("act")


def test_where_there_is_an_administrator_none_is_made(folder: Folder) -> None:
    with running(folder):
        assert not (folder.path / ADMIN_PASSWORD_FILE).exists()


def test_a_fresh_folder_gets_an_administrator_once(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = Folder(tmp_path / name, fresh=True)
        for _ in range(2):
            with running(folder) as client:
                file = folder.path / ADMIN_PASSWORD_FILE
                password = file.read_text().strip()
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
                body = {"name": "admin", "password": password}
                answer = client.post("/api/v1/login", json=body)
                assert (answer.status_code, answer.json()["role"]) == (200, "admin")
        with reading(folder.state) as connection:
            assert [one.name for one in book.accounts(connection)] == ["admin"]
        made.append(password)
        folder.close()
    assert made[0] != made[1]
