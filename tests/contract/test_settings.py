"""Settings files: strict, and every refusal says where, which rule and which value."""

import os
import stat
from pathlib import Path

import pytest

from linli.errors import InputError
from linli.log import redact, redact_addresses
from linli.settings import Settings, convert, load, read_secret, write_secret
from linli.toml_lines import line_of


class Door(Settings, frozen=True, kw_only=True):
    hold: float = 30.0


class Kept(Settings, frozen=True, kw_only=True):
    key: str


class House(Settings, frozen=True, kw_only=True):
    name: str
    door: Door = Door()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read_with_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path / "a.toml", 'name = "x"'), House) == House(name="x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 3", "a.toml: name: Expected `str`, got `int`, not 3 (line 1)"),
        ("", "a.toml: Object missing required field `name`"),
        (
            'name = "x"\n[door]\nhld = 3',
            "a.toml: door: unknown setting 'hld' (line 3). Did you mean 'hold'?",
        ),
        (
            'name = "x"\npaint-job = 1',
            "unknown setting 'paint-job' (line 2). Known settings: door, hold, name",
        ),
        ("name = ", "a.toml: not valid TOML"),
    ],
)
def test_refusals_name_file_rule_and_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load(write(tmp_path / "a.toml", text), House)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


LINES = """\
name = "x"
[[camera]]
id = "a"
[[camera.zone]]
id = "z"
[[camera]]
id = "b"  # comment
"fps" = 3
[[camera.zone]]
points = [
  [0, 0],
  [1, 7],
]
[camera.mask] # of the second
a.b = 1
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("name", 1),
        ("camera[0].id", 3),
        ("camera[0].zone[0].id", 5),
        ("camera[1].fps", 8),
        ("camera[1].zone[0].points[1][1]", 10),
        ("camera[1].zone[0].label", 9),
        ("camera[1].mask.a.b", 15),
        ("camera[1]", 6),
        ("door.hold", None),
        ("", None),
        ("camera[7].", None),
    ],
)
def test_the_line_of_a_setting_is_found(place: str, line: int | None) -> None:
    assert line_of(LINES, place) == line


def test_a_value_is_said_unless_it_is_secret_or_long(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "")
    for value, said in (("long", ", not 'long'"), ("x" * 99, ""), (["x"], "")):
        with pytest.raises(InputError) as caught:
            convert({"name": "n", "door": {"hold": value}}, House, where="x", file=path)
        assert (", not" in str(caught.value)) == bool(said)
        assert said in str(caught.value)
    with pytest.raises(InputError) as caught:
        convert({"key": 3}, Kept, where="x")
    assert "3" not in str(caught.value)


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.toml", House)


def test_values_of_secrets_are_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        convert({"name": {"password": "hunter2"}}, House, where="x")
    assert "hunter2" not in str(caught.value)


def test_secret_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_secret(path, "s3cret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path) == "s3cret"
    write_secret(path, "")
    with pytest.raises(InputError, match="empty"):
        read_secret(path)


def test_a_secret_is_on_disk_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "secret", []
    real = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    write_secret(path, "first")
    assert synced == [False, True], "the file, then the folder that names it"

    def full(descriptor: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_secret(path, "second")
    assert read_secret(path) == "first"
    assert list(tmp_path.iterdir()) == [path]


IN_ADDRESSES = [
    ("rtsp://admin:pa55@10.0.0.2/1", "rtsp://admin:***@10.0.0.2/1"),
    ("at rtsp://admin:Admin@123@192.168.1.64/s now", "at rtsp://admin:***@192.168.1.64/s now"),
    ("rtsp://admin:a/b@host/1", "rtsp://admin:***@host/1"),
    ("rtsp://admin:a:b@host", "rtsp://admin:***@host"),
    ("rtsp://a@b:pa55@host", "rtsp://a@b:***@host"),
    ("rtsp://:pa55@host", "rtsp://:***@host"),
    ("rtsp://a:1@h rtsp://b:2@h", "rtsp://a:***@h rtsp://b:***@h"),
    (
        "rtsp://host:554/user=admin_password=pa55_channel=1",
        "rtsp://host:554/user=admin_password=***",
    ),
    ("http://h/?token=YWJj= more", "http://h/?token=*** more"),
    ("password = hunter2 x", "password = *** x"),
    ("rtsp://host:554/1, mail a@b", "rtsp://host:554/1, mail a@b"),
    ("rtsp://admin@host/1", "rtsp://admin@host/1"),
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *IN_ADDRESSES,
        ("Authorization: Bearer abc", "Authorization: ***"),
        ('{"password": "hunter2"}', '{"password": ***'),
    ],
)
def test_logs_hide_what_looks_secret(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *IN_ADDRESSES,
        ("x.toml: mqtt.password_file: secret cannot be read",) * 2,
    ],
)
def test_lines_about_errors_keep_their_places(text: str, shown: str) -> None:
    assert redact_addresses(text) == shown
