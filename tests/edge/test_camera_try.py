"""`linli edge camera try`: one line about a camera, and no picture or password of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from mjpeg import PASSWORD, USER, HttpCamera
from rtsp import require_rtsp, rtsp_server

from linli.broker import free_port
from linli.cli.edge.camera import camera as command
from linli.cli.edge.check import check
from linli.errors import InputError, LinkError


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    with HttpCamera() as serving:
        yield serving


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["try", "--seconds", "0.5", *arguments])


@pytest.mark.parametrize(("path", "codec"), [("stream", "mjpeg"), ("snapshot", "jpeg")])
def test_it_says_what_comes(camera: HttpCamera, path: str, codec: str) -> None:
    said = call(camera.url(f"/{path}"))
    assert said.exit_code == 0
    assert f"/{path}: 416x240, " in said.output
    assert f" fps, {codec}, first picture after " in said.output
    figures = json.loads(call(camera.url(f"/{path}"), "--json").output)
    assert (figures["kind"], figures["width"], figures["height"]) == ("http", 416, 240)
    assert 0 < figures["fps"] < 60
    assert figures["first"] >= 0


def test_a_password_comes_from_its_file_and_is_not_said(camera: HttpCamera, tmp_path: Path) -> None:
    secret = tmp_path / "camera.password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    said = call(camera.url("/digest", f"{USER}:{{password}}@"), "--password-file", str(secret))
    assert said.exit_code == 0, said.output
    typed = call(camera.url("/digest", f"{USER}:{quote(PASSWORD, safe='')}@"))
    assert typed.exit_code == 0
    for text in (said.output, typed.output):
        assert PASSWORD not in text
        assert quote(PASSWORD, safe="") not in text


@pytest.mark.parametrize(
    ("path", "error", "why"),
    [
        ("page", LinkError, "sends text/html"),
        ("wide", LinkError, "cannot be decoded"),
        ("ends", LinkError, "the connection broke"),
    ],
)
def test_it_says_why_not(camera: HttpCamera, path: str, error: type[Exception], why: str) -> None:
    said = call(camera.url(f"/{path}", "u:geheim@"))
    assert isinstance(said.exception, error)
    assert why in str(said.exception)
    assert "geheim" not in str(said.exception)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("clip.mp4", "is no camera"),
        ("pattern:square", "is no camera"),
        ("mms://u:geheim@h", "source must be"),
        ("rtsp://u:{password}@h", "password_file"),
    ],
)
def test_what_is_no_address_of_a_camera_is_refused(address: str, why: str) -> None:
    said = call(address)
    assert isinstance(said.exception, InputError)
    assert why in str(said.exception)
    assert "geheim" not in str(said.exception)


def test_a_camera_over_rtsp_says_its_codec() -> None:
    require_rtsp()
    with rtsp_server(free_port()) as address:
        said = call(address, "--json")
        assert said.exit_code == 0, said.exception
    figures = json.loads(said.output)
    assert (figures["kind"], figures["codec"], figures["width"]) == ("rtsp", "mjpg", 416)


CHECKED = """
data = "data"
[node]
site = "c001"
area = "b03"
id = "c001-n07"
[[camera]]
id = "cam-e1"
label = "x"
source = "{source}"
evidence_source = "{main}"
"""


@pytest.mark.parametrize("there", [True, False])
def test_check_looks_at_the_main_stream_too(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_rtsp()
    monkeypatch.setattr("linli.cli.edge.check.FRAME_PATIENCE", 60.0 if there else 2.0)
    config = tmp_path / "edge.toml"
    with rtsp_server(free_port()) as address:
        main = address if there else address.replace("camera", "nothing")
        config.write_text(CHECKED.format(source=address, main=main))
        said = CliRunner().invoke(check, ["--config", str(config)])
    assert ("camera cam-e1: main stream 416x240" in said.output) is there, said.output
    assert (said.exit_code == 0) is there
