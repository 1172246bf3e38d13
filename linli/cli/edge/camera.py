"""`linli edge camera`: help with joining a camera."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from edge.settings import Camera
from edge.source.sources import connect_of
from edge.source.trial import Trial, try_camera
from linli.clock import SystemClock
from linli.errors import InputError, LinkError
from linli.log import redact_addresses

_FASTEST = 30.0  # how often a camera that streams nothing is asked


@click.group()
def camera() -> None:
    """Help with joining a camera."""


@camera.command(
    "try",
    epilog="Example: linli edge camera try 'rtsp://linli:{password}@192.0.2.7/stream2'"
    " --password-file camera.password",
)
@click.argument("address", metavar="rtsp://…|http://…|/dev/…")
@click.option("--password-file", help="File that holds what stands for {password} in the address.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.5, max=60),
    default=3.0,
    show_default=True,
    help="How long to look.",
)
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def try_(address: str, password_file: str | None, *, seconds: float, as_json: bool) -> None:
    """Say what a camera gives: size, frames per second, codec. No picture is kept."""
    shown = redact_addresses(address)
    try:
        one = Camera(
            id="try", label="try", source=address, password_file=password_file, fps=_FASTEST
        )
    except ValueError as error:
        raise InputError(str(error), where=shown) from None
    if not one.is_live:
        raise InputError("is no camera", where=shown, hint="Play a file by linli edge replay")
    clock = SystemClock()
    try:
        trial = try_camera(connect_of(one), one.address(), clock.monotonic, seconds=seconds)
    except LinkError as error:
        raise LinkError(error.what, where=shown) from None
    click.echo(json.dumps(_json(one, trial)) if as_json else f"{shown}: {_line(trial)}")


def _line(trial: Trial) -> str:
    codec = trial.codec or "unknown codec"
    rate = f"{trial.fps:.1f} fps" if trial.fps < 10 else f"{trial.fps:.0f} fps"
    return f"{trial.width}x{trial.height}, {rate}, {codec}, first picture after {trial.first:.1f} s"


def _json(one: Camera, trial: Trial) -> dict[str, object]:
    said = asdict(trial)
    return (
        {"kind": one.source_kind}
        | said
        | {"fps": round(trial.fps, 2), "first": round(trial.first, 2)}
    )
