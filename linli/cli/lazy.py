"""A command group that imports a command only when it is called: each needs only its own extra."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import ClassVar

import click

from linli.errors import InputError

_OURS = frozenset({"linli", "edge", "ingest", "dashboards"})


class LazyGroup(click.Group):
    """`commands` maps a name to its module, the attribute there, its extra and a short help."""

    lazy: ClassVar[Mapping[str, tuple[str, str, str, str]]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order they were given."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command. Raises InputError that names the missing extra."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute, extra, _ = self.lazy[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in _OURS:
                raise
            raise InputError(
                f"the Python package {error.name!r} is missing",
                where=f"linli {cmd_name}",
                hint=f"Install it with: pip install 'linli[{extra}]'",
            ) from None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        if not self.lazy:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (*_, text) in self.lazy.items()])
