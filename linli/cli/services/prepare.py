"""`linli service prepare`: what services need that something else than systemd starts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from dashboards.grafana import shipped
from ingest.influx.tokens import bucket_token
from ingest.settings import IngestSettings, load_settings
from linli.cli.services.making import make_broker, need_root, own
from linli.counted import counted
from linli.errors import InputError
from linli.install import machine
from linli.install.layout import INGEST, SECRETS
from linli.process import linli_argv
from linli.settings import read_secret

_CONFIG = ("--config", str(INGEST.settings))
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(
    epilog="Example: linli service prepare --settings /etc/linli/ingest.toml --host broker"
)
@click.option("--settings", "given", type=_FILE, required=True, help="Settings to take over")
@click.option(
    "--host", "hosts", multiple=True, help="Name of the broker in its certificate; repeat"
)
@click.option(
    "--influx-token-file",
    "operator",
    type=_FILE,
    help="InfluxDB's operator token: others are made with it that know Linli's bucket alone",
)
@click.option("--grafana", type=_FOLDER, help="Folder for Grafana's provisioning and its tokens")
def prepare(
    given: Path, hosts: tuple[str, ...], operator: Path | None, grafana: Path | None
) -> None:
    """Make tables, certificates, secrets and boards for a server that containers run.

    Everything lies where `linli service install` has it. May be repeated: settings are taken over
    anew, secrets and data stay. Needs root; starts nothing.
    """
    need_root()
    settings = load_settings(given)
    _at_home(settings, given)
    INGEST.folder.mkdir(parents=True, exist_ok=True)
    machine.write(INGEST.settings, given.read_text(encoding="utf-8"), mode=0o640)
    own()
    argv = linli_argv("ingest", "migrate", "up", *_CONFIG)
    click.echo(machine.run(argv, account=INGEST.account).strip() or "tables are up to date")
    public = settings.broker.public
    for line in make_broker((*hosts, public) if public else hosts):
        click.echo(line)
    if operator is not None:
        _token(settings, read_secret(operator))
    if grafana is not None:
        for line in _grafana(settings, operator, grafana):
            click.echo(line)


def _at_home(settings: IngestSettings, given: Path) -> None:
    """Refuse settings that put files elsewhere than volumes are."""
    inside = INGEST.folder / "data"
    if settings.folder != inside:
        rule = f"{settings.folder}: here only {inside} is kept"
        raise InputError(rule, where=f"{given}: data", hint=f'data = "{inside}"')


def _token(settings: IngestSettings, operator: str) -> None:
    """Give the ingest a token for its bucket, once."""
    kept = SECRETS / "influx"
    if not kept.exists():
        token = bucket_token(settings.influx, operator, write=True, name="Linli's ingest")
        machine.hand(kept, token, INGEST.account)


def _grafana(settings: IngestSettings, operator: Path | None, folder: Path) -> Iterator[str]:
    """Write boards and what Grafana signs in with. Its group is the ingest's (`group_add`)."""
    provisioning = folder / "provisioning"
    provisioning.mkdir(parents=True, exist_ok=True)
    address = os.environ.get("LINLI_URL")
    written = shipped.render(provisioning, "zh", "influx", linli_url=address, seen_as=None)
    for one in (folder, *provisioning.rglob("*"), provisioning):
        one.chmod(0o755 if one.is_dir() else 0o644)
    if operator is not None and not (folder / "influx").exists():
        told = read_secret(operator)
        token = bucket_token(settings.influx, told, write=False, name="Grafana's boards")
        _leave(folder / "influx", token)
    if not (folder / "linli").exists():
        argv = linli_argv("ingest", "token", "add", "grafana", "--scope", "act", "--json", *_CONFIG)
        _leave(folder / "linli", json.loads(machine.run(argv, account=INGEST.account))["token"])
    yield f"{counted(len(written), 'file')} for Grafana in {provisioning}"


def _leave(path: Path, secret: str) -> None:
    machine.write(path, secret + "\n", mode=0o640)
    machine.guard(path, INGEST.account)
