"""`linli simulate edges`: who the broker has to let in."""

from __future__ import annotations

import json

import click

from linli.cli.simulate.options import community_options
from linli.simulate.community import community


@click.command(epilog="Example: linli simulate edges --site c001 --devices 120")
@community_options
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
def edges(site: str, devices: int, edges: int | None, as_json: bool) -> None:
    """Print the ids of the edges, one a line: each is a user of the broker."""
    ids = [box.id for box in community(site, devices, edges).boxes]
    if as_json:
        click.echo(json.dumps(ids))
        return
    for one in ids:
        click.echo(one)
