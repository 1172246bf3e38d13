"""What of a PostgreSQL's way back files do not have: rights, programs, rows compared, a kill."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import stores
from filled import held, outdated

from ingest.store import migrate
from ingest.store.engine import writing
from ingest.store.server import Server
from linli.errors import InputError

MISSING = postgres.missing()
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """State at the version before the newest, with rows."""
    with stores.use("postgresql"):
        database = stores.database(tmp_path, outdated)
        assert isinstance(database, Server)
        yield database


def write(server: Server, name: str) -> None:
    writer = server.writer("state")
    with writing(writer) as connection:
        connection.exec_driver_sql(f"INSERT INTO tally (name, value) VALUES ('{name}', 1)")
    writer.dispose()


def test_other_rows_than_were_backed_up_are_noticed(server: Server) -> None:
    path = server.back_up("state")
    write(server, "since")
    with pytest.raises(InputError, match="rows of tally in the backup are not those"):
        server.bring_back("state", path, rehearse=True)
    assert "since" in held(server)["tally"]["name"]


def test_a_role_that_may_not_hears_what_to_grant(server: Server) -> None:
    name = stores.environment(server)["PGDATABASE"]
    role = f"guest_{name}"
    stores.server().run(f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data")
    writer = server.writer("state")
    with writing(writer) as connection:
        connection.exec_driver_sql("CREATE VIEW linli_state.seen AS TABLE linli_state.tally")
    writer.dispose()
    try:
        guest = Server(server._url.set(username=role), server._folder)
        with pytest.raises(InputError, match="may not put another schema") as refused:
            guest.check_way_back(["state"])
        hint = refused.value.hint
        assert f"GRANT CREATE ON DATABASE {name} TO {role};" in hint
        assert f"ALTER SCHEMA linli_state OWNER TO {role};" in hint
        for name in ("audit", "seen"):
            assert f"ALTER TABLE linli_state.{name} OWNER TO {role};" in hint
        said = hint.partition(": ")[2]
        wanted = [one.strip() for one in said.split(";") if one.strip()]
        stores.server().run(*(wanted[:1]))
        with pytest.raises(InputError) as refused:
            guest.check_way_back(["state"])
        assert "GRANT" not in refused.value.hint
        writer = server.writer("state")
        with writing(writer) as connection:
            for one in wanted[1:]:
                connection.exec_driver_sql(one)
        writer.dispose()
        guest.check_way_back(["state"])
        guest.bring_back("state", guest.back_up("state"))
    finally:
        stores.server().run(f"GRANT {role} TO linli")
        writer = server.writer("state")
        with writing(writer) as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role} CASCADE")
        writer.dispose()
        stores.server().run(f"DROP ROLE {role}")


def test_a_program_that_is_missing_or_too_old_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    for name in ("pg_dump", "pg_restore", "psql"):
        with monkeypatch.context() as patch:
            patch.setattr(
                shutil, "which", lambda one, gone=name: None if one == gone else which(one)
            )
            with pytest.raises(InputError, match=f"there is no {name} here") as refused:
                server.check_way_back(["state"])
        assert "postgresql-client" in refused.value.hint
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump: error: server version: 15; too old' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda one: str(old) if one == "pg_dump" else which(one))
    with pytest.raises(InputError, match="server version: 15") as refused:
        server.check_way_back(["state"])
    assert "not older than the server" in refused.value.hint


_BRING = """
import sys
from pathlib import Path
import sqlalchemy as sa
from ingest.store.server import Server
Server(sa.make_url(sys.argv[1]), Path(sys.argv[2])).bring_back("state", Path(sys.argv[3]))
"""
_SLOW = """#!/bin/bash
{restore} "$@" | head -c 40000
echo $$ > {folder}/half
read < {folder}/never
"""


def test_killed_in_the_middle_nothing_has_changed(server: Server, tmp_path: Path) -> None:
    path = server.back_up("state")
    server.prepare(backups=False)
    before = held(server)
    slow = tmp_path / "slow"
    slow.mkdir()
    for name in ("half", "never"):
        os.mkfifo(tmp_path / name)
    text = _SLOW.format(restore=shutil.which("pg_restore"), folder=tmp_path)
    (slow / "pg_restore").write_text(text)
    (slow / "pg_restore").chmod(0o755)
    url = server._url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-c", _BRING, url, str(tmp_path), str(path)],
        env={**os.environ, "PATH": f"{slow}:{os.environ['PATH']}"},
    )
    with (tmp_path / "half").open() as half:  # so much has gone to the server
        started = os.pidfd_open(int(half.read()))
    child.kill()
    child.wait()
    assert select.select([started], [], [], 60)[0], "what it started ends with it"
    os.close(started)
    assert held(server) == before
    server.bring_back("state", path)
    assert server.revision("state") == migrate.previous("state")
