"""The systemd units: hardened, since a box under a desk is looked after by nobody. Pure.

What each directive does: systemd.exec(5). `systemd-analyze security` judges the result in tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from linli.install.layout import BROKER, DATA, EDGE, INGEST, KEEPER, Service

MOSQUITTO = Path("/usr/sbin/mosquitto")

_HARDENED = """\
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
RemoveIPC=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
"""
_ALONE = "PrivateDevices=yes\nPrivateUsers=yes\nDevicePolicy=closed\n"
# Cameras and sound at USB, pins of a board: nothing else of /dev.
_DEVICES = """\
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-alsa rw
DeviceAllow=char-gpiochip rw
SupplementaryGroups=video audio
"""
_RESTART = "Restart=always\nRestartSec=5\n"
# Who repeats himself fast is cut off by journald, which bounds the whole journal.
_LOG = "LogRateLimitIntervalSec=30s\nLogRateLimitBurst=2000\n"
# Pressed from the first on, ended above the second. One process of a service that is ended for its
# memory is started again by its own parent.
_SERVER = "MemoryHigh=768M\nMemoryMax=1G\nOOMPolicy=continue\n"
_BROKER = "MemoryHigh=768M\nMemoryMax=1G\n"
_KEEPER = "MemoryHigh=192M\nMemoryMax=256M\n"
_EDGE = "MemoryHigh=75%\nMemoryMax=85%\nOOMPolicy=continue\n"  # of the machine: boxes differ


def ingest_unit(program: Path, *, with_broker: bool = True, archives: Sequence[str] = ()) -> str:
    """Return the unit of the ingest; `program` is the installed `linli`.

    It may also write into the folders `archives`, where those are there.
    """
    written = "".join(f'ReadWritePaths="-{one.replace("%", "%%")}"\n' for one in archives)
    after = f"{BROKER.unit} " if with_broker else ""
    return _unit(
        INGEST,
        "Linli ingest: receives, keeps, serves pages and API",
        f"""\
Type=notify
ExecStart={program} ingest run --config {INGEST.settings}
TimeoutStartSec=15min
{written}{_RESTART}{_SERVER}{_ALONE}""",
        after=f"network-online.target {after}time-sync.target",
        wants=f"network-online.target {after}".strip(),
        state=DATA,
    )


def broker_unit() -> str:
    """Return the unit of the community's own broker, beside any mosquitto of the system."""
    return _unit(
        BROKER,
        "Linli broker: mosquitto with Linli's rules",
        f"""\
ExecStart={MOSQUITTO} -c {BROKER.settings}
ExecReload=/bin/kill -HUP $MAINPID
ReadWritePaths={BROKER.folder}/data
MemoryDenyWriteExecute=yes
LimitNOFILE=65536
{_RESTART}{_BROKER}{_ALONE}""",
        after="network-online.target",
        wants="network-online.target",
    )


def keeper_unit(program: Path, *, network: bool = False) -> str:
    """Return the unit that signs, revokes and renders; root, so that it can give files away.

    `network` is for a database that is reached by it: the keeper needs no other way out.
    """
    alone = "" if network else "PrivateNetwork=yes\n"
    return _unit(
        KEEPER,
        "Linli keeper: signs and revokes beside the broker",
        f"""\
ExecStart={program} broker keep --config {INGEST.settings} --reload 'systemctl reload {BROKER.unit}'
ReadWritePaths={BROKER.folder} {DATA}
{_RESTART}{_KEEPER}PrivateDevices=yes
DevicePolicy=closed
{alone}CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER
SystemCallFilter=@chown
""",
        after=f"{INGEST.unit} {BROKER.unit}",
        wants=BROKER.unit,
    )


def edge_unit(program: Path) -> str:
    """Return the unit of an edge: it may reach cameras, sound and pins, and starts by itself."""
    return _unit(
        EDGE,
        "Linli edge: watches cameras and sensors",
        f"""\
Type=notify
ExecStart={program} edge run --config {EDGE.settings}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60
MemorySwapMax=0
{_RESTART}{_EDGE}{_DEVICES}""",
        after=f"network-online.target time-sync.target {BROKER.unit}",
        wants="network-online.target",
        state=EDGE.folder,
    )


def _unit(
    service: Service, what: str, how: str, *, after: str, wants: str, state: Path | None = None
) -> str:
    # systemd makes the folder where it is not there, and lets the service write nowhere else.
    kept = ""
    if state is not None:
        kept = f"StateDirectory={state.relative_to('/var/lib')}\nStateDirectoryMode=0700\n"
    return f"""\
# Written by `linli service install`, which writes it again: your changes belong into
# {service.unit}.d/override.conf (`systemctl edit {service.unit}`).
[Unit]
Description={what}
After={after}
Wants={wants}
StartLimitIntervalSec=0

[Service]
User={service.account}
Group={service.account}
{kept}{_HARDENED}{_LOG}{how}
[Install]
WantedBy=multi-user.target
"""
