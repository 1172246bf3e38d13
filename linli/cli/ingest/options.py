"""Options that commands of `linli ingest` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Add `--config`."""
    option = click.option(
        "--config",
        type=click.Path(path_type=Path),
        default="ingest.toml",
        show_default=True,
        help="Settings file",
    )
    return option(function)


def json_option(function: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object")(function)
