from __future__ import annotations

from pathlib import Path

import pytest

from ingest.settings import load_settings
from linli.errors import InputError

SITE = '[site]\nid = "s1"\nlabel = "和园"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "ingest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_paths_beside_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, SITE))
    assert settings.folder == tmp_path / "data"
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8470)
    assert settings.mqtt_password() is None


def test_a_password_file_is_found_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("long\n")
    text = SITE + '[mqtt]\nusername = "ingest"\npassword_file = "secret"\n'
    assert load_settings(write(tmp_path, text)).mqtt_password() == "long"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SITE + "[http]\nprot = 1\n", "Did you mean 'port'"),
        (SITE + "[http]\nport = 0\n", "http.port"),
        (SITE + '[http]\npath_prefix = "/x/"\n', "http.path_prefix"),
        (SITE + "[journal]\ndays = 7\n", "journal.days"),
        (SITE + '[mqtt]\npassword_file = "secret"\n', "Set mqtt.username"),
        (SITE + 'timezone = "Asia/Peking"\n', "site.timezone"),
        (SITE + 'timezone = "../etc"\n', "site.timezone"),
        ('[site]\nid = "Haus 1"\nlabel = "x"\n', "site.id"),
        ("", "site"),
        ("[site", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(write(tmp_path, text))
    assert said in str(caught.value)
    assert "ingest.toml" in str(caught.value)
