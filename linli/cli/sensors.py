"""`linli edge sensors`: what a mapping makes of a payload, which sensors there are, what fits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from edge.sensors.explain import Line, Trial, try_payload
from edge.sensors.known import KnownSensor, known_sensors
from edge.sensors.mapping import Mapping, built_in, load_mapping, mapping_schema
from edge.settings import EdgeSettings, load_settings
from linli.counted import counted
from linli.errors import InputError
from linli.events import PASSAGES

_json = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
_config = click.option(
    "--config", type=click.Path(path_type=Path), help="The edge's settings, such as edge.toml."
)


@click.group()
def sensors() -> None:
    """Try mappings of sensors, list and check them."""


@sensors.command(
    "try",
    epilog="Example: linli edge sensors try --mapping zigbee2mqtt "
    '\'{"smoke": true, "battery": 96}\'  (exit code 1: nothing in it could be read)',
)
@click.argument("payload")
@click.option("--mapping", "name", help="A mapping that Linli brings, or a file.")
@click.option("--sensor", help="A sensor of the settings instead, with its mapping.")
@_config
@_json
def try_(
    payload: str, name: str | None, sensor: str | None, config: Path | None, as_json: bool
) -> None:
    """Show what a mapping makes of PAYLOAD (JSON, a file, or - for standard input), and why.

    Nothing is sent. Of fields that say who somebody is only their number is shown.
    """
    trial = try_payload(_mapping(name, sensor, config), _bytes(payload))
    if as_json:
        click.echo(json.dumps(_trial(trial), ensure_ascii=False))
    else:
        _show(trial)
    if not trial.readable:
        sys.exit(1)


@sensors.command("list", epilog="Example: linli edge sensors list --config edge.toml")
@_config
@_json
def list_(config: Path | None, as_json: bool) -> None:
    """List the sensors of the settings, or without settings the mappings that Linli brings."""
    rows = (
        [_mapping_row(name, load_mapping(name)) for name in built_in()]
        if config is None
        else [_sensor_row(one) for one in _known(load_settings(config))]
    )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo("  ".join(_text(value) for value in row.values()))


@sensors.command(epilog="Example: linli edge sensors check my-sensor.toml")
@click.argument("mapping", nargs=-1)
@_config
@_json
def check(mapping: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Check mapping files, by name or file, and with --config every sensor of the settings.

    Exit code 2: the first mistake, with its file, rule and value.
    """
    if not mapping and config is None:
        raise InputError("name a mapping, or --config", where="linli edge sensors check")
    for name in mapping:
        load_mapping(name)
    known = _known(load_settings(config)) if config is not None else ()
    if as_json:
        click.echo(json.dumps({"mappings": mapping, "sensors": [one.id for one in known]}))
        return
    for name in mapping:
        click.echo(f"{name}: good")
    if config is not None:
        click.echo(f"{config}: {counted(len(known), 'sensor')}, all good")


@sensors.command(epilog="Example: linli edge sensors schema > sensor-mapping.schema.json")
def schema() -> None:
    """Print the JSON Schema of a mapping file, for an editor."""
    click.echo(mapping_schema(), nl=False)


def _mapping(name: str | None, sensor: str | None, config: Path | None) -> Mapping:
    if name is not None and sensor is None:
        return load_mapping(name)
    if name is not None or sensor is None or config is None:
        raise InputError(
            "give either --mapping, or --sensor with --config", where="linli edge sensors try"
        )
    known = _known(load_settings(config))
    for one in known:
        if one.id == sensor:
            return one.mapping
    names = ", ".join(one.id for one in known) or "none"
    raise InputError(f"there is no sensor {sensor!r}", where=str(config), hint=f"There is: {names}")


def _bytes(payload: str) -> bytes:
    if payload == "-":
        return sys.stdin.buffer.read()
    if payload.lstrip().startswith(("{", "[")):
        return payload.encode()
    try:
        return Path(payload).read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})",
            where=payload,
            hint="PAYLOAD is JSON, the name of a file that holds it, or -",
        ) from None


def _show(trial: Trial) -> None:
    for one in trial.lines:
        if one.outcome != "not in it":
            click.echo(_line(one))
    absent = [one.where for one in trial.lines if one.outcome == "not in it"]
    if absent:
        click.echo(f"not in it: {', '.join(absent)}")
    if trial.ignored:
        click.echo(f"not mapped: {', '.join(trial.ignored)}")
    if trial.personal:
        click.echo(f"dropped: {counted(trial.personal, 'field')} of those that say who somebody is")
    if trial.time is not None:
        click.echo(f"time: {trial.time.isoformat()}")
    for alarm in trial.alarms:
        what = "event" if alarm.event in PASSAGES else "alarm"
        click.echo(f"{what}: {alarm.event} ({alarm.severity})")
    for fault in trial.faults:
        click.echo(f"refused: {fault.code} at {fault.where}")


def _line(one: Line) -> str:
    if one.value is None:
        return f"{one.where} = {one.raw}: {one.outcome}"
    mark = "" if one.quality == "good" else f", {one.quality}"
    return f"{one.where} = {one.raw} -> {one.quantity} {one.value:g} {one.unit}{mark}"


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "readings": [
            {
                "from": one.where,
                "raw": one.raw,
                "quantity": one.quantity,
                "value": one.value,
                "unit": one.unit,
                "quality": one.quality,
                "outcome": one.outcome,
            }
            for one in trial.lines
        ],
        "not_mapped": list(trial.ignored),
        "personal": trial.personal,
        "time": trial.time.isoformat() if trial.time else None,
        "alarms": [{"event": one.event, "severity": one.severity} for one in trial.alarms],
        "refused": [{"code": one.code, "at": one.where} for one in trial.faults],
    }


def _known(settings: EdgeSettings) -> tuple[KnownSensor, ...]:
    return known_sensors(settings.sensor_source, settings.sensor)


def _sensor_row(one: KnownSensor) -> dict[str, Any]:
    return {
        "id": one.id,
        "label": one.label,
        "kind": one.kind,
        "source": one.source,
        "address": one.address,
        "silent_after": one.limit,
        "quantities": sorted(one.terms),
        "alarms": sorted(
            alarm.event
            for rules in one.alarms.values()
            for alarm in rules
            if alarm.event not in PASSAGES
        ),
    }


def _mapping_row(name: str, mapping: Mapping) -> dict[str, Any]:
    return {
        "mapping": name,
        "kind": mapping.kind,
        "format": list(mapping.format),
        "quantities": sorted({one.quantity for one in mapping.reading}),
    }


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(one) for one in value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
