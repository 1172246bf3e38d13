"""Nothing that is kept has a place for a face: no table, and bytes only where it is said why."""

from __future__ import annotations

import importlib
import pkgutil
import re

import sqlalchemy as sa

import ingest.store
from ingest.store import journal, series, state
from linli import events

OF_BYTES = {
    ("message", "payload"): "a message as it came, held against the contract's schema",
    ("parked", "payload"): "the same, of a box that nobody confirmed yet",
    ("quarantine", "payload"): "what was refused, a week, for administrators",
    ("floor_plan", "picture"): "a drawing of a building",
    ("request", "body"): "the answer to a request with a key, for its repetition",
    ("rule_memory", "body"): "what rules remember of readings",
    ("secret", "value"): "keys that sign and seal",
}
TEMPLATE = re.compile("(?i)face|embedding|biometr|template|plate|voice|iris|gait|person_?id")
HARMLESS = {"placement", "fingerprint"}  # of a request, by its digest


def columns() -> list[tuple[str, sa.Column[object]]]:
    for one in pkgutil.iter_modules(ingest.store.__path__):
        if one.name != "migrations":
            importlib.import_module(f"ingest.store.{one.name}")
    tables = (table for file in (journal, state, series) for table in file.metadata.tables.values())
    return [(table.name, column) for table in tables for column in table.columns]


def test_no_table_has_a_place_for_a_face_template() -> None:
    found = columns()
    assert len(found) > 200, "all of them are looked at"
    assert not [(t, c.name) for t, c in found if TEMPLATE.search(c.name) and c.name not in HARMLESS]
    assert not [t for t, _ in found if TEMPLATE.search(t)]
    bytes_of = {(t, c.name) for t, c in found if isinstance(c.type, sa.LargeBinary)}
    assert bytes_of == set(OF_BYTES), "say what a new column of bytes holds, and that it is no face"
    assert not [c for _, c in found if isinstance(c.type, sa.ARRAY)], "as an embedding is"


def test_the_contract_forbids_the_words_too() -> None:
    assert {"face", "embedding", "plate"} <= {one.lower() for one in events.FORBIDDEN_FIELDS}
