from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from edge.settings import Camera, EdgeSettings, camera_named, load_settings
from linli.errors import InputError
from linli.log import redact
from linli.settings import convert

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "edge-settings.md"
HEAD = '[node]\nsite = "s1"\narea = "b1"\nid = "s1-n1"\n[model]\nfile = "m.onnx"\n'
CAMERA = '[[camera]]\nid = "cam1"\nlabel = "大门"\nsource = "clip.mp4"\n'
ZONE = '[[camera.zone]]\nid = "door"\npoints = [[0, 0], [1, 0], [1, 1]]\n'
RULE = '[[camera.scenario]]\nevent = "zone-dwell"\nlabels = ["person"]\nzone = "door"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_paths_beside_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, HEAD + CAMERA + ZONE + RULE))
    assert settings.folder == tmp_path / "data"
    assert settings.model.file == str(tmp_path / "m.onnx")
    assert (settings.mqtt_password(), settings.ingest_key()) == (None, None)
    (camera,) = settings.camera
    assert camera.source == str(tmp_path / "clip.mp4")
    assert (camera.fps, camera.speed, camera.source_kind) == (5.0, 1.0, "file")
    (rule,) = camera.scenario
    assert (rule.dwell, rule.votes, rule.of, rule.gone_after) == (2.0, 3, 5, 2.0)
    assert camera.zone_of(rule).anchor == "bottom-center"


def test_secrets_are_read_from_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("long\n")
    (tmp_path / "key").write_text("longer\n")
    extra = (
        '[mqtt]\nusername = "s1-n1"\npassword_file = "password"\n'
        '[ingest]\nurl = "http://127.0.0.1:8470"\nkey_file = "key"\n'
    )
    settings = load_settings(write(tmp_path, HEAD + extra + CAMERA))
    assert settings.mqtt_password() == "long"
    assert settings.ingest_key() == "longer"


def test_the_built_in_detector_sees_where_no_model_is_named(tmp_path: Path) -> None:
    text = HEAD[: HEAD.index("[model]")] + CAMERA
    assert load_settings(write(tmp_path, text)).model.file == "builtin"


@pytest.mark.parametrize(
    ("file", "whole"),
    [
        ("m.onnx", "{}/m.onnx"),
        ("./builtin", "{}/builtin"),
        ("models/m", "{}/models/m"),
        ("builtin", "builtin"),
        ("yolox-nano", "yolox-nano"),
    ],
)
def test_a_model_is_a_path_or_a_name_of_the_catalogue(
    tmp_path: Path, file: str, whole: str
) -> None:
    text = HEAD.replace("m.onnx", file) + CAMERA
    assert load_settings(write(tmp_path, text)).model.file == whole.format(tmp_path)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a.mp4", "file"),
        ("rtsp://h/1", "rtsp"),
        ("rtsps://h/1", "rtsp"),
        ("http://h/1", "http"),
        ("https://h/1", "http"),
        ("/dev/v4l/by-id/usb-camera-index0", "usb"),
        ("pattern:square", "pattern"),
    ],
)
def test_a_source_says_its_kind(tmp_path: Path, source: str, kind: str) -> None:
    text = HEAD + CAMERA.replace("clip.mp4", source)
    assert load_settings(write(tmp_path, text)).camera[0].source_kind == kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "camera"),
        (HEAD + CAMERA.replace("cam1", "Tür"), "camera[0].id"),
        (HEAD + CAMERA.replace("cam1", "self"), "the edge itself"),
        (HEAD + CAMERA + CAMERA, "camera id 'cam1' is there twice"),
        (HEAD + CAMERA + "fbs = 3\n", "Did you mean 'fps'"),
        (HEAD + CAMERA + "fps = 0\n", "camera[0].fps"),
        (HEAD + CAMERA + "[spool]\nmegabytes = 1\n", "spool.megabytes"),
        (HEAD + CAMERA + "[spool]\nreading_days = 31\n", "readings go before events"),
        (HEAD + CAMERA + "speed = 0.05\n", "camera[0].speed"),
        (HEAD + CAMERA + 'speed = "fast"\n', "camera[0].speed"),
        (HEAD + CAMERA.replace("clip.mp4", "rtsp://h/1") + "speed = 2\n", "cannot be played"),
        (HEAD + CAMERA + 'evidence_source = "rtsp://h/1"\n', "a file has none"),
        (
            HEAD
            + CAMERA.replace("clip.mp4", "rtsp://h/2")
            + 'evidence_source = "http://u:pw@h/1"\n',
            "must be rtsp(s)",
        ),
        (HEAD + CAMERA.replace("clip.mp4", "http://h/1") + "speed = 2\n", "cannot be played"),
        (HEAD + CAMERA.replace("clip.mp4", "/dev/video0") + "speed = 2\n", "cannot be played"),
        (HEAD + CAMERA.replace("clip.mp4", "pattern:snow"), "there is: square, empty"),
        (HEAD + CAMERA + ZONE.replace(", [1, 1]", ""), "camera[0].zone[0].points"),
        (HEAD + CAMERA + ZONE.replace("[1, 1]", "[1, 1.5]"), "camera[0].zone[0].points"),
        (HEAD + CAMERA + ZONE.replace("[1, 1]", "[0.5, 0]"), "has no area"),
        (HEAD + CAMERA + ZONE + ZONE, "zone id 'door' is there twice"),
        (HEAD + CAMERA + ZONE + RULE + RULE, "scenario 'zone-dwell in door' is there twice"),
        (HEAD + CAMERA + RULE, "it has: none"),
        (HEAD + CAMERA + ZONE + RULE + "votes = 6\n", "votes must be at most of (5), not 6"),
        (HEAD + CAMERA + "fps = 0.5\n" + ZONE + RULE, "frames (4 s at 0.5 fps), not 2"),
        (HEAD + CAMERA + ZONE + RULE + "score = 0.05\n", "camera[0].scenario[0].score"),
        (HEAD + CAMERA + ZONE + RULE + 'severity = "bad"\n', "camera[0].scenario[0].severity"),
        (HEAD + '[mqtt]\npassword_file = "p"\n' + CAMERA, "set username"),
        (HEAD + '[ingest]\nurl = "ftp://x"\nkey_file = "k"\n' + CAMERA, "ingest.url"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(write(tmp_path, text))
    assert said in str(caught.value)
    assert "edge.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(write(tmp_path, HEAD + CAMERA.replace("clip.mp4", "mms://u:geheim@h/1")))
    assert "geheim" not in str(caught.value)


def test_a_camera_password_comes_from_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "camera.password").write_text("g@heim/1:2\n")
    source = CAMERA.replace("clip.mp4", "rtsps://linli:{password}@h/1")
    (camera,) = load_settings(
        write(tmp_path, HEAD + source + 'password_file = "camera.password"\n')
    ).camera
    assert camera.address() == "rtsps://linli:g%40heim%2F1%3A2@h/1"
    assert camera.evidence_address() is None


def test_both_streams_of_a_camera_have_one_password(tmp_path: Path) -> None:
    (tmp_path / "camera.password").write_text("geheim\n")
    (tmp_path / "camera.password").chmod(0o600)
    source = CAMERA.replace("clip.mp4", "http://linli:{password}@h/2")
    main = 'evidence_source = "rtsp://linli:{password}@h/1"\npassword_file = "camera.password"\n'
    camera = load_settings(write(tmp_path, HEAD + source + main)).camera[0]
    assert camera.address() == "http://linli:geheim@h/2"
    assert camera.evidence_address() == "rtsp://linli:geheim@h/1"
    assert "heim" not in repr(camera)
    assert "heim" not in redact(camera.address())
    (tmp_path / "camera.password").unlink()
    with pytest.raises(InputError, match="secret cannot be read"):
        camera.address()


@pytest.mark.parametrize(
    ("source", "password_file"),
    [
        ("rtsp://linli:{password}@h/1", ""),
        ("rtsp://h/1", 'password_file = "p"\n'),
        ("/dev/video0", 'password_file = "p"\n'),
        ("rtsp://h/2", 'evidence_source = "rtsp://linli:{password}@h/1"\n'),
        ("rtsp://h/1?password={password}", 'password_file = "p"\n'),
        ("clip.mp4", 'password_file = "p"\n'),
    ],
)
def test_a_camera_password_needs_its_place(tmp_path: Path, source: str, password_file: str) -> None:
    text = HEAD + CAMERA.replace("clip.mp4", source) + password_file
    with pytest.raises(InputError, match="go together"):
        load_settings(write(tmp_path, text))


def test_an_unknown_camera_is_refused_with_those_there_are(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, HEAD + CAMERA))
    assert camera_named(settings, "cam1").label == "大门"
    with pytest.raises(InputError, match="There is: cam1"):
        camera_named(settings, "cam2")


def _settings_of(kind: type[msgspec.Struct]) -> set[str]:
    names: set[str] = set()
    for field in msgspec.structs.fields(kind):
        names.add(field.encode_name)
        for module, part in re.findall(r"((?:edge|linli)\.\w+)\.(\w+)", repr(field.type)):
            if module in (
                "edge.settings",
                "linli.edge_config",
                "linli.sensor_config",
                "linli.waste_config",
            ):
                names |= _settings_of(getattr(sys.modules[module], part))
    return names


def test_every_setting_is_in_the_document() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    names = _settings_of(EdgeSettings)
    assert len(names) > 25
    missing = [
        name
        for name in names
        if f"`{name}`" not in document
        and f"{name}]]" not in document
        and f"[{name}]" not in document
    ]
    assert missing == []


def test_the_example_in_the_document_is_accepted_and_shows_the_defaults() -> None:
    text = re.search(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    settings = convert(tomllib.loads(text.group(1)), EdgeSettings, where="document")
    camera = settings.camera[0]
    shown = msgspec.structs.replace(camera, subject=None, zone=(), scenario=())
    assert shown == Camera(id=camera.id, label=camera.label, source=camera.source)
    rule = camera.scenario[0]
    assert rule == type(rule)(event=rule.event, labels=rule.labels, zone=rule.zone)
