from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.engine import (
    Changes,
    UtcDateTime,
    from_micros,
    open_reader,
    open_writer,
    reading,
    to_micros,
    writing,
)
from linli.errors import StoreError

metadata = sa.MetaData()
thing = sa.Table(
    "thing",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, unique=True),
)
parent = sa.Table("parent", metadata, sa.Column("id", sa.Integer, primary_key=True))
child = sa.Table("child", metadata, sa.Column("parent", sa.ForeignKey("parent.id"), nullable=False))
NOW = datetime(2026, 3, 2, 11, 24, 5, 123456, UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    engine = open_writer(path)
    with writing(engine) as connection:
        metadata.create_all(connection)
    engine.dispose()
    return path


@pytest.fixture
def engine(path: Path):
    engine = open_writer(path)
    yield engine
    engine.dispose()


@pytest.fixture
def reader(path: Path):
    engine = open_reader(path)
    yield engine
    engine.dispose()


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_as_integers_exactly(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


def test_an_instant_of_another_zone_comes_back_in_utc(engine: sa.Engine) -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    with writing(engine) as connection:
        connection.execute(thing.insert(), [{"at": shanghai}, {"at": None}])
        rows = connection.execute(sa.select(thing.c.at).order_by(thing.c.id)).scalars().all()
        raw = connection.exec_driver_sql("SELECT at FROM thing").scalar()
    assert rows == [NOW, None]
    assert rows[0].tzinfo is UTC
    assert raw == to_micros(NOW)


def test_a_naive_instant_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a time zone"), writing(engine) as c:
        c.execute(thing.insert(), {"at": datetime(2026, 1, 1)})  # noqa: DTZ001 - the point


def test_the_writer_is_durable_and_checks_foreign_keys(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(child.insert(), {"parent": 1})


def test_an_exception_rolls_everything_back_ddl_too(engine: sa.Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(thing.insert(), {"at": NOW})
            connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with reading(engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(thing)).scalar() == 0
    assert sa.inspect(engine).has_table("other") is False


def test_a_broken_constraint_stays_an_integrity_error(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(thing.insert(), [{"at": NOW}, {"at": NOW}])


def test_writers_queue_and_none_is_lost(engine: sa.Engine) -> None:
    def write(number: int) -> None:
        for step in range(10):
            with writing(engine) as connection:
                connection.execute(thing.insert(), {"at": from_micros(number * 100 + step)})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(thing)).scalar() == 40


def test_a_reader_sees_one_snapshot_beside_a_writer(engine: sa.Engine, reader: sa.Engine) -> None:
    count = sa.select(sa.func.count()).select_from(thing)
    with reading(reader) as before:
        assert before.execute(count).scalar() == 0
        with writing(engine) as connection:
            connection.execute(thing.insert(), {"at": NOW})
        assert before.execute(count).scalar() == 0
    with reading(reader) as after:
        assert after.execute(count).scalar() == 1


def test_a_reader_cannot_write(reader: sa.Engine) -> None:
    with pytest.raises(StoreError, match="readonly"), reading(reader) as connection:
        connection.execute(thing.insert(), {"at": NOW})


def test_foreign_commits_are_seen_once(engine: sa.Engine, reader: sa.Engine) -> None:
    changes = Changes(reader)
    assert [changes.seen(), changes.seen()] == [True, False]
    with writing(engine) as connection:
        connection.execute(thing.insert(), {"at": NOW})
    assert [changes.seen(), changes.seen()] == [True, False]
    changes.close()


@pytest.mark.parametrize("content", [None, b"this is no database, but a long enough text" * 30])
def test_a_missing_or_foreign_file_is_a_store_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "y.db"
    if content is not None:
        path.write_bytes(content)
    engine = open_reader(path)
    with pytest.raises(StoreError, match=r"y\.db"), reading(engine) as connection:
        connection.execute(sa.select(thing.c.id))
    engine.dispose()
    assert path.exists() is (content is not None)


def test_a_locked_file_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.store.engine.BUSY_SECONDS", 0.01)
    one, two = open_writer(path), open_writer(path)
    with (
        writing(one),
        pytest.raises(StoreError, match="locked"),
        writing(two),
    ):
        pass
    one.dispose()
    two.dispose()


def test_a_full_pool_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.store.engine.POOL_SECONDS", 0.01)
    engine = open_writer(path)
    with writing(engine), pytest.raises(StoreError, match="no free connection"), writing(engine):
        pass
    engine.dispose()
