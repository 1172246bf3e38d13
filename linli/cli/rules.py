"""`linli rules`: check a rule document, try it on history, show and replace the one that holds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec
import sqlalchemy as sa

from ingest.audit import book as audit
from ingest.rules import versions
from ingest.rules.directory import Directory
from ingest.rules.document import Document
from ingest.rules.loading import RulesError, builtin, load, read
from ingest.rules.rule_set import RuleSet
from ingest.rules.spans import micros
from ingest.rules.trial import RuleTrial, Trial, try_rules
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import reading, writing
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError

ACTOR = "user:command line"
MOST_LINES = 10
_WEEK = "7d"


@click.group(short_help="Check, try and show the rules behind incidents.")
def command() -> None:
    """Check, try on history, show and replace the rules that turn facts into incidents."""


@command.command(epilog="Example: linli rules check rules.toml")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, *, as_json: bool) -> None:
    """Say whether FILE is a good rule document, and everything that is wrong with it."""
    text = read(file)
    try:
        document = load(text, where=str(file))
    except RulesError as error:
        _tell_faults(error, file, as_json=as_json)
        sys.exit(error.exit_code)
    rules = RuleSet(0, document, builtin(), UTC)
    own = [one for one in rules.rules if one.origin == "site"]
    if as_json:
        click.echo(_json({"ok": True, "rules": [one.id for one in own], "digest": rules.digest}))
        return
    behind = len(rules.rules) - len(own)
    click.echo(f"{file}: good. {counted(len(own), 'rule')}, {behind} built-in behind them")


@command.command(epilog="Example: linli rules test rules.toml --from 2026-03-01 --to 2026-03-08")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "start", default=_WEEK, show_default=True, help="A time, or so long ago")
@click.option("--to", "end", default="0s", help="A time, or so long ago  [default: now]")
@click.option("--all", "everything", is_flag=True, help="Show the built-in rules too")
@config_option
@json_option
def test(
    file: Path, start: str, end: str, config: Path, *, everything: bool, as_json: bool
) -> None:
    """Show what the rules of FILE would have raised on this ingest's own history.

    Reads the journal, which goes back some days; writes nothing. Times are RFC 3339, a date, or
    without a zone by the clocks of the site.
    """
    settings = load_settings(config)
    zone = ZoneInfo(settings.site.timezone)
    now = SystemClock().now()
    begin, until = _instant(start, now, zone), _instant(end, now, zone)
    if begin >= until:
        raise InputError(f"{start} is not before {end}", where="--from")
    rules = RuleSet(0, load(read(file), where=str(file)), builtin(), zone)
    found = _try(settings, rules, begin, until, zone)
    shown = [one for one in found.rules if everything or one.origin == "site"]
    found.rules = tuple(shown)
    click.echo(_json(found) if as_json else "\n".join(_report(found, zone)))


@command.command(epilog="Example: linli rules show --config ingest.toml")
@click.option("--text", "as_text", is_flag=True, help="Print the document as it was written")
@config_option
@json_option
def show(config: Path, *, as_text: bool, as_json: bool) -> None:
    """Show the rules that hold, or are about to, in the order in which they are asked."""
    settings = load_settings(config)
    with _state(settings) as connection:
        one = versions.newest(connection)
    if as_text:
        click.echo(one.text, nl=False)
        return
    rules = RuleSet(one.version, _usable(one.text), builtin(), ZoneInfo(settings.site.timezone))
    if as_json:
        listed = [{"id": rule.id, "origin": rule.origin} for rule in rules.rules]
        click.echo(_json({"version": one.version, "position": one.position, "rules": listed}))
        return
    since = "not yet in force" if one.position is None else f"since journal row {one.position}"
    click.echo(f"version {one.version}, {since}, written by {one.actor}")
    for active in rules.rules:
        rule = active.rule
        kind = str(rule.__struct_config__.tag)
        click.echo(f"{rule.id:<32} {kind:<10} {rule.severity or 'as sent':<9} {rule.label}")


@command.command(epilog="Example: linli rules apply rules.toml --note 'bins on the north side'")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", help="Why, for the history")
@config_option
@json_option
def apply(file: Path, note: str | None, config: Path, *, as_json: bool) -> None:
    """Let the rules of FILE hold from now on; the running ingest takes them up within seconds.

    Replaces the site's whole document. What a rule that is changed or gone has raised ends then.
    """
    settings = load_settings(config)
    text = read(file)
    load(text, where=str(file))
    database = database_of(settings)
    database.prepare()
    engine = database.writer("state")
    try:
        with writing(engine) as connection:
            made = versions.newest(connection)
            changed = made.text != text
            if changed:
                now = SystemClock().now()
                made = versions.add(connection, text, actor=ACTOR, at=now, note=note)
                audit.note(connection, now, ACTOR, "rules-changed", "", version=made.version)
    finally:
        engine.dispose()
    if as_json:
        click.echo(_json({"version": made.version, "changed": changed}))
    else:
        click.echo(f"version {made.version}" + ("" if changed else ", as it was"))


def _try(
    settings: IngestSettings, rules: RuleSet, begin: datetime, until: datetime, zone: ZoneInfo
) -> Trial:
    directory = Directory()
    with _state(settings) as connection:
        directory.connection = connection
        directory.read_all()
    journal = database_of(settings).reader("journal")
    try:
        with _bar() as progress:
            return try_rules(
                journal,
                rules,
                directory.find,
                start=begin,
                end=until,
                zone=zone,
                progress=progress,
            )
    finally:
        journal.dispose()


@contextmanager
def _bar() -> Iterator[Callable[[int, int], bool]]:
    """Yield what shows progress on standard error, when a person looks at it."""
    with click.progressbar(
        length=1, label="reading the journal", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def progress(done: int, total: int) -> bool:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)
            return True

        yield progress


@contextmanager
def _state(settings: IngestSettings) -> Iterator[sa.Connection]:
    database = database_of(settings)
    if database.is_empty():
        where = str(settings.folder)
        raise InputError("no ingest has run here yet", where=where, hint="Check --config")
    engine = database.reader("state")
    try:
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _instant(said: str, now: datetime, zone: ZoneInfo) -> datetime:
    try:
        return now - timedelta(microseconds=micros(said))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        raise InputError(
            f"{said!r} is no time", hint="Such as 2026-03-01, 2026-03-01T08:00+08:00, or 7d ago: 7d"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _usable(text: str) -> Document:
    """Return a document as the ingest uses it: one that cannot be is as good as none."""
    try:
        return load(text)
    except RulesError as error:
        click.echo(f"linli: this document cannot be used: {error}", err=True)
        return Document()


def _tell_faults(error: RulesError, file: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(_json({"ok": False, "faults": error.faults}))
        return
    for fault in error.faults:
        click.echo(f"{file}: {fault}", err=True)


def _report(found: Trial, zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines that a person reads."""
    asked = f"{_when(found.start, zone)} to {_when(found.end, zone)}"
    yield f"{asked}: {counted(found.rows, 'journal row')} read"
    if found.late:
        yield f"{counted(found.late, 'fact')} came after later ones and counted for rates only"
    if found.unreadable:
        yield f"{counted(found.unreadable, 'row')} could not be used"
    yield ""
    yield f"{'rule':<32} {'raised':>7} {'not over':>9} {'devices':>8}"
    for one in found.rules:
        devices = len({count.device for count in one.counts})
        yield f"{one.rule:<32} {one.raised:>7} {one.lasting:>9} {devices:>8}"
    for one in found.rules:
        yield from _details(one, zone)


def _details(one: RuleTrial, zone: ZoneInfo) -> Iterator[str]:
    if not one.raised:
        return
    yield ""
    yield f"{one.rule}: {one.label}"
    for count in one.counts[:MOST_LINES]:
        yield f"  {count.day}  {count.device:<40} {count.raised:>6}"
    if len(one.counts) > MOST_LINES:
        yield f"  … and {len(one.counts) - MOST_LINES} more (--json has all)"
    for example in one.examples:
        until = _when(example.until, zone) if example.until else "not over"
        said = f" ({example.why})" if example.why else ""
        yield f"  e.g. {_when(example.at, zone)} to {until}  {example.device}{said}"


def _when(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _json(found: object) -> str:
    return msgspec.json.encode(found).decode()
