"""`linli doctor --bundle`: enough to help by, and nothing that nobody else may see."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from doctor_faults import FAULTS, USER
from handed_in import arrival
from house import NOON, Folder, jpeg
from hypothesis import given
from hypothesis import strategies as st
from patient import Patient, patient_in

from ingest.evidence.retention import Keep
from ingest.evidence.shelf import FolderStore
from ingest.feed import Feed
from ingest.services.evidence import EvidenceService
from ingest.store.engine import writing
from ingest.store.registry import device, node, person, place, team
from ingest.store.state import account
from linli.cli.doctor import bundle
from linli.cli.doctor.bundle import wordless
from linli.cli.doctor.command import examine
from linli.cli.doctor.veil import HIDDEN, veiled
from linli.cli.main import command
from linli.errors import InputError
from linli.ids import uuid7

SECRET = "tell-nobody-1f9c"
RESIDENT, PHONE = "王奶奶家门口", "13800138000"
LOG = f"""10:00:01 web INFO audit 17: user:zhao-liu looked at {RESIDENT} from 192.0.2.7
10:00:02 web WARNING wecom: https://example.org/send?key={SECRET}-hook answers 404
10:00:03 receiver WARNING mqtt.password_file: Authorization: Bearer {SECRET}-token
10:00:04 web INFO mqtt://svc-ingest:{SECRET}-mqtt@192.0.2.1 said {SECRET}
10:00:05 web ERROR told 赵六 at {PHONE}; consumers go on
"""


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_helps_and_tells_no_secret(folder: Folder, tmp_path: Path) -> None:
    config, out, picture = tmp_path / "ingest.toml", tmp_path / "help.zip", jpeg((64, 48))
    shelf = FolderStore(folder.path / "evidence")
    service = EvidenceService(folder.reader("state"), folder.state, shelf, Feed(), keep=Keep())
    assert service.take(arrival(picture, uuid7(NOON)), picture, NOON)
    config.write_text(
        f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "王家大院"\n'
        f'[influx]\nurl = "http://influx.example/{SECRET}"\ntoken_file = "{SECRET}"\n'
        f"[series]\nraw_days = 17\n{folder.toml}",
        encoding="utf-8",
    )
    done = CliRunner().invoke(command, ["doctor", "--config", str(config), "--bundle", str(out)])
    assert done.exit_code == 2, "no ingest runs"
    assert out.stat().st_mode & 0o077 == 0
    parts = read(out)
    whole = b"\n".join(parts.values())
    for hidden in (SECRET.encode(), "王家".encode(), picture[:64]):
        assert hidden not in whole
    settings = json.loads(parts["settings.json"])
    assert settings["series"]["raw_days"] == 17
    assert settings["site"]["label"] == "(4 characters)"
    store = json.loads(parts["store.json"])
    assert store["state"]["rows"]["evidence"] == 1
    assert store["journal"]["version"].startswith("journal_")
    assert {one["code"] for one in json.loads(parts["doctor.json"])} >= {"ingest-down", "settings"}
    about = json.loads(parts["about.json"])
    assert about["packages"]["click"]
    assert about["cores"] > 0
    with pytest.raises(InputError, match="is there already"):
        CliRunner().invoke(
            command,
            ["doctor", "--config", str(config), "--bundle", str(out)],
            catch_exceptions=False,
        )


def _labels(patient: Patient) -> list[str]:
    """Give everything that has a label one that names somebody; return all of them."""
    tables = (place, node, device, team)
    who = {"person": "zhao-liu", "label": "赵六", "role": "guard", "phone": PHONE}
    with writing(patient.folder.state) as connection:
        connection.execute(team.insert(), {"team": "gate", "label": "x"})
        connection.execute(person.insert(), who)
        for number, table in enumerate(tables):
            named = {"label": f"{RESIDENT} {number}", "label_en": f"Granny Wang's door {number}"}
            connection.execute(table.update(), named)
        connection.execute(account.update().where(account.c.name == "wang"), {"name": "wang-wu"})
        hidden = [RESIDENT, "Granny Wang", PHONE, "zhao-liu", "wang-wu"]
        return [*hidden, "赵六", *connection.scalars(sa.select(account.c.password_hash))]


@pytest.mark.parametrize("code", ["edge-version", "edge-silent", "influx-refused", "notify-plans"])
def test_no_finding_tells_a_name_or_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    lines = tmp_path / "log"
    lines.write_text(LOG, encoding="utf-8")
    monkeypatch.setattr(bundle, "_JOURNAL", ("cat", str(lines)))
    with patient_in(tmp_path / "data") as patient:
        hidden = _labels(patient)
        (patient.folder.path / "secret").write_text(f"{SECRET}\n")
        FAULTS[code](patient)
        patient.write(label=RESIDENT, mqtt=USER)
        now = patient.folder.clock.now()
        found = list(examine(patient.config, patient.edge, now))
        out = tmp_path / "help.zip"
        bundle.write(out, patient.config, found, now)
    parts = read(out)
    whole = b"\n".join(parts.values()).decode()
    assert code in {one.code for one in found}
    told = "".join(one.what for one in found)
    assert RESIDENT in told, "there is something to hide"
    assert not [one for one in (SECRET, *hidden) if one in whole]
    assert "consumers go on" in whole, "the rest of the log is there"


@given(
    st.lists(st.text(min_size=2, max_size=8), max_size=6),
    st.lists(st.sampled_from(["a", " ", "门", "-", "(", "\\", "1"]), max_size=40),
)
def test_no_word_that_stands_by_itself_is_left(words: list[str], around: list[str]) -> None:
    text = "".join(around) + " ".join(["", *words, ""])
    left = veiled(text, words).replace(HIDDEN, " ")
    assert not [one for one in words if f" {one} " in left]
    assert veiled("aggregate", ["gate"]) == "aggregate"
    assert veiled("门岗gate门岗", ["gate"]) == f"门岗{HIDDEN}门岗"


def test_where_settings_or_store_are_broken_the_rest_is_told(tmp_path: Path) -> None:
    for number, text in enumerate(("not toml at all", '[site]\nid = "c001"\nlabel = "x"\n')):
        config, out = tmp_path / f"{number}.toml", tmp_path / f"{number}.zip"
        config.write_text(text)
        CliRunner().invoke(command, ["doctor", "--config", str(config), "--bundle", str(out)])
        parts = read(out)
        assert "doctor.json" in parts
        assert ("settings.json" in parts) is (number == 1)
    assert "error" in json.loads(parts["store.json"])


def test_no_text_of_settings_is_told() -> None:
    told = wordless({"a": ["xy", 3], "b": {"c": "z", "d": True, "e": None}})
    assert told == {
        "a": ["(2 characters)", 3],
        "b": {"c": "(1 character)", "d": True, "e": None},
    }
