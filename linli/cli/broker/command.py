"""The group, and the broker for this machine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import ClassVar

import click

from linli.broker import plan_broker
from linli.cli.lazy import LazyGroup
from linli.errors import InputError
from linli.settings import make_folder, read_secret, write_secret
from linli.topics import is_id

_CERTIFICATES = "linli.cli.broker.certificates"


class _Broker(LazyGroup):
    lazy: ClassVar = {
        "render": (
            "linli.cli.broker.render",
            "render",
            "ingest",
            "Write the files of the community's mosquitto.",
        ),
        "ca": (_CERTIFICATES, "ca", "ingest", "Make the authority, and the broker's certificate."),
        "issue": (_CERTIFICATES, "issue", "ingest", "Issue a certificate for an identity."),
        "revoke": (_CERTIFICATES, "revoke", "ingest", "Revoke an identity's certificates."),
        "keep": (
            "linli.cli.broker.keep",
            "keep",
            "ingest",
            "Sign, revoke, render and reload as boxes join and leave.",
        ),
        "check": (
            "linli.cli.broker.check",
            "check",
            "",
            "Say what is wrong with a broker.",
        ),
        "list": (_CERTIFICATES, "show", "ingest", "List certificates and when they end."),
    }


@click.command(cls=_Broker, short_help="Run a broker here, render one for the community.")
def command() -> None:
    """Run an MQTT broker on this machine, or write the files of the community's mosquitto."""


@command.command(
    short_help="Run a broker for this machine.",
    epilog="Example: linli broker run --data broker-data --site c001 "
    "--user svc-ingest --user svc-command --user c001-n01",
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder for its files")
@click.option("--site", required=True, help="Id of the community, such as c001")
@click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--user", "users", multiple=True, required=True, help="Identity to let in; repeat")
@click.option(
    "--integrator", "integrators", multiple=True, help="User who may ask for commands; repeat"
)
def run(
    data: Path,
    site: str,
    port: int,
    host: str,
    users: tuple[str, ...],
    integrators: tuple[str, ...],
) -> None:
    """Start mosquitto, or the embedded broker where there is none, for the given identities.

    The password of each is made once and kept in DATA/secrets/NAME, readable by its owner only.
    """
    _check_id("--site", site)
    for user in users:
        _check_id("--user", user)
    for user in integrators:
        _check_id("--integrator", user)
    folder = make_folder(data / "secrets")
    passwords = {}
    for user in dict.fromkeys((*users, *integrators)):
        path = folder / user
        if not path.exists():
            write_secret(path, secrets.token_urlsafe(24))
        passwords[user] = read_secret(path)
    plan = plan_broker(
        data / "broker",
        site=site,
        port=port,
        users=passwords,
        host=host,
        integrators=integrators,
    )
    click.echo(f"{plan.kind}, MQTT {plan.protocol}, on {plan.host}:{plan.port}", err=True)
    os.execv(plan.argv[0], plan.argv)  # noqa: S606 - the broker takes this process over


def _check_id(option: str, value: str) -> None:
    if not is_id(value):
        raise InputError(
            f"must be lower-case letters, digits and inner hyphens, 1 to 32, not {value!r}",
            where=option,
            hint="Choose an id such as c001",
        )


@command.command(hidden=True)
@click.option("--folder", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--host", required=True)
@click.option("--port", type=click.IntRange(1, 65535), required=True)
def embedded(folder: Path, host: str, port: int) -> None:
    """Serve the embedded broker with the password files in FOLDER."""
    from linli.broker.embedded import run as serve

    serve(folder, host, port)
