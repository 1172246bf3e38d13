"""What is PostgreSQL's own: one writer, snapshots, sorting, what is said when it does not work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from ingest.settings import load_settings
from ingest.store import postgres as store
from ingest.store import state
from ingest.store.choose import database_of
from ingest.store.engine import on_lost, reading, writing
from ingest.store.prepared import Prepared
from ingest.store.server import Server
from linli.errors import InputError, LinliError, StoreError

MISSING = postgres.missing()
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]
SECRET = "a secret that nobody is told"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    made = postgres.Postgres()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def origin(server: postgres.Postgres, tmp_path_factory) -> Server:
    """A database whose own collation is not that of code points."""
    icu = "LOCALE_PROVIDER icu ICU_LOCALE 'zh-Hans-CN'"
    server.run(f"CREATE DATABASE linli TEMPLATE template0 {icu}")
    made = Server(server.url.set(database="linli"), tmp_path_factory.mktemp("data"))
    made.prepare()
    return made


@pytest.fixture
def database(origin: Server) -> Iterator[Server]:
    yield origin
    with _writer(origin) as engine, writing(engine) as connection:
        connection.execute(state.tally.delete())


class _writer:  # noqa: N801 - reads as a function
    def __init__(self, database: Server, *, sole: bool = False) -> None:
        self.engine = database.writer("state", sole=sole)

    def __enter__(self) -> sa.Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()


def put(engine: sa.Engine, *names: str) -> None:
    with writing(engine) as connection:
        connection.execute(state.tally.insert(), [{"name": name, "value": 1} for name in names])


def names(engine: sa.Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(sa.select(state.tally.c.name).order_by(state.tally.c.name)))


def test_text_sorts_by_code_point_as_in_sqlite(database: Server) -> None:
    with _writer(database) as engine:
        put(engine, "b", "A", "a", "B", "电", "中", "_")
        assert names(engine) == sorted(["b", "A", "a", "B", "电", "中", "_"])


def test_readers_cannot_write_and_see_one_snapshot(database: Server) -> None:
    reader = database.reader("state")
    with _writer(database) as engine:
        with reading(reader) as connection:
            count = sa.select(sa.func.count()).select_from(state.tally)
            assert connection.scalar(count) == 0
            put(engine, "a")
            assert connection.scalar(count) == 0
        with pytest.raises(exc.InternalError, match="read-only"), reading(reader) as connection:
            connection.execute(state.tally.delete())
        assert names(reader) == ["a"]
    reader.dispose()


def test_writers_of_several_processes_queue(database: Server) -> None:
    def count_up() -> None:
        with _writer(database) as engine:
            for _ in range(20):
                with writing(engine) as connection:
                    value = connection.scalar(sa.select(state.tally.c.value))
                    connection.execute(state.tally.update().values(value=value + 1))

    with _writer(database) as engine:
        put(engine, "a")
        threads = [threading.Thread(target=count_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with reading(engine) as connection:
            assert connection.scalar(sa.select(state.tally.c.value)) == 81


def test_a_second_sole_writer_is_refused_and_others_may_write(database: Server) -> None:
    with _writer(database, sole=True) as first, _writer(database, sole=True) as second:
        database.claim(first)
        with pytest.raises(InputError, match="another process writes the state") as refused:
            store.claim(second, seconds=0.3)
        assert "Stop it first" in refused.value.hint
        with _writer(database) as other:
            put(other, "by the command line")
        first.dispose()
        store.claim(second, seconds=5)


def test_a_sole_writer_that_is_cut_off_gives_way_and_stays_away(
    database: Server, server: postgres.Postgres
) -> None:
    with _writer(database, sole=True) as first, _writer(database, sole=True) as second:
        database.claim(first)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        server.run(f"{cut} WHERE application_name = 'linli-state'")
        store.claim(second, seconds=5)
        with pytest.raises(StoreError):
            put(first, "from the grave")
        with pytest.raises(StoreError, match="another process"):
            put(first, "from the grave")
        put(second, "alive")
        assert names(second) == ["alive"]


def test_a_prepared_statement_says_too_that_the_connection_was_lost(
    database: Server, server: postgres.Postgres
) -> None:
    lost: list[bool] = []
    prepared = Prepared(sa.select(sa.literal(1)))
    with _writer(database) as engine:
        on_lost(engine, lambda: lost.append(True))

        def ask_twice() -> None:
            with writing(engine) as connection:
                assert prepared.first(connection, {}) == (1,)
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                server.run(f"{cut} WHERE application_name = 'linli-state'")
                prepared.first(connection, {})

        with pytest.raises(StoreError):
            ask_twice()
        assert lost
        put(engine, "again")
        assert names(engine) == ["again"]


def said(url: sa.URL, folder: Path) -> LinliError:
    with pytest.raises(LinliError) as found:
        Server(url, folder).prepare()
    text = str(found.value)
    assert SECRET not in text
    assert "\n" not in text
    return found.value


def test_what_a_person_must_mend_is_one_line(server: postgres.Postgres, tmp_path: Path) -> None:
    server.run(f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}'", "CREATE ROLE poor LOGIN")
    server.let_in("local all guarded scram-sha-256")
    host, password = server.url.query, server.url.set(password=SECRET)
    wrong = said(server.url.set(username="guarded", password="wrong"), tmp_path)
    absent = said(password.set(database="nope"), tmp_path)
    poor = said(password.set(username="poor", database="postgres"), tmp_path)
    strange = said(password.set(query={**host, "hah": "1"}), tmp_path)
    assert [type(one) for one in (wrong, absent, poor, strange)] == [InputError] * 4
    assert "password authentication failed" in wrong.what
    assert 'database "nope" does not exist' in absent.what
    assert "permission denied" in poor.what
    assert 'option "hah"' in strange.what
    assert all("docs/postgresql.md" in one.hint for one in (wrong, absent, poor, strange))


def test_a_server_that_is_away_is_no_mistake(tmp_path: Path) -> None:
    away = sa.make_url(f"postgresql+psycopg://linli:{SECRET.replace(' ', '_')}@127.0.0.1:1/linli")
    found = said(away, tmp_path)
    assert type(found) is StoreError
    assert str(found) == "postgresql 127.0.0.1:1/linli: Connection refused"


def test_a_database_of_another_encoding_is_refused(
    server: postgres.Postgres, tmp_path: Path
) -> None:
    server.run("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    found = said(server.url.set(database="latin"), tmp_path)
    assert "its encoding is LATIN1" in found.what
    assert "createdb --encoding=UTF8" in found.hint


def test_without_psycopg_it_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match="'psycopg' is missing") as found:
        Server(sa.make_url("postgresql+psycopg://linli@/linli"), tmp_path).prepare()
    assert found.value.hint == "Install it with: pip install 'linli[postgres]'"


def test_settings_lead_to_the_database(
    origin: Server, server: postgres.Postgres, tmp_path: Path
) -> None:
    del origin
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "ingest.toml").write_text(
        '[site]\nid = "c001"\nlabel = "x"\n[database]\npassword_file = "secret"\n'
        f'url = "postgresql://linli@/linli?host={server.folder}"\n'
    )
    settings = load_settings(tmp_path / "ingest.toml")
    assert SECRET not in repr(settings)
    made = database_of(settings)
    assert made.place == f"postgresql {server.folder}/linli"
    assert made.revision("state") is not None
    assert not made.is_empty()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('url = "mysql://linli:hush@db/linli"', "not the address of a PostgreSQL"),
        ('url = "postgresql://linli:hush@db"', "not the address of a PostgreSQL"),
        ('url = "postgresql://linli:hush@db:port/linli"', "not the address of a PostgreSQL"),
        ('url = "hush"', "not the address of a PostgreSQL"),
        ('password_file = "hush"', "password_file without url"),
        ('url = "postgresql://linli:hush@db/linli"\npassword_file = "x"', "a password in url and"),
        ("url = 5", "Expected `str"),
    ],
)
def test_settings_that_make_no_whole_are_refused_without_a_secret(
    line: str, rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "ingest.toml"
    path.write_text(f'[site]\nid = "c001"\nlabel = "x"\n[database]\n{line}\n')
    with pytest.raises(InputError, match=rule) as found:
        load_settings(path)
    assert "hush" not in str(found.value)
    assert "database" in found.value.where
