"""Options that commands of an edge share."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="The edge's settings, such as edge.toml.",
)
