"""How far a fetch is, on standard error: a line that moves for people, a few lines for logs."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import click

_LINES = 10  # in a log, for the whole file


class Progress:
    """Ends its line when left."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._moving = sys.stderr.isatty()
        self._said = -1
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_line()

    def show(self, done: int, total: int | None) -> None:
        """Say how many bytes there are of how many."""
        step = int(_LINES * (10 if self._moving else 1) * done / total) if total else done >> 20
        if step == self._said:
            return
        self._said = step
        of = f" of {total / 1e6:.1f}" if total else ""
        text = f"{self._name}: {done / 1e6:.1f}{of} MB"
        if self._moving:
            click.echo(f"\r{text}", err=True, nl=False)
            self._open = True
        else:
            click.echo(text, err=True)

    def say(self, text: str) -> None:
        """Say something on a line of its own."""
        self._end_line()
        click.echo(f"{self._name}: {text}", err=True)

    def _end_line(self) -> None:
        if self._open:
            click.echo(err=True)
            self._open = False
