"""The clauses as a page of the reference."""

from __future__ import annotations

from linli.conform import consumer, device, district, sharing
from linli.conform.clause import Clause
from linli.conform.report import clauses

_HEAD = """\
# Clauses

What [`linli conform`](../conform.md) holds others against. Made by `linli conform clauses`; a test
compares them. The [contract](README.md) says why.

"""


ROLES: dict[str, tuple[str, tuple[Clause, ...]]] = {
    "device": ("A device", device.CLAUSES),
    "consumer": ("A consumer", consumer.CLAUSES),
    "community": ("A community that tells its district", sharing.CLAUSES),
    "district": ("Who counts in a district", district.CLAUSES),
}
"""Each role of the command: what it is called, and its clauses."""


def markdown() -> str:
    """Return the page."""
    return _HEAD + "\n\n".join(clauses(*one) for one in ROLES.values()) + "\n"
