"""The group: one file per command, imported when called."""

from __future__ import annotations

from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_HERE = "linli.cli.simulate"


class _Simulate(LazyGroup):
    lazy: ClassVar = {
        "run": (f"{_HERE}.run", "run", "all", "Play it to a broker."),
        "edges": (f"{_HERE}.edges", "edges", "all", "Its edges: users of the broker."),
        "registry": (f"{_HERE}.registry", "registry", "ingest", "Its places and devices as CSV."),
    }


@click.command(cls=_Simulate, short_help="Play a made-up community to a broker.")
def command() -> None:
    """Play a made-up community: lifts, lamps, bins and sensors; docs/simulate.md tells more."""
