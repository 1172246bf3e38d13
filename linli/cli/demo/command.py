"""The command: what it takes, what it says, and when it ends."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from linli.broker import free_port, port_is_free
from linli.cli.demo.files import write_files
from linli.cli.demo.inputs import find_inputs, is_camera
from linli.cli.demo.play import play
from linli.cli.demo.summary import as_json
from linli.errors import InputError
from linli.owner import sole_owner
from linli.process import StopSignal

HOST = "127.0.0.1"
PORT = 8470


class _Speed(click.ParamType[str]):
    name = "N|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "max":
            return "max"
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0.1 <= number <= 100:
            self.fail(f"must be a number from 0.1 to 100, or max, not {value!r}", param, ctx)
        return str(number)


@click.command(
    short_help="Run everything on this machine and show the address.",
    epilog="Examples: linli demo --speed max --json · "
    "linli demo --video street.mp4 --model yolox-nano",
)
@click.option(
    "--video",
    metavar="FILE|rtsp://…|http://…|/dev/…",
    help="What the camera sees.  [default: an elevator]",
)
@click.option(
    "--model",
    metavar="FILE|NAME",
    help="ONNX detection model, or a name of: linli models list.  [default: builtin]",
)
@click.option(
    "--duration", type=click.FloatRange(min=0.1), help="End S seconds after the first frame."
)
@click.option(
    "--speed", type=_Speed(), default="1.0", show_default=True, help="Pace of a video file."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Keep the data here, and go on there."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Web port; 0 takes a free one. [{PORT}]"
)
@click.option(
    "--json",
    "as_json_",
    is_flag=True,
    help="End with the video, or after --duration; print one JSON object.",
)
def command(
    video: str | None,
    model: str | None,
    duration: float | None,
    speed: str,
    data: Path | None,
    port: int | None,
    as_json_: bool,
) -> None:
    """Run broker, ingest, dashboard and one edge on this machine; Ctrl-C ends all of it."""
    inputs = find_inputs(video, model)
    _check_camera(inputs.video, speed=speed, endless=as_json_ and duration is None)
    chosen = _choose_port(port)
    stop = StopSignal()
    stop.install()
    with _folder(data) as folder, sole_owner(folder, "demo"):
        files = write_files(folder, inputs, chosen, speed)
        until_end = as_json_ or duration is not None
        summary, well = play(
            files, stop, duration=duration, until_end=until_end, kept=data is not None
        )
    if as_json_:
        click.echo(json.dumps(as_json(summary)))
    if stop.is_set() and not as_json_:
        return
    if not (well and summary.whole):
        raise SystemExit(1)


def _check_camera(video: str, *, speed: str, endless: bool) -> None:
    if not is_camera(video):
        return
    if speed != "1.0":
        raise InputError("a camera has its own pace", where="--speed", hint="Leave it out")
    if endless:
        raise InputError("a camera never ends by itself", where="--json", hint="Pass --duration S")


def _choose_port(port: int | None) -> int:
    if port:
        if not port_is_free(HOST, port):
            raise InputError(
                f"port {port} is in use",
                where=f"{HOST}:{port}",
                hint="Choose another with --port, or --port 0 for a free one",
            )
        return port
    return PORT if port is None and port_is_free(HOST, PORT) else free_port(HOST)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="linli-demo-") as temporary:
        yield Path(temporary)
