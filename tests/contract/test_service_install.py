"""Linli as services: units that systemd accepts, an installation that runs and is taken away."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import postgres
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.x509.oid import NameOID
from installed_world import PROGRAM, refused, seen_in

from ingest.settings import DatabaseSettings, IngestSettings, Site, load_settings
from ingest.store.files import prepare
from linli.cli.main import command as linli
from linli.cli.services import making, running
from linli.cli.services.install import _settings, of_ingest
from linli.errors import InputError
from linli.install import machine, units
from linli.install.layout import ACCOUNTS, BROKER, EDGE, INGEST, KEEPER

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="no systemd-analyze here: apt-get install systemd"
)
TEXTS = {
    INGEST.unit: units.ingest_unit(Path(sys.executable)),
    BROKER.unit: units.broker_unit(),
    EDGE.unit: units.edge_unit(Path(sys.executable)),
    KEEPER.unit: units.keeper_unit(Path(sys.executable)),
    "far-" + KEEPER.unit: units.keeper_unit(Path(sys.executable), network=True),
}
THRESHOLD = {"far-" + KEEPER.unit: "25"}  # of 100, else 20; systemd's own services have up to 90


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@needs_systemd
def test_systemd_accepts_the_units(written: Path) -> None:
    if not units.MOSQUITTO.exists():
        (written / BROKER.unit).unlink()
    done = analyze("verify", "--man=no", *(str(one) for one in written.iterdir()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("url", "closed"),
    [
        (None, True),
        ("postgresql:///linli", True),
        ("postgresql://linli@/linli?host=/run/postgresql", True),
        ("postgresql://linli@127.0.0.1/linli", False),
        ("postgresql:///linli?host=db.example", False),
    ],
    ids=["files", "socket", "socket-folder", "address", "name"],
)
def test_the_keeper_has_a_network_only_for_a_database_behind_one(
    url: str | None, *, closed: bool
) -> None:
    settings = IngestSettings(site=Site(id="c001", label="x"), database=DatabaseSettings(url=url))
    unit = of_ingest(Path(sys.executable), settings)[KEEPER]
    assert ("PrivateNetwork=yes\n" in unit) is closed
    assert "RestrictAddressFamilies=AF_UNIX AF_INET" in unit


@needs_systemd
def test_a_mistake_in_a_unit_would_be_found(written: Path) -> None:
    unit = written / INGEST.unit
    unit.write_text(TEXTS[INGEST.unit].replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in analyze("verify", "--man=no", str(unit)).stderr


@needs_systemd
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_units_are_hardened(written: Path, name: str) -> None:
    judge = ("security", "--offline=yes", f"--threshold={THRESHOLD.get(name, '20')}")
    done = analyze(*judge, str(written / name))
    assert done.returncode == 0, done.stdout[-500:]
    bare = written / name
    bare.write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    assert analyze(*judge, str(bare)).returncode != 0


def test_a_service_may_write_only_its_own_folder() -> None:
    written = ((INGEST, "linli/data"), (EDGE, "linli-edge"))
    for service, folder in written:
        text = TEXTS[service.unit]
        assert f"StateDirectory={folder}\n" in text
        assert f"User={service.account}\n" in text
        assert "ReadWritePaths" not in text
        assert f"u {service.account} " in ACCOUNTS
        assert service.settings.parent == service.folder


def in_unit(text: str, name: str) -> str:
    found = re.findall(rf"^{name}=(.+)$", text, re.MULTILINE)
    assert len(found) == 1, (name, found)
    return str(found[0])


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_memory_and_log_of_a_service_are_bounded(name: str) -> None:
    text = TEXTS[name]
    soft, hard = in_unit(text, "MemoryHigh"), in_unit(text, "MemoryMax")
    sizes = {"M": 1, "G": 1024, "%": 1}
    assert int(soft[:-1]) * sizes[soft[-1]] < int(hard[:-1]) * sizes[hard[-1]]
    own_parent = name in (INGEST.unit, EDGE.unit)
    assert ("OOMPolicy=continue\n" in text) is own_parent, "whose parent starts the one that fell"
    # The log is systemd's own journal, which bounds itself; nobody floods it.
    assert not re.search("^Standard(Output|Error)=", text, re.MULTILINE)
    assert int(in_unit(text, "LogRateLimitBurst")) <= 2000
    assert in_unit(text, "LogRateLimitIntervalSec") == "30s"


def test_the_broker_writes_no_log_file_of_its_own() -> None:
    plain = (Path(units.__file__).parents[1] / "broker/server.py").read_text("utf-8")
    assert "log_dest stderr" in plain
    assert "log_dest file" not in plain


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away: run it as root")
def test_root_follows_no_link_in_the_folder_of_an_account(tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "theirs"
    precious.write_text("root's")
    precious.chmod(0o600)
    (folder / "in").mkdir(parents=True)
    (folder / "in/mine").touch()
    (folder / "in/link").symlink_to(precious)
    (folder / "in/other-name").hardlink_to(precious)
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    (folder / "secret.new").symlink_to(precious)
    tmp_path.chmod(0o755)
    for one in tmp_path.parents:  # pytest makes its own for its user alone
        if one.name.startswith(("pytest-of-", "pytest-", "popen-")):
            one.chmod(0o755)
    machine.folder_of(folder, "nobody")
    assert (folder / "in/mine").owner() == "nobody"
    assert (precious.owner(), tmp_path.owner()) == ("root", "root")
    with pytest.raises(InputError, match="secret"):
        machine.hand(folder / "secret", "x", "nobody")
    assert precious.read_text() == "root's"
    (folder / "secret.new").unlink()
    machine.hand(folder / "secret", "x", "nobody")
    at = (folder / "secret").stat()
    assert ((folder / "secret").read_text(), at.st_mode & 0o777) == ("x", 0o600)
    assert (folder / "secret").owner() == "nobody"


def test_a_unit_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, safe = tmp_path / "a.service", []
    monkeypatch.setattr("os.fsync", lambda one: safe.append((os.fstat(one), place.exists())))
    assert machine.write(place, "[Unit]\n")
    (file, named), (folder, _) = safe
    assert (file.st_ino, file.st_size, named) == (place.stat().st_ino, 7, False)
    assert folder.st_ino == tmp_path.stat().st_ino
    assert not machine.write(place, "[Unit]\n")


def test_no_terminal_ends_what_holds_a_lock() -> None:
    tell = [sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"]
    read, write = os.pipe()
    try:
        assert machine.run(tell, keep=(read,)) == "True\n"
        assert machine.run(tell) == "False\n"
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize(("port", "said"), [(0, False), (8475, True)])
def test_an_edge_that_tells_nobody_how_it_is_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, *, said: bool
) -> None:
    box = tmp_path / "edge.toml"
    box.write_text(
        f'[node]\nid = "box"\nsite = "c001"\narea = "a"\n[status]\nport = {port}\n',
        encoding="utf-8",
    )
    patched = {
        "EDGE": replace(EDGE, folder=tmp_path, settings=box),
        "ready": lambda: Path("linli"),
        "_start": lambda _: None,
    }
    for name, what in patched.items():
        monkeypatch.setattr(f"linli.cli.services.install.{name}", what)
    for name, found in {"booted": True, "folder_of": tmp_path, "run": ""}.items():
        monkeypatch.setattr(machine, name, lambda *_, found=found, **__: found)
    monkeypatch.setattr(running, "heard_of", lambda _: True)
    done = CliRunner().invoke(linli, ["service", "install", "edge"])
    assert done.exit_code == 0, done.exception
    assert ("the ingest is heard" in done.stdout) is said


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's folder, whose files stay with whoever runs the tests."""
    (tmp_path / "secrets").mkdir()
    places = {
        "INGEST": replace(INGEST, folder=tmp_path, settings=tmp_path / "ingest.toml"),
        "BROKER": replace(BROKER, folder=tmp_path / "broker"),
        "SECRETS": tmp_path / "secrets",
        "own": lambda: None,
    }
    for name, what in places.items():
        monkeypatch.setattr(making, name, what)
    monkeypatch.setattr(machine, "hand", lambda path, text, _: path.write_text(text))
    return tmp_path


def set_up(server: Path, hosts: tuple[str, ...], *more: str) -> None:
    """Install what `install` writes for such a server, with more behind it."""
    text = _settings("c001", "x", 8470, hosts).replace(str(BROKER.folder), str(server / "broker"))
    text = text.replace('run_as = "mosquitto"', 'run_as = "root"')
    (server / "ingest.toml").write_text("\n".join((text, *more)), encoding="utf-8")
    prepare(server / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="the broker's files are given away by root alone")
@pytest.mark.parametrize("hosts", [("localhost",), ()], ids=["certificates", "passwords"])
def test_a_part_that_is_switched_on_gets_what_it_proves_itself_with(
    server: Path, hosts: tuple[str, ...]
) -> None:
    mine = (
        'cert_file = "secrets/{0}.crt"\nkey_file = "secrets/{0}.key"'
        if hosts
        else 'username = "{0}"\npassword_file = "secrets/{0}"'
    )
    kept = {"svc-ingest", "svc-watch"}
    if hosts:
        kept = {"ca.crt", "client.crt", "client.key", "svc-watch.crt", "svc-watch.key"}

    def there() -> set[str]:
        return {one.name for one in (server / "secrets").iterdir()}

    elsewhere = mine.replace("secrets/", "/etc/own/").format("svc-share")
    for more in (
        (),
        ("[share]", mine.format("svc-share")),
        ("[share]", "enabled = true", elsewhere),
    ):
        set_up(server, hosts, *more)
        list(making.make_broker(hosts))
        assert there() == kept, more
    set_up(server, hosts, "[share]", "enabled = true", mine.format("svc-share"))
    list(making.make_broker(()))  # installed again, to no other purpose
    fresh = {"svc-share.crt", "svc-share.key"} if hosts else {"svc-share"}
    assert there() == kept | fresh
    before = {one: (server / "secrets" / one).read_text() for one in there()}
    list(making.make_broker(hosts))
    assert {one: (server / "secrets" / one).read_text() for one in there()} == before
    assert not (server / "broker/clients/svc-share").exists(), "the key is at one place"
    share = load_settings(server / "ingest.toml").share
    if hosts:
        (held,) = x509.load_pem_x509_certificates(Path(share.cert_file or "").read_bytes())
        names = held.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert [one.value for one in names] == ["svc-share"]
    else:
        assert share.password() == (server / "broker/secrets/svc-share").read_text().strip()
        assert "svc-share:$7$" in (server / "broker/passwords").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="the broker's files are given away by root alone")
def test_no_certificate_is_issued_where_the_broker_takes_passwords(server: Path) -> None:
    set_up(server, ("localhost",))
    list(making.make_broker(("localhost",)))
    for one in (server / "secrets").iterdir():
        one.unlink()
    share = '[share]\nenabled = true\nusername = "svc-share"\npassword_file = "secrets/svc-share"'
    set_up(server, (), share)
    list(making.make_broker(()))
    given = {one.name for one in (server / "secrets").iterdir()}
    assert given == {"ca.crt", "svc-ingest", "svc-share", "svc-watch"}, (
        "the authority's is for everybody"
    )


def test_nobody_but_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    done = CliRunner().invoke(linli, ["service", "install", "server", "--site", "c001"])
    assert "only root may install services" in str(done.exception)


@pytest.mark.broker
@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param(("127.0.0.1", "box.estate.example"), id="edges-elsewhere"),
        pytest.param((), id="alone"),
    ],
)
def test_installed_it_runs_and_goes_away_again(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    if why := refused(tmp_path):
        pytest.skip(why)
    seen = seen_in(tmp_path, "install", *hosts)
    assert seen["nameless"][0] == 2
    assert "needs --site and --label" in seen["nameless"][1]
    code, said = seen["install"]
    assert code == 0, said
    assert "first account: admin, password " in said
    assert "all green: pages at http://127.0.0.1:8470/" in said
    assert seen["again"][0] == 0, seen["again"][1]
    assert "password" not in seen["again"][1]
    assert seen["kept"] is True
    assert seen["no-edge"][0] == 2
    assert "edge init" in seen["no-edge"][1]
    assert seen["edge-init"][0] == 0, seen["edge-init"][1]
    assert seen["edge"][0] == 0, seen["edge"][1]
    assert "the ingest is heard" in seen["edge"][1]
    assert seen.get("edge-reports", True), "an edge that joined is heard of"
    private = {path: how for path, how in seen["modes"].items() if "broker" not in path}
    roots = {path: how for path, how in private.items() if how.startswith("root ")}
    assert roots == {"/var/lib/linli": "root 750", "/var/lib/linli/ingest.toml": "root 640"}
    rest = {how.split()[0] for path, how in private.items() if path not in roots}
    assert rest == {"linli", "linli-edge"}
    folders = {"/var/lib/linli/data", "/var/lib/linli/secrets", "/var/lib/linli-edge"}
    assert {private[one].split()[1] for one in folders} == {"700"}
    secrets = [how for path, how in seen["modes"].items() if "/secrets/" in path]
    assert secrets
    assert {how.split()[1] for how in secrets} == {"600"}
    assert seen["asked"][0] == 2
    assert seen["uninstall"][0] == 0
    assert seen["left"] == {"units": [], "data": True}


@pytest.mark.broker
@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("play", "aside"),
    [
        pytest.param("upgrade", "state.db.replaced", id="files"),
        pytest.param(
            "upgrade-postgres",
            "linli_replaced_state",
            id="postgres",
            marks=pytest.mark.skipif(
                shutil.which("pg_ctlcluster") is None or postgres.missing() is not None,
                reason="no PostgreSQL here: apt-get install postgresql",
            ),
        ),
    ],
)
def test_an_upgrade_that_does_not_work_goes_back_by_itself(
    tmp_path: Path, play: str, aside: str
) -> None:
    if why := refused(tmp_path):
        pytest.skip(why)
    seen = seen_in(tmp_path, play)
    assert seen["same"][0] == 2
    assert "beside it" in seen["same"][1]
    code, said = seen["broken"]
    assert code == 2, said
    assert "not green after 20 s" in said
    assert f"back at {PROGRAM}, all green" in said
    assert seen["back"] == seen["before"]
    assert seen["aside"] == [aside]
    assert f"ExecStart={PROGRAM} " in seen["back-unit"]
    assert seen["green-again"][0] == 0, seen["green-again"][1]
    assert seen["good"][0] == 0, seen["good"][1]
    newer = {
        file: int(found[-4:]) - int(seen["before"][file][-4:])
        for file, found in seen["after"].items()
    }
    assert newer == {"journal": 1, "state": 1, "series": 0}
    assert "ExecStart=/opt/good/bin/linli " in seen["good-unit"]
    assert "ExecStart=/opt/good/bin/linli " in seen["good-keeper"]
