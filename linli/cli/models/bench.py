"""`linli models bench`: how long a picture takes, one model beside the other."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edge.catalog.book import open_book
from linli.cli.models.timing import Timing, load_step, machine, one_core, pictures_of, take_turns
from linli.counted import counted
from linli.errors import InputError


@click.command(
    epilog="Example: linli models bench builtin --against yolox-nano --pictures photographs"
)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--against", metavar="MODEL", help="What the others are compared with.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder of pictures  [default: one drawn picture of 768 x 432]",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How often each model has its turn.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of one inference.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def bench(
    models: tuple[str, ...],
    against: str | None,
    pictures: Path | None,
    rounds: int,
    threads: int,
    as_json: bool,
) -> None:
    """Measure MODELs, files or names, or all that are here.

    The time of a picture is the whole step: making it fit, inference, and reading the outputs. The
    models take turns on the same picture, so that whatever else the machine does slows all of them;
    ratios are the median over the turns and say more than milliseconds. The spread is from the 10th
    to the 90th of 100.
    """
    book = open_book()
    wanted = list(models) or [model.entry.name for model in book if model.here]
    if not wanted:
        raise InputError(
            "no model is on this machine", where="linli models bench", hint="linli models list"
        )
    order = list(dict.fromkeys([against, *wanted] if against else wanted))
    with one_core(threads):
        steps = {name: load_step(name, book, threads=threads) for name in order}
        timings = take_turns(steps, pictures_of(pictures), rounds, against=against)
    if as_json:
        rows = {name: timing.plain() for name, timing in timings.items()}
        head = {"machine": machine(), "threads": threads, "rounds": rounds, "against": against}
        click.echo(json.dumps({**head, "models": rows}, ensure_ascii=False))
        return
    click.echo(f"{machine()}, {counted(threads, 'thread')}, {counted(rounds, 'round')}")
    width = max(map(len, timings))
    for name, timing in timings.items():
        click.echo(f"{name.ljust(width)}  {_line(timing, against if name != against else None)}")


def _line(timing: Timing, against: str | None) -> str:
    text = f"{timing.median:8.2f} ms  ({timing.low:.2f} to {timing.high:.2f})"
    ratio = timing.ratio
    if ratio is None or against is None:
        return text
    return f"{text}  {ratio.median:.2f} x {against}  ({ratio.low:.2f} to {ratio.high:.2f})"
