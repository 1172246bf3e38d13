"""`linli schema`: the contract's documents, written or checked."""

from __future__ import annotations

from pathlib import Path

import click

from linli import schema
from linli.settings import make_folder


@click.group(short_help="Write or check the contract's documents.")
def command() -> None:
    """Write or check the JSON Schemas and the AsyncAPI document of the contract."""


@command.command(epilog="Example: linli schema write docs/reference")
@click.argument("folder", type=click.Path(path_type=Path))
def write(folder: Path) -> None:
    """Write the documents below FOLDER."""
    for path in schema.write(make_folder(folder, mode=0o755)):
        click.echo(path)


@command.command(epilog="Example: linli schema check docs/reference")
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Fail when the documents below FOLDER are not what the message types say."""
    schema.check(folder)
    click.echo("current")
