"""The log of who did what: shown, and checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from ingest.audit import book
from ingest.audit.row import Anchor
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import reading
from ingest.store.guard import guarded
from linli.cli.ingest.options import config_option, json_option
from linli.errors import InputError


@click.group(epilog="Example: linli audit verify")
def command() -> None:
    """Who did what: sign-ins, looks at pictures, commands, changes."""


@command.command("list", epilog="Example: linli audit list --act commanded --limit 20")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--act", "acts", multiple=True, help="Only these, such as signed-in; repeat")
@config_option
@json_option
def list_rows(limit: int, acts: tuple[str, ...], config: Path, *, as_json: bool) -> None:
    """Print the newest rows, the newest first."""
    engine = database_of(load_settings(config)).reader("state")
    with reading(engine) as connection:
        rows = book.page(connection, before=None, limit=limit, acts=acts)
    engine.dispose()
    for row in rows:
        if as_json:
            click.echo(msgspec.json.encode(row).decode())
            continue
        told = json.dumps(row.detail, ensure_ascii=False) if row.detail else ""
        # Names come from people: nothing in them may look like a line of ours.
        text = f"{row.id} {row.at:%Y-%m-%d %H:%M:%S}Z {row.actor} {row.act} {row.subject} {told}"
        click.echo("".join(one if one.isprintable() else "?" for one in text).rstrip())


@command.command(
    "verify",
    epilog="Example: linli audit verify --config ingest.toml",
)
@click.option("--anchor", "anchors", multiple=True, metavar="ROW:HASH", help="Seen before; repeat")
@config_option
@json_option
def verify(anchors: tuple[str, ...], config: Path, *, as_json: bool) -> None:
    """Check that every row is as it was written; exit code 1 names the first that is not.

    The database itself refuses to change or delete rows; that its triggers are still there is
    checked too.

    Each row is bound to the one before it, so what was changed, taken out or put in shows. That
    rows are missing at the end shows only beside an anchor kept elsewhere: every backup names
    the newest row, this command prints it, and with LINLI_LOG=INFO the service writes each into its
    log (`audit 17:9f86…`).
    """
    try:
        known = [Anchor.parse(one) for one in anchors]
    except ValueError as error:
        raise InputError(str(error), where="--anchor") from None
    engine = database_of(load_settings(config)).reader("state")
    with reading(engine) as connection:
        head = book.head(connection)
        broken, guards = book.verify(connection, known), guarded(connection)
    engine.dispose()
    if as_json:
        told = None if broken is None else {"row": broken.id, "why": broken.why}
        click.echo(
            json.dumps({"head": str(head) if head else None, "broken": told, "guarded": guards})
        )
    elif broken is not None:
        click.echo(f"row {broken.id} {broken.why}")
    elif not guards:
        click.echo("the database refuses changes no more: its triggers were taken away")
    else:
        click.echo(f"every row is as it was written; keep elsewhere: {head or 'no row yet'}")
    if broken is not None or not guards:
        sys.exit(1)
