"""Options that say which community is meant, and spans of time as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from linli.simulate.community import FEWEST, MOST

F = TypeVar("F", bound=Callable[..., Any])
_SPAN = re.compile(r"([0-9]{1,6})(s|m|h|d)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Span(click.ParamType[timedelta]):
    """Such as 90s, 30m, 1h, 2d."""

    name = "SPAN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, at most 366 days."""
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(str(value))
        span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
        if not timedelta(0) < span <= timedelta(days=366):
            self.fail(f"must be like 90s, 30m, 1h or 2d, up to 366d, not {value!r}", param, ctx)
        return span


def community_options(function: F) -> F:
    """Add `--site`, `--devices`, `--edges`: the same three name the same community."""
    for option in (
        click.option(
            "--edges", type=int, help="Boxes they are behind.  [default: one for each 50]"
        ),
        click.option(
            "--devices",
            type=int,
            default=120,
            show_default=True,
            help=f"How many, {FEWEST} to {MOST}",
        ),
        click.option("--site", required=True, help="Id of the community, such as c001"),
    ):
        function = option(function)
    return function
