"""Rosters from offices: any usual encoding, either language, Excel's dates, and whatever is bad."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import Folder, running, sign_in
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.duty.roster import Dated, Roster
from ingest.duty.sheet import MOST_FAULTS, Names, clock_of, date_of, hours_of, merged, read
from linli.cli.main import command
from linli.errors import InputError

PEOPLE = {
    "wang": ("王芳", "Wang Fang"),
    "li": ("李雷",),
    "li-2": ("李伟", "Li Wei"),
    "li-3": ("李伟",),
    "zhao": ("赵六",),
    "zhao-2": ("赵六",),
}
NAMES = Names(PEOPLE, team=["wang", "li", "zhao"])
ZH = "日期,开始,结束,姓名\n2026-03-02,8:00,20:00,王芳\n2026-03-02,20:00,8:00,李雷\n"
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def of(text: str, encoding: str = "utf-8"):
    return read(text.encode(encoding), NAMES)


def people(text: str) -> tuple[str, ...]:
    found = of(f"date,from,to,names\n2026-03-02,8:00,20:00,{text}\n")
    assert not found.faults, found.faults
    ((one,),) = found.days.values()
    return one.people


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "，"])
def test_a_file_as_an_office_saves_it(encoding: str, delimiter: str) -> None:
    found = of(ZH.replace(",", delimiter).replace("\n", "\r\n"), encoding)
    assert not found.faults
    assert found.days == {
        MONDAY: (
            Dated(day=MONDAY, begin="08:00", end="20:00", people=("wang",)),
            Dated(day=MONDAY, begin="20:00", end="08:00", people=("li",)),
        )
    }


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-03-02", "2026/3/2", "2026.3.2", "2026年3月2日", "20260302", "46083", "46083.0"),
        *("２０２６－０３－０２", "2026/3/2 0:00", "2026-03-02 00:00:00", "2026-03-02(周一)"),
        *("2026/3/2 星期一", " 2026-3-2 "),
    ],
)
def test_dates_as_people_and_excel_write_them(cell: str) -> None:
    found = of(f"date\thours\tnames\n{cell}\t8:00-20:00\tli\n")
    assert list(found.days) == [MONDAY], found.faults


@pytest.mark.parametrize(
    ("cell", "clock"),
    [
        *(("8:00", "08:00"), ("08:00:00", "08:00"), ("8点", "08:00"), ("8时30分", "08:30")),
        *(("24:00", "00:00"), ("0.333333333", "08:00"), ("次日8:00", "08:00"), ("8", "08:00")),
    ],
)
def test_times_as_people_and_excel_write_them(cell: str, clock: str) -> None:
    assert clock_of(cell) == clock


@pytest.mark.parametrize("cell", ["8:00-20:00", "8:00~20:00", "08:00 至 20:00", "8点到20点"])
def test_hours_in_one_cell(cell: str) -> None:
    assert hours_of(cell) == ("08:00", "20:00")


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        *(("王芳", ("wang",)), ("wang", ("wang",)), ("Wang Fang", ("wang",))),
        *(
            ("王芳、李雷", ("wang", "li")),
            ("王芳 李雷", ("wang", "li")),
            ('"王芳\n李雷"', ("wang", "li")),
        ),
        *(("王芳/王芳", ("wang",)), ("赵六", ("zhao",))),  # of two of a name, the team's own
    ],
)
def test_who_is_meant(cell: str, meant: tuple[str, ...]) -> None:
    assert people(cell) == meant


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ("3/2/2026,8:00,20:00,li", "date", "year first"),
        ("3月2日,8:00,20:00,li", "date", "year first"),
        ("2026-02-30,8:00,20:00,li", "date", "no day of the calendar"),
        ("99999999,8:00,20:00,li", "date", "year first"),
        (",8:00,20:00,li", "date", "is needed"),
        ("2026-03-02,25:00,20:00,li", "from", "no time of day"),
        ("2026-03-02,8:60,20:00,li", "from", "no time of day"),
        ("2026-03-02,8:00,late,li", "to", "no time of day"),
        ("2026-03-02,8:00,20:00,", "names", "names nobody"),
        ("2026-03-02,8:00,20:00,吴九", "names", "nobody in the registry"),
        ("2026-03-02,8:00,20:00,李伟", "names", "li-2 or li-3"),
        ("=TODAY(),8:00,20:00,li", "date", "formula"),
        ("2026-03-02,+A1,20:00,li", "from", "formula"),
        ("2026-03-02,8:00,20:00,=HYPERLINK(x)", "names", "formula"),
        ("2026-03-02,8:00,20:00,@SUM(A1)", "names", "formula"),
    ],
)
def test_a_bad_cell_is_named_with_its_row(row: str, column: str, rule: str) -> None:
    found = of(f"日期,从,from,to,names\n{row.replace(',', ',,', 1)}\n")
    (fault,) = found.faults
    assert (fault.row, fault.column) == (2, column)
    assert rule in fault.rule
    assert not found.days


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no column"),
        (b"\x00\x01\x02", "no text"),
        (b"PK\x03\x04" + bytes(200), "no text"),
        ("日期,姓名\n".encode(), "'from' (开始) and 'to' (结束)"),
        ("日期,日期,开始,结束,姓名\n".encode(), "two columns"),
        (b'date,from,to,names\n2026-03-02,8:00,20:00,"li\n', "not CSV"),
        (b"x" * (2 * 1024 * 1024 + 1), "more than"),
    ],
)
def test_a_file_that_is_none_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(").replace(")", r"\)")):
        read(data, NAMES)


def test_a_hundred_thousand_rows_are_refused_at_once() -> None:
    text = "d,from,to,names\n".replace("d,", "date,") + "46083,8,9,li\n" * 100_000
    started = time.monotonic()
    with pytest.raises(InputError, match="20000 rows"):
        of(text)
    assert time.monotonic() - started < 10


def test_faults_are_bounded() -> None:
    found = of("date,from,to,names\n" + "x,8,9,li\n" * (MOST_FAULTS + 50))
    assert len(found.faults) == MOST_FAULTS


def test_days_that_the_file_does_not_name_stay() -> None:
    old = Dated(day=TUESDAY, begin="08:00", end="20:00", people=("wang",))
    gone = Dated(day=MONDAY, begin="08:00", end="20:00", people=("zhao",))
    roster = merged(Roster(team="gate", dated=(old, gone)), of(ZH).days)
    assert [(one.day, one.people) for one in roster.dated] == [
        (MONDAY, ("wang",)),
        (MONDAY, ("li",)),
        (TUESDAY, ("wang",)),
    ]
    assert merged(roster, of(ZH).days) == roster


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=300))
def test_whatever_a_file_holds_the_answer_is_an_answer(data: bytes, text: str) -> None:
    for one in (data, b"date,from,to,names\n" + data, f"日期,时间,姓名\n{text}".encode()):
        try:
            read(one, NAMES)
        except InputError:
            continue


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789:.-/年月日 周一（）", max_size=20))
def test_whatever_a_cell_holds_the_answer_is_an_answer(text: str) -> None:
    for one in (date_of, clock_of, hours_of):
        try:
            one(text)
        except ValueError:
            continue


# --- over REST and on the command line --------------------------------------------------------

NIGHT = "/api/v1/duty/rosters/night"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def furnish(client: TestClient) -> dict[str, str]:
    boss = sign_in(client, "boss")
    for path, values in (
        ("teams/night", {"label": "夜班"}),
        ("people/wang", {"label": "王芳", "role": "duty", "team": "night"}),
        ("people/li", {"label": "李雷", "role": "duty", "team": "night"}),
    ):
        made = client.put(f"/api/v1/registry/{path}", json=values, headers=boss)
        assert made.status_code == 201, made.text
    return boss


def upload(client: TestClient, text: str, headers: dict[str, str], **query: str):
    return client.post(f"{NIGHT}/import", content=text.encode("gbk"), headers=headers, params=query)


def test_a_file_is_previewed_and_then_done_as_it_was_seen(folder: Folder) -> None:
    with running(folder) as client:
        boss = furnish(client)
        gap = ZH.replace("20:00,8:00", "21:00,8:00").replace("03-02", "03-03")
        seen = upload(client, gap, boss, dry_run="true")
        found = seen.json()
        assert (found["days"], found["applied"]) == (1, False)
        assert found["changes"][0]["after"] == ["08:00-20:00 wang", "21:00-08:00 li"]
        assert found["notes"] == ["read as GB18030"]
        # from midnight to eight, and the hour between the shifts
        assert [one["begin"] for one in found["gaps"]] == [
            "2026-03-02T16:00:00Z",
            "2026-03-03T12:00:00Z",
        ]
        assert client.get(NIGHT).status_code == 404
        assert upload(client, gap, boss).status_code == 428
        tag = {**boss, "If-Match": seen.headers["etag"]}
        assert upload(client, ZH, tag).status_code == 412
        done = upload(client, gap, tag)
        assert (done.status_code, done.json()["applied"]) == (200, True)
        assert len(client.get(NIGHT).json()["dated"]) == 2
        assert client.get(f"{NIGHT}/history").json()["items"][0]["why"] == "imported"
        again = upload(client, gap, boss, dry_run="true").json()
        assert again["changes"] == []
        bad = upload(client, ZH.replace("王芳", "吴九"), boss, dry_run="true")
        assert bad.json()["unknown"] == ["吴九"]
        refused = upload(client, ZH.replace("王芳", "吴九"), {**boss, "If-Match": "*"})
        assert (refused.status_code, "row 2, names" in refused.text) == (422, True)
        assert upload(client, "x", boss, dry_run="true").status_code == 400
        assert upload(client, ZH, sign_in(client, "wang")).status_code == 403


def test_the_command_line_brings_a_roster_in(folder: Folder) -> None:
    with running(folder) as client:
        furnish(client)
    config, file = folder.path / "ingest.toml", folder.path / "march.csv"
    config.write_text(f'data = "{folder.path}"\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}')
    file.write_bytes(ZH.encode("gbk"))
    arguments = ["ingest", "duty", "import", "night", str(file), "--config", str(config)]
    shown = CliRunner().invoke(command, [*arguments, "--preview"])
    assert "~ 2026-03-02: nothing → 08:00-20:00 wang; 20:00-08:00 li" in shown.output
    assert CliRunner().invoke(command, arguments).exit_code != 0
    done = CliRunner().invoke(command, [*arguments, "--apply", "--json"])
    assert json.loads(done.output)["applied"] is True
    file.write_bytes(ZH.replace("李雷", "=A1").encode("gbk"))
    refused = CliRunner().invoke(command, [*arguments, "--apply"])
    assert refused.exit_code != 0
    assert "formula" in refused.output
