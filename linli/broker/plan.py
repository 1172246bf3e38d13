"""Which broker to run here, with its files written and its command line ready."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linli.broker.passwords import password_hash
from linli.broker.ports import check_port
from linli.broker.rights import Rights, acl
from linli.broker.template import fill, snapshots
from linli.log import get_logger
from linli.process import linli_argv
from linli.settings import make_folder, write_secret

log = get_logger(__name__)

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
    """Return the path of a mosquitto on this machine, or the one that LINLI_MOSQUITTO names.

    LINLI_BROKER=embedded hides it.
    """
    if os.environ.get("LINLI_BROKER") == "embedded":
        return None
    named = os.environ.get("LINLI_MOSQUITTO")
    if named:
        return shutil.which(named)
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
    _write_mosquitto_files(folder, site=site, host=host, port=port, users=users, askers=integrators)
    argv = [program, "-c", str(folder / "mosquitto.conf")]
    return BrokerPlan("mosquitto", tuple(argv), host, port, "5")


def _write_mosquitto_files(
    folder: Path,
    *,
    site: str,
    host: str,
    port: int,
    users: Mapping[str, str],
    askers: Collection[str],
) -> None:
    whole = folder.resolve()
    texts = {
        "mosquitto.conf": fill(
            "mosquitto.conf",
            host=host,
            port=port,
            folder=whole,
            run_as="user root" if os.geteuid() == 0 else "",
            access=f"password_file {whole}/passwords",
            persistence=snapshots(whole),
            logging="log_dest stderr\nconnection_messages false",
            bridge="",
        ),
        "acl.conf": acl(Rights(site=site, askers=tuple(askers))),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    lines = [f"{name}:{password_hash(password)}" for name, password in users.items()]
    write_secret(folder / "passwords", "\n".join(lines))
