"""`linli edge init --join`, `certificate` and `password`: a box becomes one of the community's."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from edge.identity import Certificates, Joined, Passwords, Proof, new_key, proof_of
from edge.identity import join as ask_to_join
from edge.settings import load_box, load_settings
from edge.upload import open_client
from linli.cli.edge.init import Camera, of_camera, quoted, write
from linli.cli.edge.options import config_option
from linli.durable import write_whole
from linli.errors import InputError, StoreError
from linli.settings import read_secret, write_secret

KEY, OWN, TRUST = "node.key", "mqtt.pem", "mqtt.ca.crt"
PASSWORD = "mqtt.password"  # noqa: S105 - a file's name
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_wait_option = click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    help="Seconds to wait for it.",
)


def join(
    config: Path, code: str, server: str | None, cameras: list[Camera], *, plain: bool, wait: float
) -> None:
    """Join by a code and write the settings. Raises LinliError.

    Called again after an answer that was not heard it goes on with the same key.
    """
    url = _url(server, plain=plain)
    folder = config.parent
    file, kept = folder / KEY, (folder / KEY).exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        key = read_secret(file) if kept else new_key()
        if not kept:
            write_secret(file, key)
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(folder)) from None
    with open_client() as client:
        try:
            joined = ask_to_join(client, url, code, key)
        except InputError:
            if not kept:
                file.unlink(missing_ok=True)
            raise
        if joined.ca is not None:
            _keep(folder / TRUST, joined.ca.encode())
        secrets = {f"{one.id}.password": one.password for one in cameras if one.password}
        write(config, _text(joined, url, cameras), secrets)
        click.echo(f"{config}: written for edge {joined.node} ({joined.label}), {joined.area}")
        kind: type[Proof] = Certificates if joined.access == "certificates" else Passwords
        own = OWN if joined.access == "certificates" else PASSWORD
        address = f"{joined.site}/{joined.node}"
        _await(kind(client, url, address, key, folder / own), config, wait)
    click.echo(f"now: linli edge check --config {config}")


@click.command(epilog="Example: linli edge certificate --config edge.toml")
@config_option
@_wait_option
def certificate(config: Path, wait: float) -> None:
    """Ask for another certificate at the broker now: a box that joined does it by itself in time.

    For a box whose first one was not signed while it joined, or whose last one has ended.
    """
    _another(Certificates, config, wait)


@click.command(epilog="Example: linli edge password --config edge.toml")
@config_option
@_wait_option
def password(config: Path, wait: float) -> None:
    """Make another password at the broker now; the one until now ends, an edge that runs goes on.

    For a box whose first one was not taken while it joined, or whose password somebody may know.
    """
    _another(Passwords, config, wait)


def _another(kind: type[Proof], config: Path, wait: float) -> None:
    load_box(config)
    _be_its_owner(config, kind.what)
    settings = load_settings(config)
    with open_client() as client:
        found = proof_of(settings, client)
        if not isinstance(found, kind):
            raise InputError(
                f"this box did not join by a code: its {kind.what} comes from elsewhere"
                if found is None
                else f"this box has a {found.what} at the broker, no {kind.what}",
                where=str(config),
            )
        _await(found, config, wait)


def _be_its_owner(config: Path, what: str) -> None:
    """Raise InputError for root beside another's edge, which could not read what root writes."""
    owner = config.parent.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        raise InputError(
            f"this folder is {name}'s, whose edge could not read what root writes",
            where=str(config.parent),
            hint=f"runuser -u {name} -- linli edge {what} --config {config}",
        )


def _await(proof: Proof, config: Path, wait: float) -> None:
    """Wait until it has come. Raises LinliError."""
    end = time.monotonic() + wait
    while not proof.ask():
        if time.monotonic() >= end:
            raise InputError(
                f"the broker does not know this {proof.what} yet",
                where=str(proof.file),
                hint="`linli broker keep` beside the broker sees to it; then run "
                f"`linli edge {proof.what} --config {config}`",
            )
        time.sleep(min(1.0, wait))
    click.echo(f"{proof.file}: {proof.holds}")


def _url(server: str | None, *, plain: bool) -> str:
    """Return the address to join at. Raises InputError for one that anybody may listen to."""
    if server is None:
        raise InputError("say where to join", where="--server", hint="https://linli.example")
    found = urlsplit(server)
    if found.scheme not in {"http", "https"} or not found.hostname:
        raise InputError(f"is no address of an ingest: {server!r}", where="--server")
    if found.scheme == "http" and found.hostname not in _LOOPBACK and not plain:
        raise InputError(
            "http shows the code and this box's key to whoever listens",
            where="--server",
            hint="Use https, or --plain on a network of your own",
        )
    return server.rstrip("/")


def _keep(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(path)) from None


def _text(joined: Joined, url: str, cameras: list[Camera]) -> str:
    host = joined.host or urlsplit(url).hostname or ""
    proof = (
        f'cert_file = "{OWN}"  # key and certificate; the edge renews them itself\n'
        f'key_file = "{OWN}"\n'
    )
    if joined.access == "passwords":
        proof = f'username = {quoted(joined.node)}\npassword_file = "{PASSWORD}"\n'
    trust = f'ca_file = "{TRUST}"\n' if joined.ca is not None else ""
    watched = "".join(of_camera(one) for one in cameras)
    return f"""\
# The settings of one edge of Linli, which joined by a code. What is not here has a good default;
# docs/reference/edge-settings.md of Linli has all of them, with reasons.

data = "data"  # what waits to be sent is kept in this folder, beside this file

[node]  # which box this is; ids never change, names for people are kept at the ingest
site = {quoted(joined.site)}
area = {quoted(joined.area)}
id = {quoted(joined.node)}

[mqtt]  # where facts are sent
host = {quoted(host)}
port = {joined.port}
{trust}{proof}
[ingest]  # where redacted pictures go, and what to watch comes from
url = {quoted(url)}
key_file = "{KEY}"

[status]  # linli edge status, and /metrics for Prometheus; on this machine alone
port = 8475
{watched}"""
