"""The group: one file per command."""

from __future__ import annotations

import click

from linli.cli.models.evaluate import evaluate


@click.group()
def command() -> None:
    """Evaluate detection models."""


command.add_command(evaluate)
