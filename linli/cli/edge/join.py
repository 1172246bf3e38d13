"""`linli edge init --join`, and `linli edge certificate`: a box becomes one of the community's."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from edge.identity import Certificates, Joined, certificates_of, new_key
from edge.identity import join as ask_to_join
from edge.settings import load_box, load_settings
from edge.upload import open_client
from linli.cli.edge.init import Camera, of_camera, quoted, write
from linli.cli.edge.options import config_option
from linli.durable import write_whole
from linli.errors import InputError, StoreError
from linli.settings import read_secret, write_secret

KEY, OWN, TRUST = "node.key", "mqtt.pem", "mqtt.ca.crt"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_WAIT = click.FloatRange(0, 3600)


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
        if joined.access == "passwords":
            click.echo("its password at the broker goes into mqtt.password, by hand")
            return
        address = f"{joined.site}/{joined.node}"
        _await(Certificates(client, url, address, key, folder / OWN), config, wait)
    click.echo(f"now: linli edge check --config {config}")


@click.command(epilog="Example: linli edge certificate --config edge.toml")
@config_option
@click.option("--wait", type=_WAIT, default=60.0, show_default=True, help="Seconds to wait for it.")
def certificate(config: Path, wait: float) -> None:
    """Ask for another certificate at the broker now: a box that joined does it by itself in time.

    For a box whose first one was not signed while it joined, or whose last one has ended.
    """
    load_box(config)
    settings = load_settings(config)
    with open_client() as client:
        found = certificates_of(settings, client)
        if found is None:
            raise InputError(
                "this box did not join by a code: its certificate comes from elsewhere",
                where=str(config),
            )
        _await(found, config, wait)


def _await(certificates: Certificates, config: Path, wait: float) -> None:
    """Wait until the certificate has come. Raises LinliError."""
    end = time.monotonic() + wait
    while not certificates.ask():
        if time.monotonic() >= end:
            raise InputError(
                "the certificate is not signed yet",
                where=str(config.parent / OWN),
                hint="`linli broker keep` beside the broker signs it; then run "
                f"`linli edge certificate --config {config}`",
            )
        time.sleep(min(1.0, wait))
    click.echo(f"{config.parent / OWN}: key and certificate, renewed by the edge itself")


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
        proof = f'username = {quoted(joined.node)}\npassword_file = "mqtt.password"\n'
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
