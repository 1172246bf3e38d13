"""The command: look at everything, say the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import msgspec

from ingest.doctor import machine
from ingest.doctor.everything import of_files
from ingest.doctor.machine import unusable
from ingest.doctor.sources import Sources, opened
from ingest.repairs.finding import Finding, by_urgency, exit_code, well
from ingest.settings import IngestSettings, load_settings
from ingest.store.migrate import current, head
from linli.cli.doctor import bundle as bundles
from linli.cli.doctor import models, processes
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError, StoreError

_MARKS = {"ok": "ok ", "warning": "?  ", "bad": "!! "}


@click.command(
    short_help="Say what is wrong, and what to do.",
    epilog="Examples: linli doctor · linli doctor --config server/ingest.toml --json",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default="ingest.toml",
    show_default=True,
    help="Settings file of the ingest",
)
@click.option("--edge", type=click.Path(path_type=Path), help="Settings of an edge on this machine")
@click.option("--all", "everything", is_flag=True, help="Show also what is well")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help="Also write a ZIP file for somebody who helps: no secret or picture is in it",
)
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    edge: Path | None,
    bundle: Path | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Look at settings, disk, processes, broker, delivery, edges: what is wrong, since when, what
    it means for residents, what to do. Changes nothing, and works while the ingest is down.

    The exit code is 0 when all is well, 1 when something needs a look, 2 when something is bad.
    """
    now = SystemClock().now()
    findings = by_urgency(examine(config, edge, now))
    code = exit_code(findings)
    if as_json:
        click.echo(msgspec.json.encode({"at": now, "exit": code, "findings": findings}))
    else:
        _say(findings, now, everything=everything)
    if bundle is not None:
        parts = bundles.write(bundle, config, findings, now)
        click.echo(f"{bundle} written: {', '.join(parts)}", err=as_json)
    context.exit(code)


def examine(config: Path, edge: Path | None, now: datetime) -> Iterator[Finding]:
    """Yield every finding; what cannot be looked at is one too."""
    try:
        settings = load_settings(config)
    except InputError as error:
        yield unusable("settings", error)
    else:
        yield well("settings", f"{config} can be read")
        yield from _of_ingest(settings, now)
    if edge is not None:
        try:
            yield from models.look(edge)
        except InputError as error:
            yield unusable("edge-settings", error)


def _of_ingest(settings: IngestSettings, now: datetime) -> Iterator[Finding]:
    try:
        yield from machine.look(settings)
    except InputError as error:
        yield unusable("secret", error)
    yield from processes.look(settings)
    try:
        with opened(settings, now) as sources:
            yield from _of_files(sources)
    except InputError as error:
        yield unusable("database", error)


def _of_files(sources: Sources) -> Iterator[Finding]:
    try:
        other = list(_of_another_version(sources))
        if other:
            yield from other
            return
        yield from of_files(sources)
    except StoreError as error:
        yield Finding(
            code="store-unreadable",
            level="bad",
            what=f"the ingest's files cannot be read: {error}",
            means="Nothing that happened can be shown.",
            do="If this ingest is new, run it once; if it was just updated, run "
            "`linli ingest migrate`; otherwise bring back a backup",
        )


def _of_another_version(sources: Sources) -> Iterator[Finding]:
    """Yield files that the installed Linli cannot use as they are. Raises StoreError."""
    for file, engine in sources.files.items():
        found, ours = current(engine), head(file)
        if found in (None, ours):
            continue
        newer = found > ours
        yield Finding(
            code="store-unreadable",
            level="bad",
            what=f"the tables of {file} are at {found}, this Linli has {ours}",
            means="The ingest does not start with them.",
            do="Install the Linli that wrote them, or a newer one"
            if newer
            else "Start the ingest, or run `linli ingest migrate up`: both make a backup first",
        )


def _say(findings: list[Finding], now: datetime, *, everything: bool) -> None:
    shown = [one for one in findings if everything or one.level != "ok"]
    for one in shown:
        click.echo(f"{_MARKS[one.level]}{one.what}  [{one.code}]")
        if one.since is not None:
            click.echo(f"   since     {one.since:%Y-%m-%d %H:%M:%S} UTC ({_ago(now, one.since)})")
        for word, text in (("residents", one.means), ("do", one.do)):
            if text:
                click.echo(f"   {word:<9} {text}")
    wrong = sum(1 for one in findings if one.level != "ok")
    click.echo(
        f"{counted(len(findings), 'thing')} looked at, "
        + (f"{wrong} to look after" if wrong else "all is well")
    )


def _ago(now: datetime, since: datetime) -> str:
    minutes = max(int((now - since).total_seconds()) // 60, 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
