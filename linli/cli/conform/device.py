"""`linli conform device`."""

from __future__ import annotations

from pathlib import Path

import click

from linli.cli.conform.options import hold_against, stop_option, trial_options
from linli.conform.device import CLAUSES
from linli.conform.device_trial import DevicePlan, DeviceTrial, Wish


@click.command(
    epilog="Example: linli conform device --listen 0.0.0.0:18830 --command door-hold@lift-1 "
    "--stop --report report.html  (exit code 3: something was not seen)"
)
@trial_options
@stop_option
@click.option("--node", default="", help="Which, by its id.  [default: the first that comes]")
@click.option("--facts", type=click.IntRange(1, 500), default=2, help="How many to wait for first")
@click.option(
    "--command", "commands", multiple=True, help="NAME@DEVICE to try, carried out for real"
)
def device(
    node: str,
    facts: int,
    commands: tuple[str, ...],
    patience: float,
    quiet: float,
    stop: bool,
    listen: tuple[str, int],
    broker: str | None,
    file: Path | None,
    as_json: bool,
    **tls: str | None,
) -> None:
    """Try a device: this plays the ingest, withholds receipts, cuts its line, refuses one fact.

    Whatever it sends meanwhile is taken and lost: try none that guards something.
    """
    plan = DevicePlan(
        node=node,
        facts=facts,
        patience=patience,
        quiet=quiet,
        commands=tuple(Wish.parse(one) for one in commands),
        stop=stop,
    )
    hold_against(
        DeviceTrial(plan),
        CLAUSES,
        "device",
        listen=listen,
        broker=broker,
        file=file,
        as_json=as_json,
        tls=tls,
    )
