"""`linli states show`: what is in a file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edge.states.lesson import load


@click.command(epilog="Example: linli states show bin-3.states.json")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def show(file: Path, as_json: bool) -> None:
    """Say which states FILE knows, how well, and where in the picture it looks."""
    lesson, sha256 = load(file)
    crop = ",".join(f"{value:g}" for value in lesson.crop)
    if as_json:
        document = {
            "file": str(file),
            "sha256": sha256,
            "made": lesson.made.isoformat(),
            "crop": lesson.crop,
            "states": [
                {"state": one.state, "pictures": one.pictures, "known": one.known}
                for one in lesson.states
            ],
            "flickering": lesson.is_lamp,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    click.echo(f"taught {lesson.made:%Y-%m-%d %H:%M} UTC, crop {crop}")
    for one in lesson.states:
        known = one.taken_for.get(one.state, 0)
        click.echo(f"{one.state:<14} {known} of {one.pictures} known when left out")
    if lesson.is_lamp:
        click.echo("a lamp: flickering is seen by itself")
    click.echo(f"sha256 {sha256}")
