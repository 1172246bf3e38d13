"""The group: one file per command, imported when called."""

from __future__ import annotations

from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_HERE = "linli.cli.edge"


class _Edge(LazyGroup):
    lazy: ClassVar = {
        "init": (f"{_HERE}.init", "init", "edge", "Write the settings of a new edge."),
        "certificate": (
            f"{_HERE}.join",
            "certificate",
            "edge",
            "Ask for another certificate at the broker.",
        ),
        "password": (f"{_HERE}.join", "password", "edge", "Make another password at the broker."),
        "run": (f"{_HERE}.run", "run", "edge", "Watch and deliver, until stopped."),
        "status": (f"{_HERE}.status", "status", "edge", "What the edge here does now."),
        "check": (f"{_HERE}.check", "check", "edge", "Try settings, model and cameras."),
        "camera": (
            f"{_HERE}.camera",
            "camera",
            "edge",
            "What a camera gives, before it is joined.",
        ),
        "replay": (
            f"{_HERE}.replay.command",
            "replay",
            "edge",
            "See what becomes of a recording, and why.",
        ),
        "packs": (f"{_HERE}.packs", "packs", "edge", "The scenarios that Linli brings."),
        "sensors": ("linli.cli.sensors", "sensors", "edge", "Try mappings of sensors."),
    }


@click.command(cls=_Edge)
def command() -> None:
    """Run beside cameras and sensors."""
