"""The broker's files are templates in `broker/`, filled in here."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

from linli.resources import resource


def fill(name: str, **values: object) -> str:
    """Return a template with its values; a line that is left empty goes."""
    return "".join(f"{line}\n" for line in _lines(name, values))


def snapshots(folder: Path) -> str:
    """Return the lines by which any mosquitto keeps sessions and retained messages in `folder`."""
    return f"persistence true\npersistence_location {folder}/\nautosave_interval 60"


def _lines(name: str, values: dict[str, object]) -> Iterator[str]:
    for line in resource("broker", name).read_text(encoding="utf-8").splitlines():
        made = line if line.startswith("#") else string.Template(line).substitute(values)
        if made or not line:
            yield made
