"""`linli conform clauses`."""

from __future__ import annotations

import json

import click

from linli.conform import consumer, device
from linli.conform.page import markdown


@click.command(epilog="Example: linli conform clauses > docs/reference/conformance.md")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
def clauses(as_json: bool) -> None:
    """Print every clause: what is asked, and how to mend what breaks it."""
    if not as_json:
        click.echo(markdown(), nl=False)
        return
    found = {
        role: [{"clause": one.number, "asked": one.asked, "mend": one.mend} for one in clauses]
        for role, clauses in (("device", device.CLAUSES), ("consumer", consumer.CLAUSES))
    }
    click.echo(json.dumps(found))
