"""The registry as files: lists of places, edge boxes, devices, teams and people, in and out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from ingest import spreadsheet
from ingest.audit import book as audit
from ingest.registry import book, make_site, sheet
from ingest.registry.plan import Change, Plan, Value
from ingest.registry.records import PLACE_KINDS, TYPES, RecordType
from ingest.registry.words import Titles
from ingest.services.registry import note_import, plan_of_file
from ingest.settings import load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError

_ROWS = (*PLACE_KINDS, *(one for one in TYPES if one != "place"))
_LINES = 200
_MARKS = {"created": "+", "changed": "~", "removed": "-"}


@click.group()
def registry() -> None:
    """Bring lists of places, edge boxes, devices, teams and people in and out."""


@registry.command(
    "import", epilog="Example: linli ingest registry import devices.csv --type device --preview"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--preview/--apply", "preview", default=None, help="Only say what would change, or do it"
)
@click.option("--type", "default", type=click.Choice(_ROWS), help="Of rows, when no column says it")
@click.option("--if-match", "seen", metavar="TAG", help="Apply only what this preview showed")
@config_option
@json_option
def import_file(
    file: Path,
    preview: bool | None,
    default: str | None,
    seen: str | None,
    config: Path,
    *,
    as_json: bool,
) -> None:
    """Create and change what a CSV FILE lists; what it does not name stays as it is.

    The file may come from a spreadsheet: UTF-8, UTF-16 or GBK, commas, semicolons or tabs, titles
    in English or Chinese. It is applied whole or not at all.
    """
    if preview is None:
        raise InputError("say --preview or --apply", hint="Look at the preview first")
    settings = load_settings(config)
    data = _read(file)
    now = SystemClock().now()
    with state(settings) as connection:
        make_site(connection, settings.site.id, settings.site.label, now)
        made = plan_of_file(connection, data, default, settings.site.id)
        if seen is not None and seen != made.tag:
            raise InputError(
                "it would do something else by now", where=str(file), hint="Preview it again"
            )
        if not preview and not made.preview.faults:
            book.write(connection, made, actor(), now)
            note_import(connection, made, actor(), now)
            made = Plan(replace(made.preview, applied=True))
    _show(made, as_json=as_json)
    if made.preview.faults:
        raise InputError(
            f"{counted(made.preview.refused, 'row')} refused, nothing was changed", where=str(file)
        )


@registry.command(epilog="Example: linli ingest registry export registry.csv --titles en")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--titles", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="Language"
)
@click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="Only these; repeat")
@config_option
def export(file: Path | None, titles: Titles, types: tuple[RecordType, ...], config: Path) -> None:
    """Write everything into a CSV FILE, or to the screen; importing it changes nothing.

    People's phones are in it: keep the file accordingly.
    """
    with state(load_settings(config)) as connection:
        found = book.records(connection).values()
        said = " ".join(types or TYPES)
        audit.note(connection, SystemClock().now(), actor(), "registry-exported", said)
    text = sheet.write([one for one in found if one.type in (types or TYPES)], titles)
    if file is None:
        sys.stdout.buffer.write(text.encode())
        return
    try:
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(file)) from None
    click.echo(f"{file} written", err=True)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(spreadsheet.MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from None


def _show(made: Plan, *, as_json: bool) -> None:
    found = made.preview
    if as_json:
        tag = {} if found.applied else {"tag": made.tag}
        click.echo(json.dumps({**msgspec.to_builtins(found), **tag}, ensure_ascii=False))
        return
    lines = [*found.notes, *(line for change in found.changes for line in _lines(change))]
    for line in lines[:_LINES]:
        click.echo(line)
    if len(lines) > _LINES:
        click.echo(f"… and {len(lines) - _LINES} more; --json shows all")
    for fault in found.faults:
        said = f"{fault.value!r}: {fault.rule}" if fault.value else fault.rule
        click.echo(
            f"! row {fault.row}, {fault.column}: {said}" + (f". {fault.hint}" * bool(fault.hint))
        )
    done = "" if found.applied else f" (preview {made.tag})"
    click.echo(
        f"{found.created} created, {found.changed} changed, {found.unchanged} unchanged, "
        f"{found.refused} refused{done}"
    )


def _lines(change: Change) -> Iterator[str]:
    yield f"{_MARKS[change.action]} {change.type} {change.id}"
    for one in change.fields:
        if change.action == "created":
            yield f"    {one.field}: {_said(one.after)}"
        else:
            yield f"    {one.field}: {_said(one.before)} → {_said(one.after)}"


def _said(value: Value) -> str:
    if value is None:
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else value
