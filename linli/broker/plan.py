"""Which broker to run here, with its files written and its command line ready."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linli.broker.ports import check_port
from linli.log import get_logger
from linli.process import linli_argv
from linli.resources import resource
from linli.settings import make_folder, write_secret

log = get_logger(__name__)

_ITERATIONS = 101
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """A broker ready to start: its command, and the MQTT version its clients must speak."""

    kind: Literal["mosquitto", "embedded"]
    argv: tuple[str, ...]
    host: str
    port: int
    protocol: Literal["5", "3.1.1"]


def find_mosquitto() -> str | None:
    """Return the path of a mosquitto on this machine; LINLI_BROKER=embedded hides it."""
    if os.environ.get("LINLI_BROKER") == "embedded":
        return None
    search = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    return shutil.which("mosquitto", path=search)


def plan_broker(
    folder: Path,
    *,
    site: str,
    port: int,
    users: Mapping[str, str],
    host: str = "127.0.0.1",
    integrators: Collection[str] = (),
) -> BrokerPlan:
    """Write a broker's files into `folder` and return how to start it.

    `users` maps each identity to its password; those that are `integrators` too may ask for
    commands. The embedded broker has no rules. Raises InputError when nothing can listen there.
    """
    check_port(host, port)
    make_folder(folder)
    program = find_mosquitto()
    if program is None:
        log.warning(
            "no mosquitto on this machine: using the embedded broker, good for trying out and "
            "small single boxes"
        )
        for name, password in users.items():
            write_secret(folder / f"{name}.password", password)
        argv = linli_argv(
            "broker", "embedded", "--folder", str(folder), "--host", host, "--port", str(port)
        )
        return BrokerPlan("embedded", tuple(argv), host, port, "3.1.1")
    _write_mosquitto_files(folder, site=site, host=host, port=port, users=users)
    with (folder / "acl.conf").open("a", encoding="utf-8") as acl:
        for name in integrators:
            acl.write(f"\nuser {name}\ntopic write linli/v1/{site}/_req/{name}/+/command/+\n")
    argv = [program, "-c", str(folder / "mosquitto.conf")]
    return BrokerPlan("mosquitto", tuple(argv), host, port, "5")


def _write_mosquitto_files(
    folder: Path, *, site: str, host: str, port: int, users: Mapping[str, str]
) -> None:
    values = {"site": site, "host": host, "port": port, "folder": folder.resolve()}
    for name in ("mosquitto.conf", "acl.conf"):
        template = resource("broker", name).read_text(encoding="utf-8")
        text = "".join(
            line if line.startswith("#") else string.Template(line).substitute(values)
            for line in template.splitlines(keepends=True)
            if not line.startswith("user root") or os.geteuid() == 0
        )
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    lines = [f"{name}:{password_hash(password)}" for name, password in users.items()]
    write_secret(folder / "passwords", "\n".join(lines))


def password_hash(password: str) -> str:
    """Return mosquitto's PBKDF2-SHA512 form of a password."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return f"$7${_ITERATIONS}$" + "$".join(encoded)
