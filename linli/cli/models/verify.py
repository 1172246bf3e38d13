"""`linli models verify`: whether the files here are the models they are called."""

from __future__ import annotations

import json

import click

from edge.catalog.book import Model, open_book
from edge.catalog.check import check_file
from linli.errors import InputError


@click.command(epilog="Examples: linli models verify · linli models verify builtin --json")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on standard output.")
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Hash and run the models that are here: every one of them, or those named.

    Each must be the very file that the catalogue knows, with the inputs, outputs and class names
    that its decoder expects. The exit code is 2 when one is not.
    """
    book = open_book()
    if not names:
        book.check_own()
    found = [book.find(name) for name in names] or [
        model for model in book if model.here or model.origin != "known"
    ]
    results = {model.entry.name: _wrong(model) for model in found}
    if as_json:
        rows = [{"name": name, "good": not why, "why": why} for name, why in results.items()]
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for name, why in results.items():
            click.echo(f"{name}: {why or 'good'}")
    bad = [name for name, why in results.items() if why]
    if bad:
        raise InputError(
            f"{len(bad)} of {len(results)} are not as they should be: {', '.join(bad)}"
        )


def _wrong(model: Model) -> str | None:
    try:
        check_file(model.entry, model.path)
    except InputError as error:
        return str(error)
    return None
