"""What the processes of an ingest do not hold until they need it: each is megabytes for years."""

from __future__ import annotations

import subprocess
import sys

import pytest

PARENT = "import linli.cli.main, linli.cli.ingest.serve"
PARTS = {
    "parent": (PARENT, "ssl _hashlib sqlalchemy fastapi paho"),
    "receiver": (
        f"{PARENT}, ingest.receive.process, ingest.store.choose",
        "sqlalchemy.dialects.postgresql fastapi jinja2 cryptography PIL",
    ),
    "web": (
        f"{PARENT}, ingest.app, dashboards.web.mount, dashboards.web.notices",
        "sqlalchemy.dialects.postgresql cryptography PIL alembic",
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_what_is_not_loaded(part: str) -> None:
    code, names = PARTS[part]
    code += f"\nimport sys; print(*sorted(set({names.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
