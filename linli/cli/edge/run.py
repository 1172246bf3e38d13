"""`linli edge run`: watch and deliver, until stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from linli.cli.edge.options import config_option
from linli.clock import SystemClock
from linli.process import StopSignal, linli_argv, no_core_dumps


@click.command(epilog="Example: linli edge run --config edge.toml")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Say what happens as JSON lines.")
@click.option("--duration", type=click.FloatRange(min=0), help="Seconds from the first frame.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds to wait at the end until the ingest has everything.",
)
@click.option("--alone", is_flag=True, help="Without the parent that starts it again.")
def run(config: Path, as_json: bool, duration: float | None, drain: float, alone: bool) -> None:
    """Watch the cameras and deliver what they see, until stopped or all files are played.

    What to watch is in the settings, or comes from the ingest that they name; when it changes
    there, or the file does and SIGHUP says so, only what has to starts again.

    A parent process starts it again when it falls or hangs, after growing pauses. With --duration
    there is none: a run that has an end is not started again.
    """
    no_core_dumps()
    stop = StopSignal()
    stop.install()
    if alone or duration is not None:
        from linli.cli.edge.work import work

        work(config, stop, as_json=as_json, duration=duration, drain=drain)
        return
    from edge.supervise import supervise

    told = ["--config", str(config), "--drain", str(drain), *(["--json"] if as_json else [])]
    sys.exit(supervise(linli_argv("edge", "run", "--alone", *told), stop, SystemClock()))
