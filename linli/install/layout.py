"""Where everything of an installation is: each service's files are in one folder of its account."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Service:
    """One unit: its name, the account it runs as, the folder of all its files, its settings."""

    unit: str
    account: str
    folder: Path
    settings: Path


INGEST = Service(
    "linli-ingest.service", "linli", Path("/var/lib/linli"), Path("/var/lib/linli/ingest.toml")
)
DATA, SECRETS = INGEST.folder / "data", INGEST.folder / "secrets"
"""What the ingest may write. Its settings are root's: the keeper, as root, does what they say."""
RECORD = INGEST.folder / "upgrade.json"
"""There while an upgrade is in its course, under the lock `upgrade`; in a folder of root's, since
the units in it are put into place again."""
EDGE = Service(
    "linli-edge.service",
    "linli-edge",
    Path("/var/lib/linli-edge"),
    Path("/var/lib/linli-edge/edge.toml"),
)
BROKER = Service(
    "linli-broker.service",
    "mosquitto",
    Path("/var/lib/linli-broker"),
    Path("/var/lib/linli-broker/mosquitto.conf"),
)
KEEPER = Service("linli-keeper.service", "root", BROKER.folder, INGEST.settings)
"""Beside the broker, as root: it alone has the authority's key."""
UNITS = Path("/etc/systemd/system")
SYSUSERS = Path("/etc/sysusers.d/linli.conf")
ACCOUNTS = f"""\
# Accounts of Linli: written by `linli service install`, read by systemd-sysusers.
u {INGEST.account} - "Linli ingest" {INGEST.folder}
u {EDGE.account} - "Linli edge" {EDGE.folder}
m {EDGE.account} video
m {EDGE.account} audio
"""
