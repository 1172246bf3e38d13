"""The group: one file per command, imported when called."""

from __future__ import annotations

from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_HERE = "linli.cli.conform"


class _Conform(LazyGroup):
    lazy: ClassVar = {
        "device": (f"{_HERE}.device", "device", "all", "Try a device or an edge."),
        "consumer": (f"{_HERE}.consumer", "consumer", "all", "Try what takes in messages."),
        "community": (f"{_HERE}.community", "community", "all", "Try what tells a district."),
        "district": (f"{_HERE}.district", "district", "all", "Try who counts in a district."),
        "clauses": (f"{_HERE}.clauses", "clauses", "all", "Print what is asked."),
    }


@click.command(cls=_Conform, short_help="Hold others against the contract.")
def command() -> None:
    """Hold somebody else's program against the contract, clause by clause.

    It stands between them and a broker: a mosquitto of its own, or yours with --broker. Tell what
    you try to connect to the port that is printed.

    Exit codes: 0 every clause passed, 1 one failed, 3 none failed but one was not seen.
    """
