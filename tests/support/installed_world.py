"""A machine of its own to install services on: an overlay of this one, thrown away afterwards.

Run as a program inside it, this plays an installation and prints what it saw as JSON. systemd does
not run there: a player in its place starts what the units name, as the accounts they name.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
MAKE = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/all"
mount -t proc proc "$1/all/proc"
mount --rbind /dev "$1/all/dev"
"""
# A Python of the system itself, since services may read no home folder.
PREPARE = """
/usr/bin/python3 -m venv --without-pip /opt/linli
printf '%s\\n' "$2" "$3" > "$(echo /opt/linli/lib/python3*/site-packages)/here.pth"
printf '#!/opt/linli/bin/python\\nimport sys\\nfrom linli.cli.main import main\\nmain()\\n' \\
  > /opt/linli/bin/linli
chmod 755 /opt/linli/bin/linli
mkdir -p /run/systemd/system /run/player
cp "$(dirname "$1")/systemctl_player.py" /usr/bin/systemctl
chmod 755 /usr/bin/systemctl
"""
_PLAY = f'{PREPARE}exec /opt/linli/bin/python "$1" "$4"'
_LOOPBACK = "ip link set lo up\n"
PROGRAM = "/opt/linli/bin/linli"
_POSTGRES = """
set -e
pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | tail -n 1)" main start
runuser -u postgres -- psql -qc "CREATE USER linli PASSWORD 'not-secret'"
runuser -u postgres -- createdb --owner=linli --encoding=UTF8 --template=template0 linli
echo not-secret > /etc/linli-postgres
"""
_URL = "postgresql://linli@127.0.0.1:5432/linli"
CONFIG = ("--config", "/var/lib/linli/ingest.toml")
UNSHARE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--kill-child")
"""Makes a machine of its own, with `--pid`, that ends with the test, also with a killed one."""
_SPACE = [*UNSHARE, "--mount", "--net", "--pid", "--fork"]


def refused(folder: Path) -> str | None:
    """Say why no such machine can be made here, None when it can."""
    if os.geteuid() != 0:
        return "only root can make a machine of its own to install on"
    if not Path("/usr/sbin/mosquitto").exists():
        return "no mosquitto here: apt-get install mosquitto"
    system = _text(["/usr/bin/python3", "-c", "import sys; print(sys.version_info[:2])"])
    if system != str(sys.version_info[:2]):
        return f"the system's Python is {system or 'not there'}, not ours"
    made = subprocess.run(
        [*_SPACE, "bash", "-c", MAKE, "make", str(folder)], capture_output=True, check=False
    )
    return None if made.returncode == 0 else "no overlay may be mounted here"


def seen_in(folder: Path, play: str, *hosts: str) -> dict[str, Any]:
    """Play one of `_PLAYS` in a fresh one and return what was seen."""
    packages = sysconfig.get_path("purelib")
    inner = shlex.join(["bash", "-c", _PLAY, "inner", __file__, packages, str(REPOSITORY), play])
    made = subprocess.run(
        [
            *_SPACE,
            "bash",
            "-c",
            f'{MAKE}{_LOOPBACK}exec chroot "$1/all" {inner}',
            "make",
            str(folder),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOSTS": " ".join(hosts)},
    )
    assert made.returncode == 0, made.stderr[-3000:]
    seen: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return seen


def _text(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _linli(*arguments: str, program: str = PROGRAM) -> tuple[int, str]:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _modes() -> dict[str, str]:
    """Return owner and mode of every file of the installation that others could read."""
    found = {}
    for top in ("/var/lib/linli", "/var/lib/linli-broker", "/var/lib/linli-edge"):
        for path in (Path(top), *Path(top).rglob("*")):
            at = path.stat()
            found[str(path)] = f"{path.owner()} {at.st_mode & 0o777:o}"
    return found


def install() -> dict[str, Any]:
    """Install twice, with an edge, and take all away."""
    seen: dict[str, Any] = {}
    hosts = [part for one in os.environ["HOSTS"].split() for part in ("--host", one)]
    named = ("--site", "c001", "--label", "和园社区", *hosts)
    seen["nameless"] = _linli("service", "install", "server")
    seen["install"] = _linli("service", "install", "server", *named)
    settings = Path("/var/lib/linli/ingest.toml").read_bytes()
    seen["again"] = _linli("service", "install", "server", *named)
    seen["kept"] = Path("/var/lib/linli/ingest.toml").read_bytes() == settings
    seen["no-edge"] = _linli("service", "install", "edge")
    seen["edge-init"] = _linli("edge", "init", *_box(joining=bool(hosts)))
    seen["edge"] = _linli("service", "install", "edge")
    if hosts:
        seen["edge-reports"] = _reported()
    seen["modes"] = _modes()
    seen["asked"] = _linli("service", "uninstall")
    seen["uninstall"] = _linli("service", "uninstall", "--yes")
    units = sorted(one.name for one in Path("/etc/systemd/system").rglob("linli-*"))
    seen["left"] = {"units": units, "data": Path("/var/lib/linli/data/state.db").exists()}
    return seen


def _box(*, joining: bool) -> list[str]:
    """Return with what an edge on this machine is set up."""
    config = ["--config", "/var/lib/linli-edge/edge.toml"]
    if not joining:
        return ["--site", "c001", "--area", "b01", *config]
    named = ("c001-n01", "--area", "b01", "--label", "一号楼", "--json", *CONFIG)
    code = json.loads(_linli("ingest", "node", "join", *named)[1])["code"]
    server = ["--server", "http://127.0.0.1:8470", "--camera", "pattern:square"]
    return ["--join", code, *server, *config]


def _reported(seconds: float = 120) -> bool:
    """Wait until the doctor finds the edge well; tell whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = json.loads(_linli("doctor", "--json", "--all", *CONFIG)[1])["findings"]
        if any(one["code"] == "edge" and one["level"] == "ok" for one in found):
            return True
        time.sleep(1)
    return False


def upgrade_postgres() -> dict[str, Any]:
    """Upgrade a server whose data is in Debian's PostgreSQL."""
    done = subprocess.run(["bash", "-c", _POSTGRES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return upgrade("--database", _URL, "--database-password-file", "/etc/linli-postgres")


def upgrade(*database: str) -> dict[str, Any]:
    """Upgrade to a version that does not work, then to one that does; both change the tables."""
    seen: dict[str, Any] = {}
    named = ("--site", "c001", "--label", "和园")
    code, said = _linli("service", "install", "server", *named, *database)
    assert code == 0, said
    seen["same"] = _linli("upgrade")
    seen["before"] = _versions(PROGRAM)
    broken = _another("/opt/broken")
    with Path("/opt/broken-source/ingest/receive/process.py").open("a", encoding="utf-8") as code:
        code.write("\nraise RuntimeError('made to fail')\n")
    seen["broken"] = _linli("upgrade", "--patience", "20", program=broken)
    seen["back"] = _versions(PROGRAM)
    seen["back-unit"] = _execs()
    seen["aside"] = _aside(on_server=bool(database))
    seen["green-again"] = _linli("doctor", *CONFIG)
    good = _another("/opt/good")
    seen["good"] = _linli("upgrade", program=good)
    seen["after"] = _versions(good)
    seen["good-unit"] = _execs()
    seen["good-keeper"] = _execs("linli-keeper.service")
    _linli("service", "uninstall", "--yes", program=good)
    return seen


def _aside(*, on_server: bool) -> list[str]:
    """Return what a restore put aside."""
    if not on_server:
        return sorted(one.name for one in Path("/var/lib/linli/data").glob("*.replaced*"))
    query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%replaced%'"
    return _text(["runuser", "-u", "postgres", "--", "psql", "-qtAc", query, "linli"]).splitlines()


def _another(folder: str) -> str:
    """Make an installation of a version whose state and journal have one more migration each."""
    source = Path(f"{folder}-source")
    for package in ("linli", "ingest", "edge", "dashboards", "broker", "models"):
        shutil.copytree(REPOSITORY / package, source / package)
    for file in ("state", "journal"):
        versions = source / "ingest/store/migrations" / file
        newest = max(int(one.name[1:5]) for one in versions.glob("v[0-9]*.py"))
        (versions / f"v{newest + 1:04}_next.py").write_text(
            _MIGRATION.format(file=file, number=newest + 1, before=newest), encoding="utf-8"
        )
    shutil.copytree("/opt/linli", folder, symlinks=True)
    (here,) = Path(folder).glob("lib/python3*/site-packages/here.pth")
    packages = here.read_text(encoding="utf-8").splitlines()[0]
    here.write_text(f"{packages}\n{source}\n", encoding="utf-8")
    program = Path(folder, "bin/linli")
    program.write_text(program.read_text().replace("/opt/linli/", f"{folder}/"), encoding="utf-8")
    return str(program)


_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{file}_{number:04}"
down_revision = "{file}_{before:04}"


def upgrade() -> None:
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("novelty")
"""


def _versions(program: str) -> dict[str, str]:
    """Return at which version each file of the store is."""
    found = _linli(
        "ingest", "migrate", "status", "--json", *CONFIG, program=program
    )  # fmt: skip
    assert found[0] == 0, found
    return {one["file"]: one["version"] for one in json.loads(found[1])["files"]}


def _execs(unit: str = "linli-ingest.service") -> str:
    text = Path("/etc/systemd/system", unit).read_text(encoding="utf-8")
    return next(one for one in text.splitlines() if one.startswith("ExecStart="))


_PLAYS = {"install": install, "upgrade": upgrade, "upgrade-postgres": upgrade_postgres}


if __name__ == "__main__":
    played = _PLAYS[sys.argv[1]]()
    sys.stdout.write(json.dumps(played) + "\n")
