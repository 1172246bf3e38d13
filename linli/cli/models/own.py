"""`linli models add` and `remove`: models of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edge.catalog.book import open_book
from edge.catalog.describe import Facts, look_into
from edge.catalog.entry import Entry
from edge.catalog.install import add, remove
from linli.errors import InputError
from linli.settings import convert

_OTHERS = ""


@click.command(
    name="add",
    epilog="Example: linli models add best.onnx --name gate-cars --classes car,truck "
    "--licence Apache-2.0 --source 'trained on our own pictures' --threshold truck=0.5",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What it will be called: a-z, 0-9 and -.")
@click.option("--licence", help="Its licence, an SPDX name where there is one  [asked for]")
@click.option("--source", help="Where it is from: an address, or words  [asked for]")
@click.option("--version", help="What events say beside the name  [default: the file's own]")
@click.option("--summary", default="A model of our own", show_default=True, help="For lists.")
@click.option("--classes", metavar="A,B,…", help="Class names, if the file does not hold them.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="[CLASS=]SCORE",
    help="Score from which a class counts; repeat for more  [default: 0.3]",
)
@click.option("--replace", is_flag=True, help="Put it in place of the model of that name.")
def add_model(
    file: Path,
    name: str,
    licence: str | None,
    source: str | None,
    version: str | None,
    summary: str,
    classes: str | None,
    thresholds: tuple[str, ...],
    replace: bool,
) -> None:
    """Check FILE, copy it into the models folder, and enter it in your own catalogue."""
    facts = look_into(file, tuple(map(str.strip, classes.split(","))) if classes else None)
    said = {
        "name": name,
        "version": version or facts.model.version,
        "summary": summary,
        "licence": licence or _ask("licence", "Its licence (Apache-2.0, MIT, AGPL-3.0, our own …)"),
        "source": source or _ask("source", "Where it is from"),
        **_scores(thresholds),
    }
    entry = convert(said | _facts(facts), Entry, where="linli models add")
    click.echo(add(open_book(), file, entry, replace=replace))


@click.command(name="remove", epilog="Example: linli models remove gate-cars --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_model(name: str, yes: bool) -> None:
    """Remove the file of a model from the models folder; one of your own leaves the catalogue too.

    An edge whose settings name it will not start any more.
    """
    book = open_book()
    path = book.find(name).path
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove {path}?", abort=True, err=True)
    elif not yes:
        raise InputError("nobody is here to ask", where="linli models remove", hint="Pass --yes")
    remove(book, name)


def _facts(facts: Facts) -> dict[str, object]:
    return {
        "task": facts.task,
        "decoder": facts.decoder,
        "classes": facts.classes,
        "input": (facts.wants.width, facts.wants.height),
        "sha256": facts.model.sha256,
        "size": facts.size,
    }


def _scores(thresholds: tuple[str, ...]) -> dict[str, object]:
    """Read `0.4` and `ebike=0.4` as the catalogue says them. Raises InputError."""
    scores: dict[str, float] = {}
    for text in thresholds:
        label, _, score = text.rpartition("=")
        try:
            scores[label] = float(score)
        except ValueError:
            raise InputError(
                f"must be a score such as 0.4, or ebike=0.4, not {text!r}", where="--threshold"
            ) from None
    others = scores.pop(_OTHERS, None)
    return {"thresholds": scores} | ({} if others is None else {"threshold": others})


def _ask(option: str, question: str) -> str:
    if not sys.stdin.isatty():
        raise InputError("must be said", where=f"--{option}", hint=question)
    answer: str = click.prompt(question, err=True)
    return answer.strip()
