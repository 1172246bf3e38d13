"""`linli conform consumer`."""

from __future__ import annotations

from pathlib import Path

import click

from linli.cli.conform.options import hold_against, stop_option, trial_options
from linli.conform.consumer import CLAUSES
from linli.conform.consumer_trial import ConsumerPlan, ConsumerTrial


@click.command(
    epilog="Example: linli conform consumer --restart 'systemctl restart my-consumer' --stop "
    "--report report.md  (exit code 3: something was not seen)"
)
@trial_options
@stop_option
@click.option(
    "--restart", default="", help="Command that kills and starts it: receipts must outlive that"
)
def consumer(
    restart: str,
    patience: float,
    quiet: float,
    stop: bool,
    listen: tuple[str, int],
    broker: str | None,
    file: Path | None,
    as_json: bool,
    **tls: str | None,
) -> None:
    """Try a consumer: this plays a node, in order, out of order, twice, and with bad messages.

    What it takes in is made up: try none whose data count. Its node is conform-node, area conform.
    """
    plan = ConsumerPlan(patience=patience, quiet=quiet, restart=bool(restart), stop=stop)
    hold_against(
        ConsumerTrial(plan),
        CLAUSES,
        "consumer",
        listen=listen,
        broker=broker,
        file=file,
        as_json=as_json,
        tls=tls,
        restart=restart,
    )
