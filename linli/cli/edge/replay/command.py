"""`linli edge replay FILE`: see what a configuration makes of a recording, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import cv2

from edge.replay.draw import drawn
from edge.replay.draw import told as with_words
from edge.replay.film import Film
from edge.replay.play import Moment, Player
from edge.replay.strip import Album, strip
from linli.cli.edge.replay.report import document, told
from linli.cli.edge.replay.setup import (
    WHOLE,
    Points,
    Setup,
    as_recorded,
    began,
    length,
    of_config,
    of_packs,
)
from linli.counted import counted
from linli.errors import InputError


class PointsType(click.ParamType[Points]):
    """Points of a zone, `x,y x,y x,y`, in 0..1."""

    name = "X,Y X,Y X,Y"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Points:
        """Return the points, or fail with how they are written."""
        if isinstance(value, tuple):
            return value
        try:
            points = tuple(
                (float(x), float(y)) for x, y in (one.split(",") for one in value.split())
            )
        except ValueError:
            self.fail(f"{value!r} is not like '0.1,0.2 0.9,0.2 0.9,1'", param, ctx)
        return points


_EXAMPLES = """\b
Examples:
  linli edge replay lift.mp4 --pack ebike-in-elevator --strip lift.png
  linli edge replay yard.mp4 --config edge.toml --camera cam-yard --video yard-seen.mp4
  linli edge replay night/ --pack closed-zone-entry --every 2 --start 2026-03-01T23:00 --json
"""


@click.command(epilog=_EXAMPLES)
@click.argument("recording", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), help="Settings, such as edge.toml.")
@click.option("--camera", help="Which of its cameras; needed when there are several.")
@click.option("--pack", "packs", multiple=True, help="A scenario of Linli's, instead of --config.")
@click.option("--zone", type=PointsType(), default=WHOLE, help="Where, with --pack: all of it.")
@click.option("--model", help="A model of the catalogue or a file, instead of the set one.")
@click.option("--fps", type=click.FloatRange(0.2, 30), help="Frames analysed per second.")
@click.option("--every", type=click.FloatRange(0.02, 5), help="Seconds from picture to picture.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="When it was recorded, by the clock on the wall there; else by the file's own time.",
)
@click.option("--strip", "sheet", type=click.Path(path_type=Path), help="Draw it, as PNG.")
@click.option("--video", type=click.Path(path_type=Path), help="Draw every frame, as .mp4.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def replay(
    recording: Path,
    config: Path | None,
    camera: str | None,
    packs: tuple[str, ...],
    zone: Points,
    model: str | None,
    fps: float | None,
    every: float | None,
    start: datetime | None,
    sheet: Path | None,
    video: Path | None,
    as_json: bool,
) -> None:
    """Play FILE, a video or a folder of pictures, and say why it does or does not alarm.

    Nothing is sent. Heads of people are unrecognisable in whatever is drawn.
    """
    setup = _setup(config, camera, packs, zone, model)
    setup = as_recorded(setup, recording, fps, every)
    seconds = length(recording, every, setup.camera.fps)
    local = ZoneInfo(setup.timezone)
    when = start.replace(tzinfo=local) if start is not None else began(recording, seconds)
    player, detector = setup.player(recording, every, when)
    album = Album() if sheet is not None else None
    with ExitStack() as stack:
        film = stack.enter_context(Film(video, setup.camera.fps)) if video is not None else None
        for moment in _progress(player, seconds):
            _show(moment, setup, album, film)
    played = player.played
    if sheet is not None and album is not None:
        title = f"{recording.name}  {played.seconds:.1f} s, {counted(played.frames, 'frame')}"
        _write(sheet, strip(played, album, f"{title}, {detector.model.name}"))
    if as_json:
        said = document(played, detector.model.name, str(recording))
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    began_at = f"{when.astimezone(local):%Y-%m-%d %H:%M:%S} {setup.timezone}"
    click.echo(
        f"{recording}: {played.seconds:.1f} s, {counted(played.frames, 'frame')}, from {began_at}, "
        f"model {detector.model.name}"
    )
    for line in told(played):
        click.echo(line)


def _setup(
    config: Path | None, camera: str | None, packs: tuple[str, ...], zone: Points, model: str | None
) -> Setup:
    if (config is None) == (not packs):
        raise click.UsageError("give --config or --pack, one of them")
    if config is not None:
        if zone != WHOLE:
            raise click.UsageError("--zone goes with --pack; a configuration has its own")
        return of_config(config, camera, model)
    if camera is not None:
        raise click.UsageError("--camera goes with --config")
    return of_packs(packs, zone, model)


def _progress(player: Player, seconds: float | None) -> Iterator[Moment]:
    """Play, with a line on standard error for who watches it."""
    moments = player.moments()
    if not sys.stderr.isatty():
        yield from moments
        return
    with click.progressbar(
        length=round((seconds or 0) * 10), label="plays", file=sys.stderr
    ) as bar:
        done = 0
        for moment in moments:
            yield moment
            at = round(moment.frame.media * 10)
            bar.update(at - done)
            done = at


def _show(moment: Moment, setup: Setup, album: Album | None, film: Film | None) -> None:
    wanted = album is not None and album.wants(news=moment.news)
    if film is None and not wanted:
        return
    picture = drawn(moment, setup.camera)
    if film is not None:
        film.add(with_words(picture, moment))
    if album is not None and wanted:
        album.keep(moment.frame.media, picture, news=moment.news)


def _write(path: Path, picture: Any) -> None:
    good, data = cv2.imencode(".png", picture)
    if not good or path.suffix.lower() != ".png":
        raise InputError("a strip is written as .png", where=str(path))
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(error.strerror or "cannot be written", where=str(path)) from None
