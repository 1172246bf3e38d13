"""The group: one file per command, imported when called."""

from __future__ import annotations

from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_HERE = "linli.cli.models"


class _Models(LazyGroup):
    lazy: ClassVar = {
        "list": (f"{_HERE}.show", "list_models", "edge", "The models there are."),
        "show": (f"{_HERE}.show", "show", "edge", "All that is known of one."),
        "pull": (f"{_HERE}.pull", "pull_model", "edge", "Fetch one, and check it."),
        "verify": (f"{_HERE}.verify", "verify", "edge", "Check the files that are here."),
        "add": (f"{_HERE}.own", "add_model", "edge", "Enter a model of your own."),
        "remove": (f"{_HERE}.own", "remove_model", "edge", "Remove a file fetched or added."),
        "eval": (f"{_HERE}.evaluate", "evaluate", "edge", "Measure how good one is."),
        "bench": (f"{_HERE}.bench", "bench", "edge", "Measure how fast they are here."),
    }


@click.command(cls=_Models, short_help="Find, fetch, check and measure models.")
def command() -> None:
    """Find, fetch, check and measure models; docs/models.md tells more."""
