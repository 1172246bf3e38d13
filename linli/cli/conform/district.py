"""`linli conform district`."""

from __future__ import annotations

from pathlib import Path

import click

from linli.cli.conform.options import hold_against, trial_options
from linli.conform.district import CLAUSES, PATH
from linli.conform.district_trial import DistrictPlan, DistrictTrial
from linli.errors import InputError
from linli.topics import is_id


@click.command(
    epilog="Example: linli conform district --tally 'my-district counts --json' --report report.md "
    " (exit code 3: something was not seen)"
)
@trial_options
@click.option(
    "--path", default=PATH, show_default=True, help="District and street that it subscribes to"
)
@click.option(
    "--tally", default="", help="Command that prints what it counts, as JSON: docs/conform.md"
)
def district(
    path: str,
    tally: str,
    patience: float,
    quiet: float,
    listen: tuple[str, int],
    broker: str | None,
    file: Path | None,
    as_json: bool,
    **tls: str | None,
) -> None:
    """Try who counts in a district: this plays two communities, and compares the numbers.

    What they tell is made up: try none whose numbers count. They are conform-a and conform-b.
    """
    if [is_id(one) for one in path.split("/")] != [True, True]:
        raise InputError("must be two ids, as in 330106/003", where="--path")
    plan = DistrictPlan(patience=patience, quiet=quiet, tally=bool(tally), path=path)
    hold_against(
        DistrictTrial(plan),
        CLAUSES,
        "district",
        listen=listen,
        broker=broker,
        file=file,
        as_json=as_json,
        tls=tls,
        tally=tally,
    )
