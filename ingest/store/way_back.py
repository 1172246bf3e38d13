"""How a PostgreSQL's tables go back to a backup: what that takes, and the statements around it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from linli.errors import InputError

_MAY_CREATE = """
SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
WHERE NOT has_database_privilege(current_database(), 'CREATE')
"""
_NOT_OURS = """
SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, current_user) FROM pg_namespace
WHERE nspname = ANY(:schemas) AND NOT pg_has_role(nspowner, 'USAGE')
UNION ALL
SELECT format('ALTER TABLE %I.%I OWNER TO %I', nspname, relname, current_user)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY(:schemas) AND relkind IN ('r', 'v', 'm') AND NOT pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT format(
  'ALTER FUNCTION %I.%I(%s) OWNER TO %I',
  nspname, proname, pg_get_function_identity_arguments(p.oid), current_user
)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE nspname = ANY(:schemas) AND NOT pg_has_role(proowner, 'USAGE')
"""
_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY(:schemas) AND relkind = 'r'
"""
_SAME = """
DO $$
DECLARE
  name text;
  differ boolean;
BEGIN
  FOR name IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = '{aside}' LOOP
    EXECUTE format(
      'SELECT EXISTS ((TABLE %1$I.%3$I EXCEPT ALL TABLE %2$I.%3$I)'
      ' UNION ALL (TABLE %2$I.%3$I EXCEPT ALL TABLE %1$I.%3$I))', '{aside}', '{schema}', name
    ) INTO differ;
    IF differ THEN
      RAISE EXCEPTION 'rows of % in the backup are not those that are there', name;
    END IF;
  END LOOP;
END $$;
"""


def check(connection: sa.Connection, schemas: Sequence[str], *, where: str) -> None:
    """Raise InputError, with what an administrator is to say, when a right is missing for it."""
    lacks = [
        *connection.scalars(sa.text(_MAY_CREATE)),
        *connection.scalars(sa.text(_NOT_OURS), {"schemas": list(schemas)}),
    ]
    if lacks:
        raise InputError(
            "this role may not put another schema into the place of its own",
            where=where,
            hint=f"As an administrator of it: {'; '.join(lacks)};",
        )


def size(connection: sa.Connection, schemas: Sequence[str]) -> int:
    """Return the bytes of tables and indexes, of which a dump never needs more."""
    found: int = connection.scalar(sa.text(_SIZE), {"schemas": list(schemas)}) or 0
    return found


def put_aside(schema: str, aside: str, lock: str, *, there: bool) -> str:
    """Return what begins a transaction and makes room for a schema, once `lock` is held."""
    moved = f'ALTER SCHEMA "{schema}" RENAME TO "{aside}";\n' if there else ""
    gone = f'DROP SCHEMA IF EXISTS "{aside}" CASCADE;\n' if there else ""
    return f"BEGIN;\nSET LOCAL lock_timeout = '10s';\n{lock};\n{gone}{moved}"


def in_place(schema: str) -> str:
    """Return what ends it, when the schema has come."""
    return f'TABLE "{schema}".alembic_version;\nCOMMIT;\n'


def rehearsed(schema: str, aside: str) -> str:
    """Return what ends it leaving nothing, and fails where another row came than is aside."""
    return f"{_SAME.format(schema=schema, aside=aside)}ROLLBACK;\n"
