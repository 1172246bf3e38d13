"""`linli conform community`."""

from __future__ import annotations

from pathlib import Path

import click

from linli.cli.conform.options import hold_against, trial_options
from linli.conform.sharing import CLAUSES
from linli.conform.sharing_trial import SharingPlan, SharingTrial


@click.command(
    epilog="Example: linli conform community --patience 300 --report report.md  (exit code 3: "
    "something was not seen)"
)
@trial_options
def community(
    patience: float,
    quiet: float,
    listen: tuple[str, int],
    broker: str | None,
    file: Path | None,
    as_json: bool,
    **tls: str | None,
) -> None:
    """Try what tells a district of a community: this listens, cuts its line, and says what to do.

    People have to let something end there, twice, and judge the first a false alarm.
    """
    hold_against(
        SharingTrial(SharingPlan(patience=patience, quiet=quiet)),
        CLAUSES,
        "community",
        listen=listen,
        broker=broker,
        file=file,
        as_json=as_json,
        tls=tls,
    )
