"""`linli models pull`: fetch a model of the catalogue."""

from __future__ import annotations

import time

import click

from edge.catalog.book import open_book
from edge.catalog.install import pull
from linli.cli.models.progress import Progress
from linli.errors import InputError

MIRROR_VARIABLE = "LINLI_MODELS_MIRROR"
_HASH_LENGTH = 64


@click.command(
    name="pull",
    epilog="Examples: linli models pull fastestdet · linli models pull fastestdet --from "
    "/media/stick · linli models pull yolox-tiny --sha256 HASH --from https://mirror.example/models",
)
@click.argument("name")
@click.option(
    "--from",
    "--mirror",
    "place",
    envvar=MIRROR_VARIABLE,
    show_envvar=True,
    metavar="PLACE",
    help="A folder, a file, or an address of one, instead of the catalogue's address.",
)
@click.option(
    "--sha256",
    metavar="HASH",
    help="The hash you trust, where the catalogue has none or another.",
)
def pull_model(name: str, place: str | None, sha256: str | None) -> None:
    """Fetch the file of a model into the models folder, and check it before it gets its name.

    A fetch that was cut short goes on where it ended, also when the command is run again. In a
    folder the file is known by its content, whatever its name; at an address it must have the name
    that it has at its makers'.
    """
    wanted = _hash(sha256)
    with Progress(name) as progress:
        path = pull(
            open_book(),
            name,
            progress=progress.show,
            pause=lambda seconds, why: _wait(progress, seconds, why),
            place=place or None,
            sha256=wanted,
        )
    click.echo(path)


def _hash(text: str | None) -> str | None:
    if text is None:
        return None
    wanted = text.strip().lower()
    if len(wanted) != _HASH_LENGTH or wanted.strip("0123456789abcdef"):
        raise InputError(
            f"must be {_HASH_LENGTH} hexadecimal digits, not {text!r}", where="--sha256"
        )
    return wanted


def _wait(progress: Progress, seconds: float, why: str) -> None:
    progress.say(f"{why}; trying on in {seconds:g} s")
    time.sleep(seconds)
