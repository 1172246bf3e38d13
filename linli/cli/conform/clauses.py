"""`linli conform clauses`."""

from __future__ import annotations

import json

import click

from linli.conform.page import ROLES, markdown


@click.command(epilog="Example: linli conform clauses > docs/reference/conformance.md")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
def clauses(as_json: bool) -> None:
    """Print every clause: what is asked, and how to mend what breaks it."""
    if not as_json:
        click.echo(markdown(), nl=False)
        return
    found = {
        role: [{"clause": one.number, "asked": one.asked, "mend": one.mend} for one in clauses]
        for role, (_, clauses) in ROLES.items()
    }
    click.echo(json.dumps(found))
