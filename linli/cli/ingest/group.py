"""The group; the parent process imports no more than it needs, it stays for years."""

from __future__ import annotations

from typing import ClassVar

import click

from linli.cli.lazy import LazyGroup

_SERVE = "linli.cli.ingest.serve"
_PEOPLE = "linli.cli.ingest.people"
_CONTACTS = "linli.cli.ingest.contacts"
_CONFIGS = "linli.cli.ingest.configs"
_SEAL = "linli.cli.ingest.seal"
_DUTY = "linli.cli.ingest.duty"
_NOTIFY = "linli.cli.ingest.notify"
_WASTE = "linli.cli.ingest.waste"
_MIGRATE = "linli.cli.ingest.migrate"
_REGISTRY = "linli.cli.ingest.registry"


class _Ingest(LazyGroup):
    lazy: ClassVar = {
        "run": (_SERVE, "run", "ingest", "Run the ingest until Ctrl-C or SIGTERM."),
        "receiver": (_SERVE, "receiver", "ingest", "Run only the receiver: broker to journal."),
        "web": (_SERVE, "web", "ingest", "Run only the web side: consumers, API, pages."),
        "init": (_SERVE, "init", "ingest", "Write a settings file and the secret it names."),
        "migrate": (
            _MIGRATE,
            "migrate",
            "ingest",
            "Bring tables up to this version, or a step back.",
        ),
        "node": (_PEOPLE, "node", "ingest", "Register edge boxes and the devices behind them."),
        "registry": (
            _REGISTRY,
            "registry",
            "ingest",
            "Bring lists of places and devices in and out.",
        ),
        "config": (_CONFIGS, "config", "ingest", "What edge boxes are to watch, by version."),
        "seal": (_SEAL, "seal", "ingest", "With which key edges seal pictures that wait."),
        "notify": (_NOTIFY, "notify", "ingest", "Who is told of incidents, and what came of it."),
        "duty": (_DUTY, "duty", "ingest", "Tell who is on duty, and show rosters."),
        "waste": (_WASTE, "waste", "ingest", "Tell which bins to empty now, and how full all are."),
        "people": (_CONTACTS, "people", "ingest", "Who is told of what: bring in, try, list."),
        "user": (_PEOPLE, "user", "ingest", "Let people in."),
        "token": (_PEOPLE, "token", "ingest", "Let programs in."),
    }


@click.command(cls=_Ingest, short_help="Run on the server: receive, keep, serve.")
def command() -> None:
    """Receive what the edges send, keep it, and serve pages and API."""
