"""What `deploy/compose.yaml` names, started without Docker in an overlay of this machine.

Run as a program inside it, this plays a small `docker compose up`: each service that runs Linli's
image gets its command, its account, its capabilities and its secrets as the file has them, and
must become healthy by its own check. PostgreSQL is Debian's; in InfluxDB's place answers a fake.
Container names are names of this machine there, which has a network of its own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from installed_world import UNSHARE

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
FILE = DEPLOY / "compose.yaml"
OURS = ("setup", "broker", "keeper", "ingest")
_SPACE = [*UNSHARE, "--mount", "--pid", "--fork", "--net"]
_MAKE = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/all"
mount -t proc proc "$1/all/proc"
mount --rbind /dev "$1/all/dev"
ip link set lo up
"""
_INNER = """
set -e
/usr/bin/python3 -m venv --without-pip /opt/linli
printf '%s\\n' "$2" "$3" > "$(echo /opt/linli/lib/python3*/site-packages)/here.pth"
printf '#!/opt/linli/bin/python\\nimport sys\\nfrom linli.cli.main import main\\nmain()\\n' \\
  > /opt/linli/bin/linli
chmod 755 /opt/linli/bin/linli
sed -i '/^mosquitto:/d;/^linli:/d' /etc/passwd /etc/group
echo '127.0.0.1 localhost broker ingest postgres influxdb' > /etc/hosts
exec /opt/linli/bin/python "$1"
"""


def seen_in(folder: Path) -> dict[str, Any]:
    """Start all of it in a fresh world and return what was seen."""
    packages = sysconfig.get_path("purelib")
    inner = shlex.join(["bash", "-c", _INNER, "inner", __file__, packages, str(REPOSITORY)])
    made = subprocess.run(
        [*_SPACE, "bash", "-c", f'{_MAKE}exec chroot "$1/all" {inner}', "make", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert made.returncode == 0, made.stderr[-4000:]
    seen: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return seen


class _Influx(BaseHTTPRequestHandler):
    """As InfluxDB 2's documents say: a bucket, tokens for it, lines for who has one."""

    protocol_version = "HTTP/1.1"
    operator = ""
    made: list[dict[str, Any]] = []  # noqa: RUF012 - one server, one list
    written: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        told = {"buckets": [{"id": "b1", "orgID": "o1", "name": "linli"}]}
        self._say(200 if self._may(self.operator) else 401, told)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/v2/write"):
            good = self._may("token-0")
            self.written.append("written" if good else "refused")
            self._say(204 if good else 401, None)
            return
        token = f"token-{len(self.made)}"
        self.made.append(json.loads(body))
        self._say(201 if self._may(self.operator) else 401, {"token": token})

    def _may(self, token: str) -> bool:
        return self.headers["Authorization"] == f"Token {token}"

    def _say(self, status: int, told: object) -> None:
        text = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        if told is not None:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


class _World:
    def __init__(self) -> None:
        self.services = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Make what the image has: accounts; what secrets.sh makes; what volumes and mounts are."""
        image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
        for line in re.findall(r"(?:groupadd|useradd) [^&\\]*", image):
            subprocess.run(shlex.split(line), check=True)
        Path("/etc/linli").mkdir()
        Path("/etc/linli/ingest.toml").write_bytes((DEPLOY / "ingest.toml").read_bytes())
        for one in ("/var/lib/linli", "/var/lib/linli-broker", "/var/lib/linli-grafana"):
            Path(one).mkdir()
        script = Path("/opt/deploy/secrets.sh")
        script.parent.mkdir()
        script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
        for _ in range(2):  # again: what is there stays
            subprocess.run(["sh", str(script)], check=True)
        Path("/run/secrets").unlink(missing_ok=True)
        Path("/run/secrets").symlink_to("/opt/deploy/secrets")
        for one in ("/opt/deploy", "/opt/deploy/secrets"):
            Path(one).chmod(0o755)

    def postgres(self) -> None:
        """Start Debian's server as the file wants its own: by password alone."""
        folder = Path("/var/tmp/pg")
        (programs,) = Path("/usr/lib/postgresql").glob("*/bin")
        secret = "/var/tmp/pg-password"
        Path(secret).write_bytes(Path("/run/secrets/postgres").read_bytes())
        subprocess.run(["chown", "postgres", secret], check=True)
        options = self.services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
        init = f"{programs}/initdb -D {folder} -U linli --pwfile={secret} -A trust {options}"
        start = f"{programs}/pg_ctl -w -D {folder} -l {folder}/log -o '-k /var/tmp' start"
        for one in (init, start, f"{programs}/createdb -h 127.0.0.1 -U linli linli"):
            env = {**os.environ, "PGPASSFILE": "/dev/null", "PGPASSWORD": Path(secret).read_text()}
            argv = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            subprocess.run([*argv, "sh", "-c", one], check=True, env=env, stdout=sys.stderr)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service's command as its account, with its capabilities and no more."""
        service = self.services[name]
        process = subprocess.Popen(
            [*self._account(service), *(service.get("command") or _image_command())],
            env=self._environment(service),
            cwd="/tmp",
            stdout=sys.stderr,
        )
        self.running[name] = process
        return process

    def healthy(self, name: str, seconds: float = 120) -> bool:
        """Wait until the service's own check finds it well."""
        service = self.services[name]
        test = service.get("healthcheck", {}).get("test") or ["CMD", *_image_check()]
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.running[name].poll() is None:
            argv = [*self._account(service), *test[1:]]
            done = subprocess.run(
                argv, env=self._environment(service), check=False, capture_output=True
            )
            if done.returncode == 0:
                return True
            time.sleep(0.2)
        return False

    def _account(self, service: dict[str, Any]) -> list[str]:
        user, group = service["user"].split(":")
        more = ",".join(f"+{one.lower()}" for one in service.get("cap_add", ()))
        return [
            "setpriv",
            f"--reuid={user}",
            f"--regid={group}",
            "--clear-groups",
            "--no-new-privs",
            f"--bounding-set=-all{',' * bool(more)}{more}",
        ]

    def _environment(self, service: dict[str, Any]) -> dict[str, str]:
        path = "/opt/linli/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        given = {key: str(value) for key, value in service.get("environment", {}).items()}
        given.pop("LINLI_URL", None)  # with a default that compose fills in
        return {"PATH": path, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **given}


def _image_command() -> list[str]:
    return _last("CMD")


def _image_check() -> list[str]:
    return _last("  CMD")


def _last(word: str) -> list[str]:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (line,) = [one for one in lines if one.startswith(f"{word} [")]
    argv: list[str] = json.loads(line.removeprefix(word))
    return argv


def _linli(*arguments: str) -> tuple[int, str]:
    argv = ["/opt/linli/bin/linli", *arguments, "--config", "/var/lib/linli/ingest.toml"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _eventually(true: Any, seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.5)
    return False


def _codes() -> list[str]:
    found = json.loads(_linli("doctor", "--json")[1])["findings"]
    return sorted(one["code"] for one in found if one["level"] != "ok")


def play() -> dict[str, Any]:
    """Bring all of it up, twice its setup, and ask a box in."""
    world = _World()
    world.prepare()
    _Influx.operator = Path("/run/secrets/influx").read_text(encoding="ascii").strip()
    influx = ThreadingHTTPServer(("127.0.0.1", 8086), _Influx)
    threading.Thread(target=influx.serve_forever, daemon=True).start()
    world.postgres()
    seen: dict[str, Any] = {"setup": [world.start("setup").wait(), world.start("setup").wait()]}
    for name in ("broker", "keeper", "ingest"):
        world.start(name)
    seen["healthy"] = {name: world.healthy(name) for name in ("broker", "ingest")}
    joined = _linli("ingest", "node", "join", "c001-n01", "--area", "b01", "--label", "一号楼")
    seen["join"] = joined[0]
    seen["green"] = _eventually(lambda: "chain-starting" not in _codes() and not _bad())
    seen["codes"] = _codes()
    seen["written"] = sorted(set(_Influx.written))
    seen["tokens"] = [[p["action"] for p in one["permissions"]] for one in _Influx.made]
    seen["keeper"] = world.running["keeper"].poll()
    seen["modes"] = {
        str(path): f"{path.stat().st_uid}:{path.stat().st_gid} {path.stat().st_mode & 0o777:o}"
        for top in ("/var/lib/linli", "/var/lib/linli-broker", "/var/lib/linli-grafana")
        for path in (Path(top), *Path(top).rglob("*"))
    }
    for process in world.running.values():
        process.terminate()
    seen["ended"] = {name: one.wait(60) for name, one in world.running.items()}
    return seen


def _bad() -> list[dict[str, Any]]:
    found = json.loads(_linli("doctor", "--json")[1])["findings"]
    return [one for one in found if one["level"] == "bad"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play()) + "\n")
