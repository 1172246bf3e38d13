"""The broker of a community, as files: its listener, who it lets in, what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linli.broker.rights import bridge_user
from linli.broker.template import fill, snapshots
from linli.topics import district_prefix, shared_prefix

TLS_FOLDER = "tls"
TLS_FILES = ("ca.crt", "crl.pem", "server.crt", "server.key")
BRIDGE_FOLDER = f"{TLS_FOLDER}/bridge"
BRIDGE_FILES = ("ca.crt", "client.crt", "client.key")
"""As a district's `linli broker issue` writes them."""
SQLITE_PLUGIN = "/usr/lib/mosquitto_persist_sqlite.so"


@dataclass(frozen=True, slots=True)
class Bridge:
    """A district's broker, to which that of `site` passes what the community shares."""

    site: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Server:
    """A broker whose files are in `folder`; `run_as` is the account it runs as.

    `access` is how an identity proves itself. mosquitto 2.1 keeps sessions by `plugin`.
    """

    folder: Path
    host: str
    port: int
    access: Literal["certificates", "passwords"]
    tls: bool = True
    run_as: str = "mosquitto"
    version: Literal["2.0", "2.1"] = "2.0"
    plugin: str = SQLITE_PLUGIN
    bridge: Bridge | None = None


def configuration(server: Server) -> str:
    """Return its `mosquitto.conf`, the same for the same server."""
    return fill(
        "mosquitto.conf",
        host=server.host,
        port=server.port,
        folder=server.folder,
        run_as=f"user {server.run_as}",
        access="\n".join(_access(server)),
        persistence=_persistence(server),
        logging="log_type notice\nlog_dest stderr\nlog_dest topic\nconnection_messages true",
        bridge=_bridge(server.bridge, server.folder / BRIDGE_FOLDER),
    )


def _bridge(bridge: Bridge | None, proof: Path) -> str:
    if bridge is None:
        return ""
    user = bridge_user(bridge.site)
    return fill(
        "bridge.conf",
        user=user,
        host=bridge.host,
        port=bridge.port,
        proof=proof,
        here=shared_prefix(bridge.site),
        there=district_prefix(bridge.path, bridge.site),
    ).rstrip("\n")


def _access(server: Server) -> list[str]:
    tls = server.folder / TLS_FOLDER
    lines = []
    if server.version == "2.1":
        lines.append("accept_protocol_versions 5")
    if server.tls:
        lines += [
            f"cafile {tls}/ca.crt",
            f"certfile {tls}/server.crt",
            f"keyfile {tls}/server.key",
            "tls_version tlsv1.2",
        ]
    if server.access == "passwords":
        return [*lines, f"password_file {server.folder}/passwords"]
    return [
        *lines,
        f"crlfile {tls}/crl.pem",
        "require_certificate true",
        "use_identity_as_username true",
    ]


def _persistence(server: Server) -> str:
    data = server.folder / "data"
    if server.version == "2.0":
        return snapshots(data)
    return (
        f"persistence_location {data}/\nglobal_plugin {server.plugin}\n"
        "plugin_opt_sync full\nplugin_opt_flush_period 0"
    )
