"""A first edge.toml: good as it is, with no secret in it, and never over another."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.settings import load_box, load_settings
from linli.cli.edge import init as module
from linli.cli.edge.check import check
from linli.cli.edge.init import init
from linli.errors import InputError


@pytest.fixture(autouse=True)
def _no_usb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_VIDEO", tmp_path / "dev")


def run(folder: Path, *arguments: str, answers: str | None = None) -> Result:
    config = ["--config", str(folder / "edge.toml")]
    return CliRunner().invoke(init, [*config, *arguments], input=answers)


def test_what_it_writes_runs_as_it_is(tmp_path: Path) -> None:
    said = run(tmp_path, "--site", "c001", "--area", "b03", "--node", "c001-n07")
    assert said.exit_code == 0, said.output
    settings = load_settings(tmp_path / "edge.toml")
    assert (settings.node.id, settings.mqtt.host, settings.mqtt.port) == (
        "c001-n07",
        "127.0.0.1",
        1883,
    )
    (camera,) = settings.camera
    assert camera.source == "pattern:square"
    assert camera.scenario[0].shadow, "nobody is called before somebody has looked"
    checked = CliRunner().invoke(check, ["--config", str(tmp_path / "edge.toml")])
    assert checked.exit_code == 0, checked.output


def test_passwords_go_into_files_of_their_own(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        *("--site", "c001", "--area", "b03", "--broker", "broker.lan:8883"),
        *("--camera", "rtsp://linli:p%40ss/w@rd@192.0.2.7:554/s2?x=1"),
        *("--camera", "http://192.0.2.8/mjpeg"),
    )
    assert said.exit_code == 0, said.output
    text = (tmp_path / "edge.toml").read_text()
    assert "p%40ss" not in text + said.output
    secret = tmp_path / "cam-1.password"
    assert secret.read_text() == "p@ss/w@rd\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    settings = load_settings(tmp_path / "edge.toml")
    assert settings.camera[0].source == "rtsp://linli:{password}@192.0.2.7:554/s2?x=1"
    assert settings.camera[1].password_file is None
    assert (settings.mqtt.host, settings.mqtt.port) == ("broker.lan", 8883)
    assert settings.node.id.startswith("c001-")


def test_with_an_ingest_what_to_watch_comes_from_there(tmp_path: Path) -> None:
    options = ("--site", "c001", "--area", "b03", "--ingest", "https://linli.example")
    said = run(tmp_path, *options)
    assert said.exit_code == 0, said.output
    box = load_box(tmp_path / "edge.toml")
    assert box.ingest is not None
    assert box.ingest.url == "https://linli.example"
    assert "linli ingest node key c001-" in said.output


def test_a_camera_at_usb_is_found(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("video2", "video0", "vide"):
        (tmp_path / "dev" / name).touch()
    assert module._usb() == str(tmp_path / "dev" / "video0")


def test_it_asks_for_what_nobody_can_know(tmp_path: Path) -> None:
    said = run(tmp_path, answers="c001\nb03\n")
    assert said.exit_code == 0, said.output
    assert load_box(tmp_path / "edge.toml").node.area == "b03"


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("mine")
    said = run(tmp_path, "--site", "c001", "--area", "b03")
    assert isinstance(said.exception, InputError)
    assert (tmp_path / "edge.toml").read_text() == "mine"
    (tmp_path / "edge.toml").unlink()
    (tmp_path / "cam-1.password").write_text("mine")
    said = run(tmp_path, "--site", "c001", "--area", "b03", "--camera", "rtsp://u:p@h/x")
    assert isinstance(said.exception, InputError)
    assert (tmp_path / "cam-1.password").read_text() == "mine"
    assert not (tmp_path / "edge.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--site", "C 1", "--area", "b03"), "--site"),
        (("--site", "c001", "--area", "a/b"), "--area"),
        (("--site", "c001", "--area", "b03", "--node", "#"), "--node"),
        (("--site", "c001", "--area", "b03", "--broker", "h:99999"), "port"),
        (("--site", "c001", "--area", "b03", "--broker", "h:1\nx = 1"), "--broker"),
        (("--site", "c001", "--area", "b03", "--ingest", "ftp://x"), "url"),
        (("--site", "c001", "--area", "b03", "--camera", "ftp://u:p@h/x"), "source"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    said = run(tmp_path, *arguments)
    assert isinstance(said.exception, InputError), said.output
    assert words in str(said.exception)
    assert [one.name for one in tmp_path.iterdir()] == []
