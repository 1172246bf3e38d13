"""The JSON Schema of rule documents, for editors and for whoever makes them by program."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ingest.rules.document import Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema, as self-contained as those of the contract."""
    made = msgspec.json.schema(Document)
    root = made["$defs"].pop(Document.__name__)
    return {"$schema": DIALECT, **root, "title": "Linli rules", "$defs": made["$defs"]}


def schema_text() -> str:
    """Return it as it is kept in docs/reference/rules.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
