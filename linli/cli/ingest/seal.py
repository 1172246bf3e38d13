"""The key that edges seal pictures with: which it is, and another one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ingest.audit import book as audit
from ingest.evidence import keys
from ingest.settings import load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.seal import id_of


@click.group()
def seal() -> None:
    """Say with which key edges seal pictures that wait on them."""


@seal.command(epilog="Example: linli ingest seal show")
@config_option
@json_option
def show(config: Path, *, as_json: bool) -> None:
    """Show the ids of the newest key and of those that can still be opened."""
    with state(load_settings(config)) as connection:
        public, known = keys.newest(connection), keys.known(connection)
    _say(public, known, as_json=as_json)


@seal.command(epilog="Example: linli ingest seal rotate")
@click.option("--why", help="Why, for the audit log")
@config_option
@json_option
def rotate(why: str | None, config: Path, *, as_json: bool) -> None:
    """Make another key; edges that reach the ingest by https take it within the hour.

    Those that do not keep the one they have: see the ids in `linli edge status`.
    What waits sealed for an older one can still be opened: no key is ever forgotten.
    """
    with state(load_settings(config)) as connection:
        before = keys.newest(connection)
        public, known = keys.make(connection), keys.known(connection)
        said = {"key": f"{id_of(before) if before else '-'} > {id_of(public)}", **audit.reason(why)}
        now = SystemClock().now()
        audit.note(connection, now, actor(), "seal-key-made", id_of(public), **said)
    _say(public, known, as_json=as_json)


def _say(public: bytes | None, known: list[str], *, as_json: bool) -> None:
    newest = None if public is None else id_of(public)
    if as_json:
        click.echo(json.dumps({"newest": newest, "known": known}))
        return
    click.echo(newest or "none yet; the first edge that asks has one made")
    for one in known:
        if one != newest:
            click.echo(f"{one}  older")
