"""`linli models list` and `show`: what the catalogue knows."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from edge.catalog.book import Model, open_book
from edge.catalog.entry import Measured

_SHOWN_CLASSES = 12


@click.command(
    name="list", epilog="Examples: linli models list · linli models list --json | jq '.[].name'"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on standard output.")
def list_models(as_json: bool) -> None:
    """List the models there are, and which of them are on this machine.

    Where a model is taken, its name will do. Only `verify` looks into the files.
    """
    models = list(open_book())
    if as_json:
        click.echo(json.dumps([about(model) for model in models], ensure_ascii=False))
        return
    rows = [("NAME", "VERSION", "TASK", "SIZE", "LICENCE", "STATE")]
    for model in models:
        entry = model.entry
        name = " = ".join((entry.name, *entry.aliases))
        size = "?" if entry.size is None else megabytes(entry.size)
        rows.append((name, entry.version, entry.task, size, entry.licence, state(model)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@click.command(epilog="Example: linli models show yolox-nano")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def show(name: str, as_json: bool) -> None:
    """Show all that is known of a model: classes, thresholds, licence, figures, where it is."""
    model = open_book().find(name)
    if as_json:
        click.echo(json.dumps(about(model), ensure_ascii=False))
        return
    rows = _rows(model)
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        click.echo(f"{label.ljust(width)}  {text}".rstrip())


def about(model: Model) -> dict[str, Any]:
    """Return what machines may want: the whole entry, with classes spelled out, and its state."""
    plain: dict[str, Any] = msgspec.to_builtins(model.entry)
    plain |= {"classes": list(model.entry.names), "input": list(model.entry.input)}
    return plain | {"origin": model.origin, "state": state(model), "path": str(model.path)}


def state(model: Model) -> str:
    """Say in a word or two whether a model can be used."""
    if not model.here:
        return "missing" if model.origin == "built-in" else "not here"
    wanted = model.entry.size
    if wanted is not None and model.path.stat().st_size != wanted:
        return "wrong file"
    return "built in" if model.origin == "built-in" else "here"


def megabytes(size: int) -> str:
    """Return a size for people."""
    return f"{size / 1e6:.1f} MB"


def _rows(model: Model) -> list[tuple[str, str]]:
    entry = model.entry
    shown = ", ".join(entry.names[:_SHOWN_CLASSES])
    more = len(entry.names) - _SHOWN_CLASSES
    classes = f"{shown}, … and {more} more" if more > 0 else shown
    rows = [
        ("name", ", ".join((entry.name, *entry.aliases))),
        ("version", entry.version),
        ("for", entry.summary),
        ("task", f"{entry.task} by {entry.decoder}, input {entry.input[0]} x {entry.input[1]}"),
        ("classes", f"{len(entry.names)}: {classes}"),
        ("counts from", _thresholds(model)),
        *([("either", " or ".join(entry.rivals))] if entry.rivals else []),
        *([("looks again by", entry.second)] if entry.second else []),
        ("licence", entry.licence),
        ("source", entry.source),
        ("address", entry.url or ("comes with Linli" if entry.file else "none known")),
        ("size", "?" if entry.size is None else f"{entry.size:,} bytes"),
        ("sha256", entry.sha256 or "none known: pull asks for one"),
        ("state", f"{state(model)}: {model.path}" + (" (yours)" * (model.origin == "own"))),
    ]
    rows += [("quality", _measured(one)) for one in entry.quality]
    rows += [("speed", _measured(one)) for one in entry.speed]
    if entry.card:
        rows.append(("card", f"models/{entry.card}"))
    return rows


def _thresholds(model: Model) -> str:
    entry = model.entry
    parts = [f"{label} {score:g}" for label, score in entry.thresholds.items()]
    if len(entry.thresholds) < len(entry.names):
        rest = "what its file says" if entry.task == "classification" else "0.3"
        text = rest if entry.threshold is None else f"{entry.threshold:g}"
        parts.append(f"all others {text}" if parts else text)
    return ", ".join(parts)


def _measured(one: Measured) -> str:
    figures = ", ".join(f"{name} {value:g}" for name, value in one.figures.items())
    return f"{figures} on {one.on} ({one.how})"
