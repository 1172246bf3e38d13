"""Prepared statements say and raise what the same statement does through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.store.engine import UtcDateTime, open_reader, open_writer, reading, writing
from ingest.store.prepared import Prepared
from linli.errors import StoreError

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
things = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
)
PUT = Prepared(things.insert(), ("id", "at", "gone"))
MOVE = Prepared(things.update().where(things.c.id == sa.bindparam("of_id")), ("at",))
FIND = Prepared(sa.select(things.c.id, things.c.gone).where(things.c.at <= sa.bindparam("until")))
FIRST = Prepared(sa.select(things.c.id).order_by(things.c.id).limit(1))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_writer(tmp_path / "some.db")
    things.metadata.create_all(made)
    yield made
    made.dispose()


def row(name: str, hour: int = 12) -> dict[str, object]:
    return {"id": name, "at": NOON.replace(hour=hour), "gone": False}


def test_values_go_through_the_types_of_their_columns(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        PUT.run(connection, row("a"), row("b", hour=13))
        MOVE.run(connection, {"of_id": "b", "at": NOON})
        assert connection.execute(things.select().order_by(things.c.id)).all() == [
            ("a", NOON, False),
            ("b", NOON, False),
        ]
        assert FIND.rows(connection, {"until": NOON}) == [("a", 0), ("b", 0)]
        assert FIRST.first(connection, {}) == ("a",)
        assert FIND.first(connection, {"until": NOON.replace(hour=1)}) is None
        PUT.run(connection)


def test_a_naive_instant_is_refused_here_too(engine: sa.Engine) -> None:
    with writing(engine) as connection, pytest.raises(ValueError, match="time zone"):
        PUT.run(connection, {**row("a"), "at": datetime(2026, 3, 2)})  # noqa: DTZ001


def test_it_is_part_of_the_transaction(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        PUT.run(connection, row("a"))
        connection.rollback()
    with writing(engine) as connection:
        assert FIRST.first(connection, {}) is None


def test_a_reader_sees_one_snapshot(engine: sa.Engine, tmp_path: Path) -> None:
    reader = open_reader(tmp_path / "some.db")
    with reading(reader) as connection:
        assert FIRST.first(connection, {}) is None
        with writing(engine) as other:
            PUT.run(other, row("a"))
        assert FIRST.first(connection, {}) is None
    with reading(reader) as connection:
        assert FIRST.first(connection, {}) == ("a",)
    reader.dispose()


def test_what_the_database_refuses_is_told_apart(engine: sa.Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        PUT.run(connection, row("a"))
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        PUT.run(connection, row("a"))
    reader = open_reader(tmp_path / "some.db")
    with pytest.raises(StoreError, match="readonly"), writing(reader) as connection:
        PUT.run(connection, row("b"))
    reader.dispose()
