"""`linli states try`: what a lesson says of other pictures, or of a video as the edge would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from edge.geometry import Box
from edge.source.file import FileSource
from edge.states.judge import Answer, Judge
from edge.states.lesson import load
from edge.states.sheet import Tile, sheet, tile
from edge.states.watch import StateWatch
from linli.cli.models.evaluation.labelled import read_picture
from linli.cli.states.pictures import VIDEOS, CropType, expand, write_picture
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError

WHY = {
    "person": "somebody is in front",
    "dark": "too dark to tell",
    "moved": "the camera has moved",
    "strange": "like no example: something in front, or new light",
    "unsure": "two states look alike",
}


@click.command(
    name="try",
    epilog="Example: linli states try bin-3.states.json pictures --sheet seen.jpg",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--crop", type=CropType(), help="The place, when not where it was taught.")
@click.option(
    "--sheet",
    "sheet_path",
    type=click.Path(path_type=Path),
    help="Also draw what was said of each picture here, as JPEG.",
)
@click.option(
    "--fps",
    type=click.FloatRange(0.2, 30),
    default=5.0,
    show_default=True,
    help="Frames looked at per second of a video.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.5, 3600),
    default=1.0,
    show_default=True,
    help="Seconds between two looks at a video.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines on standard output.")
def attempt(
    file: Path,
    pictures: tuple[Path, ...],
    crop: Box | None,
    sheet_path: Path | None,
    fps: float,
    every: float,
    as_json: bool,
) -> None:
    """Judge PICTURES with the lesson in FILE: pictures, folders of them, or videos.

    A picture in a folder with a state's name is held against that name. A video is watched as the
    edge does: three equal looks publish a state, and a lamp may flicker.
    """
    judge = Judge(load(file)[0], crop)
    say = _say_json if as_json else _say
    files = expand(pictures)
    tiles: list[Tile] = []
    tally = {"right": 0, "wrong": 0, "unknown": 0}
    for path in files:
        if path.suffix.lower() in VIDEOS:
            for line in _watch(judge, path, fps=fps, every=every):
                say(line)
            continue
        image = read_picture(path)
        answer = judge.answer(image)
        truth = path.parent.name if path.parent.name in judge.lesson.names else None
        say(_line(path, answer, truth))
        if truth is not None:
            tally[_verdict(answer, truth)] += 1
        if sheet_path is not None:
            tiles.append(_tile(judge, image, answer, truth))
    if sum(tally.values()):
        say({"pictures": sum(tally.values()), **tally})
    if sheet_path is not None:
        if not tiles:
            raise InputError("a sheet is drawn of pictures, and there was none", where="--sheet")
        write_picture(sheet(tiles), sheet_path)


def _watch(judge: Judge, path: Path, *, fps: float, every: float) -> Iterator[dict[str, Any]]:
    watch = StateWatch(judge, every=every, dwell=0)
    with FileSource(path, fps=fps, speed="max", clock=SystemClock()) as source:
        while source.state not in {"ended", "failed"}:
            frame = source.read(1.0)
            if frame is None:
                continue
            change = watch.see(frame.image, None, frame.media)
            if change.change is not None and change.report is not None:
                said = {"file": str(path), "second": round(frame.media, 1)}
                rate = change.report.rate
                yield {
                    **said,
                    "state": change.change.state,
                    **({"rate": round(rate, 2)} if rate is not None else {}),
                }
    if watch.standing.published is None:
        yield {"file": str(path), "state": None, "why": watch.answer.why if watch.answer else None}


def _line(path: Path, answer: Answer, truth: str | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "file": str(path),
        "state": answer.state,
        "confidence": round(answer.confidence, 3),
        "why": answer.why,
    }
    return line if truth is None else {**line, "verdict": _verdict(answer, truth)}


def _verdict(answer: Answer, truth: str) -> str:
    if answer.state is None:
        return "unknown"
    return "right" if answer.state == truth else "wrong"


def _tile(judge: Judge, image: Any, answer: Answer, truth: str | None) -> Tile:
    good = None if truth is None or answer.state is None else answer.state == truth
    caption = f"{answer.state} {answer.confidence:.2f}" if answer.state else f"? {answer.why}"
    return tile(image, judge.crop, caption, good)


def _say_json(line: dict[str, Any]) -> None:
    click.echo(json.dumps(line, ensure_ascii=False))


def _say(line: dict[str, Any]) -> None:
    if "pictures" in line:
        told = ", ".join(f"{line[key]} {key}" for key in ("right", "wrong", "unknown"))
        click.echo(f"{counted(line['pictures'], 'picture')} of known state: {told}")
        return
    what = line["state"] or f"unknown: {WHY.get(line.get('why') or '', 'no look was enough')}"
    parts = [f"{line['file']}:"]
    if "second" in line:
        parts.append(f"{line['second']:.1f} s")
    parts.append(what)
    if "rate" in line:
        parts.append(f"({line['rate']} Hz)")
    if line["state"] and "confidence" in line:
        parts.append(f"({line['confidence']:.2f})")
    if line.get("verdict") == "wrong":
        parts.append("WRONG")
    click.echo(" ".join(parts))
