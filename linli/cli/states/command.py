"""The group: one file per command, imported when called."""

from __future__ import annotations

import os
from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_HERE = "linli.cli.states"

# Before NumPy is imported, or its threads wait for each other in many small steps: beside cameras
# at work, teaching took 31 s of processor time with two threads and 2 s with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _States(LazyGroup):
    lazy: ClassVar = {
        "take": (f"{_HERE}.take", "take", "edge", "Take an example picture with a camera."),
        "teach": (f"{_HERE}.teach", "teach_states", "edge", "Learn from a folder per state."),
        "try": (f"{_HERE}.attempt", "attempt", "edge", "Judge other pictures, or a video."),
        "show": (f"{_HERE}.show", "show", "edge", "What was taught."),
    }


@click.command(cls=_States, short_help="Teach states of a lamp, bin or lid from a few pictures.")
def command() -> None:
    """Teach what a lamp, bin or lid looks like in each state; docs/scene-states.md tells more."""
