"""What was deleted for its age is counted on: figures of all time stay what they were."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import insert
from ingest.store.notify import forgotten


def add(
    connection: sa.Connection,
    what: str,
    number: int,
    *,
    doubts: int = 0,
    of: tuple[str, str, str] = ("", "", ""),
) -> None:
    """Count rows that go, in the transaction that deletes them; `of` is channel, state, reason."""
    if number == 0:
        return
    channel, state, reason = of
    fresh = insert(forgotten).values(
        what=what, channel=channel, state=state, reason=reason, number=number, doubts=doubts
    )
    more = {"number": forgotten.c.number + number, "doubts": forgotten.c.doubts + doubts}
    key = ["what", "channel", "state", "reason"]
    connection.execute(fresh.on_conflict_do_update(index_elements=key, set_=more))


def counted(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows of each table went."""
    query = sa.select(forgotten.c.what, sa.func.sum(forgotten.c.number)).group_by(forgotten.c.what)
    return {what: int(number) for what, number in connection.execute(query)}
