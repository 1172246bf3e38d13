"""`linli edge init`: a first edge.toml, with what each line means."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from linli.errors import InputError
from linli.settings import write_secret
from linli.topics import is_id

_DRAWN = "pattern:square"
_VIDEO = Path("/dev")
_ZONE = "Asia/Shanghai"
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as it was named, its password apart."""

    id: str
    source: str
    password: str | None = None


@click.command(
    epilog="Examples: linli edge init --site c001 --area b03 "
    "--camera 'rtsp://linli:secret@192.0.2.7/stream2' · "
    "linli edge init --join ABCD-EFGH-JKMN --server https://linli.example"
)
@click.option("--site", help="Id of the community.")
@click.option("--area", help="Id of the building or area.")
@click.option("--join", "code", help="A code from the ingest: it brings identity, place, broker.")
@click.option("--server", help="Address of the ingest to join, such as https://linli.example.")
@click.option("--plain", is_flag=True, help="Join over http: whoever listens there gets the code.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    help="Seconds to wait for certificate or password when joining.",
)
@click.option("--node", help="Id of this box; by default made of the site and its host name.")
@click.option("--camera", "cameras", multiple=True, help="Address of a camera; may be repeated.")
@click.option("--broker", default="127.0.0.1", show_default=True, help="HOST or HOST:PORT.")
@click.option("--ingest", help="Address of the ingest, such as https://linli.example.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("edge.toml"),
    show_default=True,
    help="The file to write; one that is there is left alone.",
)
def init(
    site: str | None,
    area: str | None,
    node: str | None,
    *,
    code: str | None,
    server: str | None,
    plain: bool,
    wait: float,
    cameras: tuple[str, ...],
    broker: str,
    ingest: str | None,
    config: Path,
) -> None:
    """Write the settings of a new edge, with what each line means.

    A camera's password goes into a file of its own, readable by its owner alone. Without a camera
    the first one at USB is taken; without any, a drawn scene to try things out, unless an ingest is
    to say what to watch.

    With --join the box makes its own keys, which never leave it, and is told who and where it is.
    """
    if config.exists():
        raise InputError(
            "there is one already",
            where=str(config),
            hint="Edit it, or name another file by --config",
        )
    if code is not None:
        from linli.cli.edge.join import join

        join(
            config,
            code,
            server,
            [_camera(*one) for one in enumerate(cameras, 1)],
            plain=plain,
            wait=wait,
        )
        return
    site = site or click.prompt("Id of the community, such as c001")
    area = area or click.prompt("Id of the building or area, such as b03")
    name = node or _node(site)
    for what, value in (("--site", site), ("--area", area), ("--node", name)):
        if not is_id(value):
            raise InputError(
                f"is no id: {value!r}",
                where=what,
                hint="Lower-case letters, digits and inner hyphens, at most 32",
            )
    host, _, port = broker.partition(":")
    if not host or (port and not port.isdecimal()):
        raise InputError(f"is no HOST or HOST:PORT: {broker!r}", where="--broker")
    found = [_camera(number, one) for number, one in enumerate(cameras, 1)]
    if not found and ingest is None:
        found = [Camera("cam-1", _usb() or _DRAWN)]
    text = _text(site, area, name, broker, ingest, found)
    secrets = {f"{one.id}.password": one.password for one in found if one.password is not None}
    write(config, text, secrets)
    for line in _next(config, name, found, ingest):
        click.echo(line)


def _node(site: str) -> str:
    """Return an id of this box that nobody has to think of."""
    host = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return f"{site}-{host or 'n01'}"[:_LONGEST_ID].rstrip("-")


def _usb() -> str | None:
    """Return the first camera at USB, if there is one."""
    return next((str(one) for one in sorted(_VIDEO.glob("video[0-9]*"))), None)


def _camera(number: int, address: str) -> Camera:
    """Take a password out of an address, so that it stands in no settings."""
    name = f"cam-{number}"
    head, at, host = address.rpartition("@")
    user, colon, password = head.partition("://")[2].partition(":")
    if not at or not colon or password == "{password}":  # noqa: S105 - the place for one
        return Camera(name, address)
    scheme = urlsplit(address).scheme
    return Camera(name, f"{scheme}://{user}:{{password}}@{host}", unquote(password))


def write(config: Path, text: str, secrets: dict[str, str]) -> None:
    """Write the secrets, then the file, once it is known to be good. Raises InputError."""
    from edge.settings import load_box, load_settings

    folder = config.parent
    there = [name for name in secrets if (folder / name).exists()]
    if there:
        raise InputError("is there already", where=str(folder / there[0]), hint="Move it away")
    fresh = config.with_name(f".{config.name}.new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, secret in secrets.items():
            write_secret(folder / name, secret)
        fresh.write_text(text, encoding="utf-8")
        if "[[camera]]\n" in text.replace("# [[camera]]", ""):
            load_settings(fresh)
        else:
            load_box(fresh)
        os.link(fresh, config)  # never over one that came meanwhile
    except FileExistsError:
        raise InputError("there is one already", where=str(config)) from None
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(config)) from None
    except InputError:
        for name in secrets:
            (folder / name).unlink(missing_ok=True)
        raise
    finally:
        fresh.unlink(missing_ok=True)


def _text(
    site: str, area: str, node: str, broker: str, ingest: str | None, cameras: list[Camera]
) -> str:
    host, _, port = broker.partition(":")
    parts = [
        f"""\
# The settings of one edge of Linli. What is not here has a good default;
# docs/reference/edge-settings.md of Linli has all of them, with reasons.
# Try them: linli edge check --config FILE. Read again while it runs: kill -HUP.

data = "data"  # what waits to be sent is kept in this folder, beside this file

[node]  # which box this is; ids never change, names for people are kept at the ingest
site = {quoted(site)}
area = {quoted(area)}
id = {quoted(node)}

[mqtt]  # where facts are sent
host = {quoted(host)}
port = {port or 1883}
# username = {quoted(node)}  # the broker's name for this box is its id
# password_file = "mqtt.password"  # a file that only its owner may read

[status]  # linli edge status, and /metrics for Prometheus; on this machine alone
port = 8475
""",
        _ingest(ingest),
        *(of_camera(one) for one in cameras),
    ]
    if not cameras:
        parts.append(
            "\n# What to watch comes from the ingest; a [[camera]] here goes before that.\n"
        )
    return "".join(parts)


def _ingest(url: str | None) -> str:
    if url is None:
        return """
# [ingest]  # without it pictures stay here, and this file alone says what to watch
# url = "https://linli.example"
# key_file = "node.key"
"""
    return f"""
[ingest]  # where redacted pictures go, and what to watch may come from
url = {quoted(url)}
key_file = "node.key"
"""


def of_camera(camera: Camera) -> str:
    """Return the lines of a camera, with a scenario that tells nobody."""
    drawn = "  # a drawn scene; put the address of a camera here" * (camera.source == _DRAWN)
    secret = f'password_file = "{camera.id}.password"\n' if camera.password is not None else ""
    return f"""
[[camera]]
id = "{camera.id}"
label = "{camera.id}"  # its name for people, such as 三号楼一号电梯
source = {quoted(camera.source)}{drawn}
{secret}fps = 5.0  # pictures a second that are looked at

[[camera.zone]]  # a part of its picture: x, y from the top left, 0..1
id = "all"
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]

[[camera.scenario]]  # linli edge packs lists scenarios that are ready
event = "zone-dwell"
labels = ["person"]
zone = "all"
shadow = true  # it is counted and nobody is told: take this away when you trust it
"""


def quoted(text: str) -> str:
    """Return a TOML string; JSON's are a part of them."""
    return json.dumps(text, ensure_ascii=False)


def _next(config: Path, node: str, cameras: list[Camera], ingest: str | None) -> list[str]:
    said = [f"{config}: written for edge {node}"]
    said += [f"camera {one.id}: {one.source}" for one in cameras]
    if ingest is not None:
        said.append(f"put into node.key what this prints there: linli ingest node key {node}")
    said.append(f"now: linli edge check --config {config}")
    return said
