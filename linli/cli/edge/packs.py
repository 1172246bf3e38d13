"""`linli edge packs`: the scenarios that Linli brings."""

from __future__ import annotations

import json

import click
import msgspec

from linli.errors import InputError
from linli.packs import packs as all_packs
from linli.packs import written


@click.command(epilog="Example: linli edge packs ebike-in-elevator")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def packs(name: str | None, *, as_json: bool) -> None:
    """List the scenarios that Linli brings, or show one with its settings and their reasons."""
    found = all_packs()
    if name is not None and name not in found:
        raise InputError(
            f"there is no pack {name!r}", where="NAME", hint=f"There is: {', '.join(found)}"
        )
    chosen = {name: found[name]} if name is not None else found
    if as_json:
        said = {key: msgspec.to_builtins(pack) for key, pack in chosen.items()}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    elif name is not None:
        click.echo(written(name), nl=False)
    else:
        for key, pack in found.items():
            click.echo(f"{key}\n  {pack.title.zh} / {pack.title.en}\n  {pack.means.en}")
