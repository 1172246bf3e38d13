"""`linli broker check`: what is wrong with a broker, by connecting to it and by its file."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from linli.broker.conf import LOOPBACK, parse
from linli.broker.conf_check import ENOUGH_WINDOW, LARGEST, judge
from linli.broker.files import read
from linli.broker.remark import Remark, bad, by_urgency, doubtful, exit_code, fine, unknown
from linli.counted import counted
from linli.errors import InputError
from linli.mqtt import LinkOptions
from linli.mqtt.greeting import Greeting, greet
from linli.settings import read_secret
from linli.tls import client_context

_OURS = frozenset({"svc-ingest", "svc-command"})
_MARKS = {"ok": "ok ", "unknown": "?? ", "warning": "?  ", "bad": "!! "}
_NOBODY = "linli-check"
_MORE = "Give --user and --password-file, or --cert-file and --key-file, of a user made for this"
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="Examples: linli broker check --host mqtt.estate.example --port 8883 --ca-file ca.crt "
    "· linli broker check --file /etc/mosquitto/mosquitto.conf --json"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the broker is")
@click.option("--port", type=click.IntRange(1, 65535), help="By default 8883 with --ca-file")
@click.option("--ca-file", type=_FILE, help="Speak TLS, and trust this authority")
@click.option("--user", help="Come as this user too; whoever is connected by that name is cut off")
@click.option("--password-file", type=_FILE, help="Its password")
@click.option("--cert-file", type=_FILE, help="A client certificate, instead of a password")
@click.option("--key-file", type=_FILE, help="Its key")
@click.option("--file", "conf", type=_FILE, help="Its mosquitto.conf: tells what no connection can")
@click.option("--offline", is_flag=True, help="Only look at --file")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object")
@click.pass_context
def check(
    context: click.Context,
    host: str,
    port: int | None,
    ca_file: Path | None,
    user: str | None,
    password_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
    conf: Path | None,
    timeout: float,
    *,
    offline: bool,
    as_json: bool,
) -> None:
    """Say in plain words what is wrong with a broker: any MQTT broker, not only Linli's own.

    A connection without a name shows whether anybody is let in and what is spoken; one with a user
    shows the window and the sizes; mosquitto's file shows queues, persistence, rules, TLS. What
    cannot be known is called unknown. Nothing is changed, nothing published.

    The exit code is 0 when nothing is wrong, 1 when something needs a look, 2 when something is
    bad.
    """
    if offline and conf is None:
        raise InputError("--offline leaves nothing to look at", where="--file", hint="Name it")
    if user in _OURS:
        raise InputError(
            f"coming as {user} would cut off the service itself",
            where="--user",
            hint="Name a user that nobody is connected as",
        )
    found: list[Remark] = []
    if not offline:
        at = port or (8883 if ca_file else 1883)
        secret = read_secret(password_file) if password_file is not None else None
        trust = client_context(_text(ca_file))
        own = client_context(_text(ca_file), _text(cert_file), _text(key_file))
        nobody = greet(_options(host, at, trust), timeout=timeout)
        named = None
        if user is not None or cert_file is not None:
            options = _options(host, at, own, user=user, password=secret)
            named = greet(options, timeout=timeout)
        found += _of_connection(host, nobody, named, encrypted=trust is not None)
    found += _of_file(conf)
    found = by_urgency(found)
    code = exit_code(found)
    if as_json:
        click.echo(msgspec.json.encode({"exit": code, "checks": found}))
    else:
        _say(found)
    context.exit(code)


def _options(
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    *,
    user: str | None = None,
    password: str | None = None,
) -> LinkOptions:
    return LinkOptions(
        host=host,
        port=port,
        client_id=user or _NOBODY,
        username=user,
        password=password,
        tls=tls,
    )


def _of_connection(
    host: str, nobody: Greeting, named: Greeting | None, *, encrypted: bool
) -> Iterator[Remark]:
    """Yield what came of trying. Where not even TLS came about nothing else is known."""
    seen = named if named is not None and named.unreachable is None else nobody
    if seen.unreachable is not None and not (encrypted and _wants_certificate(seen)):
        yield bad(
            "reach", f"no broker answers: {seen.unreachable}", "Look at address, port and TLS"
        )
        return
    yield from _anonymous(nobody)
    if encrypted:
        yield fine("connection-encryption", "the connection is encrypted and its name is right")
    elif host in LOOPBACK:
        yield fine("connection-encryption", "the connection does not leave this machine")
    else:
        yield bad(
            "connection-encryption",
            "it speaks without encryption: passwords and facts can be read along the way",
            "Use TLS (`linli broker ca`), then give --ca-file",
        )
    if named is not None and not named.let_in:
        said = named.refused or named.unreachable
        yield bad("user", f"the user was not let in: {said}", "Look at name, password, certificate")
    yield from _spoken(seen)
    yield from _limits(named if named is not None and named.let_in else nobody)


def _anonymous(nobody: Greeting) -> Iterator[Remark]:
    if nobody.let_in:
        yield bad(
            "connection-anonymous",
            "it lets in whoever comes, without a name",
            "mosquitto: `allow_anonymous false` and a password file or certificates",
        )
    elif nobody.unreachable is not None and not _wants_certificate(nobody):
        yield unknown(
            "connection-anonymous",
            f"whether it lets in who has no name: {nobody.unreachable}",
            "Ask again",
        )
    else:
        yield fine("connection-anonymous", "nobody is let in without a name")


def _spoken(seen: Greeting) -> Iterator[Remark]:
    if seen.protocol == "5":
        yield fine("protocol", "it speaks MQTT 5")
    elif seen.refused is not None:
        yield bad(
            "protocol",
            "it does not speak MQTT 5, which Linli's own parts need",
            "Use mosquitto 2.0 or newer",
        )
    else:
        yield unknown("protocol", "whether it speaks MQTT 5 was not heard", _MORE)


def _limits(seen: Greeting) -> Iterator[Remark]:
    if not seen.let_in:
        yield unknown(
            "connection-limits", "window, sizes and version: it tells who is let in", _MORE
        )
        return
    if seen.window is not None and seen.window < ENOUGH_WINDOW:
        yield doubtful(
            "connection-window",
            f"it takes {counted(seen.window, 'message')} at once, so the ingest waits for the "
            "network often",
            "mosquitto: `max_inflight_messages 1000`",
        )
    elif seen.window is not None:
        yield fine("connection-window", f"it takes {counted(seen.window, 'message')} at once")
    if seen.largest is not None and seen.largest < LARGEST:
        yield bad(
            "connection-size",
            f"a message may have {seen.largest} bytes, the contract's up to {LARGEST}",
            "mosquitto: `max_packet_size 65536`",
        )
    if seen.qos == 0:
        yield bad("connection-qos", "it acknowledges nothing (QoS 0)", "mosquitto: `max_qos 1`")
    if seen.retains is False:
        yield bad(
            "connection-retain",
            "it retains nothing: presence and receipts are not there for who comes later",
            "mosquitto: `retain_available true`",
        )
    if seen.version is not None:
        yield fine("version", f"it calls itself {seen.version}")
    else:
        yield unknown("version", "its version is not shown to this user", "Ask its keeper")


def _of_file(conf: Path | None) -> Iterator[Remark]:
    if conf is None:
        yield unknown(
            "file",
            "queue limits, persistence and rules: no connection shows them",
            "Give mosquitto's file by --file",
        )
        return
    text = read(conf)
    if text is None:
        raise InputError("there is no such file", where=str(conf))
    yield from judge(parse(text))


def _wants_certificate(seen: Greeting) -> bool:
    """Tell a broker that hangs up on who shows no certificate from one that is not there."""
    said = seen.unreachable or ""
    return "CERTIFICATE_REQUIRED" in said or "without a word" in said or "HANDSHAKE" in said


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _say(found: list[Remark]) -> None:
    for one in found:
        click.echo(f"{_MARKS[one.level]}{one.what}")
        if one.do and one.level != "ok":
            click.echo(f"   → {one.do}")
