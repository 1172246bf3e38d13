"""The clauses as a page of the reference."""

from __future__ import annotations

from linli.conform import consumer, device
from linli.conform.report import clauses

_HEAD = """\
# Clauses

What [`linli conform`](../conform.md) holds a device or a consumer against. Made by
`linli conform clauses`; a test compares them. The [contract](README.md) says why.

"""


def markdown() -> str:
    """Return the page."""
    parts = [clauses("A device", device.CLAUSES), clauses("A consumer", consumer.CLAUSES)]
    return _HEAD + "\n\n".join(parts) + "\n"
