"""The `linli` command: groups are imported when called, so each extra is needed only by its own."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from linli.errors import InputError, LinliError
from linli.log import get_logger, set_up
from linli.process import follow_parent

log = get_logger(__name__)

_GROUPS = {
    "demo": ("linli.cli.demo", "Run everything on this machine and show the address."),
    "edge": ("linli.cli.edge", "Run beside cameras and sensors."),
    "ingest": ("linli.cli.ingest", "Run on the server: receive, keep, serve."),
    "broker": ("linli.cli.broker", "Run an MQTT broker for this machine."),
    "models": ("linli.cli.models", "Evaluate detection models."),
    "schema": ("linli.cli.schema", "Write or check the contract's documents."),
}
_OURS = frozenset({"linli", "edge", "ingest", "dashboards"})
_EXTRA_OF = {"edge": "edge", "models": "edge", "ingest": "ingest", "broker": "ingest"}


class _Groups(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _GROUPS:
            return None
        try:
            module = importlib.import_module(_GROUPS[cmd_name][0])
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in _OURS:
                raise
            extra = _EXTRA_OF.get(cmd_name, "all")
            raise InputError(
                f"the Python package {error.name!r} is missing",
                where=f"linli {cmd_name}",
                hint=f"Install it with: pip install 'linli[{extra}]'",
            ) from None
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _GROUPS.items()])


@click.command(
    cls=_Groups,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: linli demo",
)
@click.version_option(package_name="linli")
def command() -> None:
    """Linli (邻里): IoT edge and monitoring for residential communities."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every expected failure is one line and an exit code."""
    process = (arguments or sys.argv[1:] or ["linli"])[0]
    set_up(process)
    follow_parent()
    try:
        return command.main(arguments, prog_name="linli")
    except LinliError as error:
        click.echo(f"linli: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        click.echo(f"linli: {_unexpected(error)}", err=True)
        log.debug("the details", exc_info=True)
        sys.exit(70)


def _unexpected(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return (
        f"unexpected {type(error).__name__} in {place}. This is a mistake in Linli: please report "
        "it; LINLI_LOG=DEBUG shows the details"
    )


if __name__ == "__main__":
    main()
