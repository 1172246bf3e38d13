"""The `linli` command: groups are imported when called, so each extra is needed only by its own."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any, ClassVar

import click

from linli.cli.lazy import LazyGroup
from linli.errors import LinliError
from linli.log import get_logger, redact_addresses, set_up
from linli.process import follow_parent

log = get_logger(__name__)


class _Linli(LazyGroup):
    lazy: ClassVar = {
        "demo": ("linli.cli.demo", "command", "all", "Run everything here, show the address."),
        "edge": ("linli.cli.edge", "command", "edge", "Run beside cameras and sensors."),
        "ingest": ("linli.cli.ingest", "command", "ingest", "Run on the server."),
        "broker": ("linli.cli.broker", "command", "ingest", "Run or render an MQTT broker."),
        "states": ("linli.cli.states", "command", "edge", "Teach states of lamps and bins."),
        "models": ("linli.cli.models", "command", "edge", "Find, fetch, measure models."),
        "influx": ("linli.cli.influx", "command", "ingest", "Watch the copy in InfluxDB."),
        "rules": ("linli.cli.rules", "command", "ingest", "Check, try and show rules."),
        "drill": ("linli.cli.drill", "command", "ingest", "Practise on made-up incidents."),
        "simulate": ("linli.cli.simulate", "command", "all", "Play a made-up community."),
        "conform": ("linli.cli.conform", "command", "all", "Hold others against the contract."),
        "grafana": ("linli.cli.grafana", "command", "ingest", "Boards for Grafana."),
        "export": ("linli.cli.export", "command", "ingest", "Files for other systems."),
        "backup": ("linli.cli.backup", "command", "ingest", "Encrypted backups, checked."),
        "restore": ("linli.cli.restore", "command", "ingest", "Bring a backup back."),
        "privacy": ("linli.cli.privacy", "command", "ingest", "Hand over or delete pictures."),
        "audit": ("linli.cli.audit", "command", "ingest", "Who did what, checked."),
        "sbom": ("linli.cli.sbom", "command", "all", "List what is installed, for audits."),
        "service": ("linli.cli.services.install", "command", "ingest", "Install services here."),
        "upgrade": ("linli.cli.services.upgrade", "command", "ingest", "Switch to this version."),
        "doctor": ("linli.cli.doctor", "command", "ingest", "Say what is wrong, what to do."),
        "schema": (
            "linli.cli.schema",
            "command",
            "all",
            "The contract's documents.",
        ),
    }


@click.command(
    cls=_Linli,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: linli demo",
)
@click.version_option(package_name="linli")
def command() -> None:
    """Linli (邻里): IoT edge and monitoring for residential communities."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every expected failure is one line and an exit code."""
    process = (arguments or sys.argv[1:] or ["linli"])[0]
    try:
        set_up(process)
        follow_parent()
        return command.main(arguments, prog_name="linli")
    except LinliError as error:
        click.echo(f"linli: {redact_addresses(str(error))}", err=True)
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
