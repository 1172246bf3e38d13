"""What all trials are told, and what becomes of their results."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from linli.clock import SystemClock
from linli.conform import report
from linli.conform.clause import Clause, judge
from linli.conform.drive import Broker, Drive, own_broker
from linli.conform.ends import Files
from linli.conform.trial import Trial
from linli.errors import InputError
from linli.events import SCHEMA_VERSION
from linli.process import StopSignal

F = TypeVar("F", bound=Callable[..., Any])
_FORMS = {".md": report.markdown, ".html": report.page}


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Read it; port 0 is any that is free."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            self.fail(f"must be HOST:PORT, not {value!r}", param, ctx)
        return host, int(port)


def _tls_options() -> tuple[Callable[[F], F], ...]:
    """Last first, as decorators go."""
    said = (
        ("--listen-cert", "Speak TLS to what you try, and show it this certificate"),
        ("--listen-key", "Its key"),
        ("--listen-ca", "Let it in with a client certificate of this authority only"),
        ("--ca-file", "Speak TLS to the broker (mqtts), and trust this authority"),
        ("--cert-file", "Our certificate there, where --broker's user goes by one"),
        ("--key-file", "Its key"),
        ("--their-cert", "The certificate there of what you try, where it goes by one"),
        ("--their-key", "Its key"),
    )
    kind = click.Path(dir_okay=False)
    return tuple(click.option(name, type=kind, help=text) for name, text in reversed(said))


def trial_options(function: F) -> F:
    """Add what all trials are told."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document."),
        click.option(
            "--report",
            "file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the report there too: .md or .html",
        ),
        click.option(
            "--quiet-seconds",
            "quiet",
            type=click.FloatRange(0.2, 600),
            default=5.0,
            show_default=True,
            help="How long to watch for what must not happen",
        ),
        click.option(
            "--patience",
            type=click.FloatRange(1, 3600),
            default=120.0,
            show_default=True,
            help="Seconds to wait for each thing that must",
        ),
        *_tls_options(),
        click.option("--broker", help="Not an own one: mqtt[s]://user:password@host:port"),
        click.option(
            "--listen",
            type=Address(),
            default="127.0.0.1:18830",
            show_default=True,
            help="Where it is to connect to",
        ),
    ):
        function = option(function)
    return function


def stop_option(function: F) -> F:
    """Add `--stop`, for whom says goodbye."""
    said = "Ask at the end to stop it, and judge that"
    return click.option("--stop", is_flag=True, help=said)(function)


def hold_against(
    trial: Trial,
    clauses: Sequence[Clause],
    role: str,
    *,
    listen: tuple[str, int],
    broker: str | None,
    file: Path | None,
    as_json: bool,
    tls: dict[str, str | None],
    restart: str = "",
    tally: str = "",
) -> None:
    """Play a trial, print its report and exit. Raises InputError, LinkError."""
    if file is not None and file.suffix not in _FORMS:
        raise InputError(f"must end in .md or .html, not {file.name!r}", where="--report")
    files = Files(**{name.removesuffix("_file"): path for name, path in tls.items()})
    ends = files.ends()
    stop = StopSignal()
    stop.install()
    with _broker(broker) as there:
        if there.tls != (files.ca is not None):
            raise InputError("goes together with mqtts:// in --broker", where="--ca-file")
        drive = Drive(trial, there, SystemClock(), restart, ends=ends, tally=tally)
        drive.run(listen, _tell, stop.is_set)
    results = judge(clauses, trial.trace)
    about = (trial.trace.node, role, SCHEMA_VERSION, results)
    if file is not None:
        try:
            file.write_text(_FORMS[file.suffix](*about), encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", where=str(file)) from None
    click.echo(json.dumps(report.document(*about)) if as_json else report.text(*about))
    sys.exit(report.exit_code(results))


def _tell(line: str) -> None:
    click.echo(f"conform: {line}", err=True)


@contextlib.contextmanager
def _broker(url: str | None) -> Iterator[Broker]:
    if url is not None:
        yield Broker.parse(url)
        return
    with own_broker() as made:
        yield made
