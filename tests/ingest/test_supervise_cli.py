from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn
from click.testing import CliRunner

from ingest.accounts import book
from ingest.registry import key_fits
from ingest.settings import load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of
from linli.cli.ingest import command
from linli.cli.main import command as whole
from linli.clock import SystemClock
from linli.errors import InputError


def linli(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output.strip()


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = str(tmp_path / "server" / "ingest.toml")
    linli("init", "--config", path, "--site", "c001", "--label", '和园 "东区"')
    return path


@pytest.fixture
def state(config: str):
    settings = load_settings(Path(config))
    engine = open_writer(path_of(settings.folder, "state"))
    yield engine
    engine.dispose()


def test_init_writes_settings_that_load_and_never_overwrites(config: str) -> None:
    settings = load_settings(Path(config))
    assert (settings.site.id, settings.site.label) == ("c001", '和园 "东区"')
    assert len(settings.mqtt_password() or "") > 20
    with pytest.raises(InputError, match="is there already"):
        linli("init", "--config", config, "--site", "c001", "--label", "x")


def test_a_node_gets_a_key_once_and_a_new_one_on_request(config: str, state: sa.Engine) -> None:
    place = "c001/b03/c001-n01"
    first = linli("node", "add", place, "--device", "cam-1:camera:1:1", "--config", config)
    with pytest.raises(InputError, match="already registered"):
        linli("node", "add", place, "--config", config)
    second = json.loads(linli("node", "key", "c001-n01", "--json", "--config", config))["key"]
    with writing(state) as connection:
        assert not key_fits(connection, "c001", "c001-n01", first)
        assert key_fits(connection, "c001", "c001-n01", second)
        label = connection.exec_driver_sql("SELECT label FROM device").scalar()
    assert label == "1:1"


def test_accounts_and_tokens_are_told_once(config: str, state: sa.Engine) -> None:
    password = linli("user", "add", "王经理", "--role", "duty", "--config", config)
    changed = json.loads(linli("user", "password", "王经理", "--json", "--config", config))
    assert len(password) >= 12
    assert changed["password"] != password
    token = linli("token", "add", "watch", "--scope", "see", "--config", config)
    with writing(state) as connection:
        viewer = book.token_viewer(connection, token, SystemClock().now())
    assert viewer is not None
    assert (viewer.role, viewer.scopes) == ("street", frozenset({"see"}))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("node", "add", "b03/c001-n01"), "SITE/AREA/NODE"),
        (("node", "add", "c002/b03/c001-n01"), "serves 'c001'"),
        (("node", "add", "c001/b03/c001-n01", "--device", "cam"), "ID:KIND:LABEL"),
        (("node", "add", "c001/b03/c001-n01", "--device", "self:camera:x"), "self"),
        (("node", "key", "none"), "no node 'none'"),
        (("user", "password", "nobody"), "nobody"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    config: str, state: sa.Engine, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        linli(*arguments, "--config", config)
    assert said in str(caught.value)
    linli("user", "add", "x", "--config", config)
    with writing(state) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM node").scalar() == 0


def test_the_web_side_believes_no_address_that_a_header_names(
    config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: given.update(options))
    linli("web", "--config", config)
    assert uvicorn.Config("x:y", **given).proxy_headers is False  # type: ignore[arg-type]


def exit_of(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    error = result.exception
    return (
        error.exit_code if isinstance(error, InputError) else 0
    ), f"{result.output}{error or ''}"


def test_a_list_is_looked_at_then_applied_then_written_out_again(
    config: str, tmp_path: Path
) -> None:
    file, options = tmp_path / "list.csv", ("--config", config)
    file.write_bytes(
        "类型,编号,名称,位置\n楼栋,c001/b03,3 号楼,\n边缘盒,c001-n01,盒,c001/b03\n".encode("gbk")
    )
    run = ("registry", "import", str(file), *options)
    assert exit_of(*run)[0] == 2
    seen = json.loads(linli(*run, "--preview", "--json"))
    assert (seen["created"], seen["applied"]) == (2, False)
    assert "c001-n01" not in linli("registry", "export", *options)
    said = linli(*run, "--apply", "--if-match", seen["tag"])
    assert said.splitlines()[:2] == ["read as GB18030", "+ place c001/b03"]
    assert said.endswith("2 created, 0 changed, 0 unchanged, 0 refused")
    assert exit_of(*run, "--apply", "--if-match", seen["tag"])[0] == 2
    out = tmp_path / "out.csv"
    linli("registry", "export", str(out), "--titles", "en", *options)
    assert (out.stat().st_mode & 0o777) == 0o600
    again = json.loads(linli("registry", "import", str(out), "--preview", "--json", *options))
    assert (again["unchanged"], again["changes"], again["faults"]) == (3, [], [])
    assert "和园" in out.read_text()
    ran = CliRunner().invoke(whole, ["audit", "list", "--act", "registry-exported", *options])
    assert len(ran.output.splitlines()) == 2
    key = linli("node", "key", "c001-n01", *options)
    assert len(key) > 20


def test_a_list_with_a_wrong_row_says_which_and_changes_nothing(
    config: str, tmp_path: Path
) -> None:
    file, options = tmp_path / "list.csv", ("--config", config)
    file.write_text("id,label,phone,role\nwang,王芳,call me,duty\nli,李,,duty\n")
    run = ("registry", "import", str(file), "--type", "person", "--apply", *options)
    code, said = exit_of(*run)
    assert code == 2
    assert "! row 2, phone: 4 to 25 digits" in said
    assert "1 row refused, nothing was changed" in said
    assert "call me" not in said
    assert "李" not in linli("registry", "export", *options)
    assert exit_of("registry", "import", str(tmp_path / "none.csv"), "--preview", *options)[0] == 2
    assert exit_of("registry", "export", str(tmp_path / "no" / "where"), *options)[0] == 2


def test_the_key_of_pictures_is_shown_and_made_anew(config: str) -> None:
    options = ("--config", config)
    assert linli("seal", "show", *options).startswith("none yet")
    first = linli("seal", "rotate", *options)
    found = json.loads(linli("seal", "rotate", "--json", *options))
    assert found["newest"] != first
    assert found["known"] == sorted([first, found["newest"]])
    assert linli("seal", "show", *options) == f"{found['newest']}\n{first}  older"
    ran = CliRunner().invoke(whole, ["audit", "list", "--act", "seal-key-made", *options])
    newest, oldest = ran.output.splitlines()
    assert found["newest"] in newest
    assert first in oldest


def test_what_an_edge_watches_is_set_listed_and_rolled_back(config: str, tmp_path: Path) -> None:
    options = ("--config", config)
    linli("node", "add", "c001/b03/c001-n01", *options)
    file = tmp_path / "cameras.toml"
    camera = '[[camera]]\nid = "cam"\nlabel = "门"\nsource = "pattern:empty"\nfps = {}\n'
    for fps in (1.0, 2.0):
        file.write_text('[model]\nfile = "builtin"\n' + camera.format(fps))
        run = ("config", "set", "c001-n01", str(file), "--why", f"{fps} a second", *options)
        assert linli(*run) == f"version {int(fps)} is wanted"
        assert linli(*run) == f"version {int(fps)} is wanted"
    back = ("config", "restore", "c001-n01", "1", "--why", "too fast", *options)
    assert json.loads(linli(*back, "--json"))["restores"] == 1
    listed = linli("config", "versions", "c001-n01", *options).splitlines()
    assert [line.split()[0] for line in listed] == ["3", "2", "1"]
    assert listed[0].endswith("too fast (as version 1)")
    found = json.loads(linli("config", "show", "c001-n01", "--json", *options))
    assert (found["wanted"]["version"], found["running"]) == (3, None)
    assert found["wanted"]["document"]["camera"][0]["fps"] == 1.0
    shown = linli("config", "show", "c001-n01", "--version", "2", *options)
    assert shown.startswith("# version 2 of ")
    file.write_text('[node]\nid = "x"\n')
    for wrong, words in (
        (("set", "c001-n01", str(file), "--why", "x"), "unknown setting 'node'"),
        (("set", "c001-n01", str(tmp_path / "no.json"), "--why", "x"), "cannot be read"),
        (("set", "c001-n09", str(file), "--why", "x"), "setting"),
        (("show", "c001-n09"), "no edge 'c001-n09'"),
        (("restore", "c001-n01", "9", "--why", "x"), "no version 9"),
    ):
        code, said = exit_of("config", *wrong, *options)
        assert (code, words in said) == (2, True), said
