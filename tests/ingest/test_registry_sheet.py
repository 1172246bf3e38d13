"""Registry files: what people send, and that an export always comes back unchanged."""

from __future__ import annotations

import csv
import io
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.registry.plan import make
from ingest.registry.records import Device, Edge, Person, Place, Record, Team
from ingest.registry.rules import Surroundings
from ingest.registry.sheet import read, write
from ingest.registry.values import build
from ingest.spreadsheet import MOST_BYTES, MOST_ROWS
from linli.errors import InputError

AROUND = Surroundings("c001", frozenset({"wang"}))
ENGLISH = "type,id,label,place\nsite,c001,和园,\nbuilding,c001/b03,3 号楼,\nedge,n1,盒,c001/b03\n"
CHINESE = "类型,编号,名称,位置\n小区,c001,和园,\n楼栋,c001/b03,3 号楼,\n边缘盒,n1,盒,c001/b03\n"


def records(data: bytes, *known: Record, default: str | None = None) -> dict[str, Record]:
    sheet = read(data, {one.key: one for one in known}, default)
    assert sheet.faults == ()
    return {wish.key[1]: wish.record for wish in sheet.wishes if wish.record is not None}


def faults(data: str, *known: Record, default: str | None = None) -> list[tuple[Any, ...]]:
    sheet = read(data.encode(), {one.key: one for one in known}, default)
    return [(one.row, one.column, one.rule) for one in sheet.faults]


@pytest.mark.parametrize(
    "data",
    [
        ENGLISH.encode(),
        ENGLISH.encode("utf-8-sig"),
        ENGLISH.encode("gbk"),
        ENGLISH.encode("utf-16"),
        CHINESE.encode("gbk"),
        CHINESE.replace(",", ";").encode("gbk"),
        CHINESE.replace(",", "\t").encode("utf-16"),
        CHINESE.replace(",", "，").encode(),
        CHINESE.replace("\n", "\r\n").encode("utf-8-sig"),
        ("sep=;\r\n" + CHINESE.replace(",", ";")).encode(),
        CHINESE.replace("n1,", "ｎ１,").replace("编号", " 编 号 ").encode(),
        ENGLISH.replace("type,id,label", "Type,ID*,Name").encode(),
        ENGLISH.replace("\n", ",\n").encode(),
        (ENGLISH + "\n,,,\n").encode(),
    ],
)
def test_however_a_spreadsheet_saved_it(data: bytes) -> None:
    found = records(data)
    assert [type(one) for one in found.values()] == [Place, Place, Edge]
    assert found["c001/b03"] == Place(id="c001/b03", kind="building", label="3 号楼")
    assert found["n1"] == Edge(id="n1", label="盒", place="c001/b03")


def test_a_line_break_inside_a_cell_is_a_space_and_rows_count_as_shown() -> None:
    text = 'type,id,label\nteam,night,"夜\r\n班"\n\nteam,Day,"白""班"""\n'
    sheet = read(text.encode(), {})
    assert [wish.record for wish in sheet.wishes] == [Team(id="night", label="夜 班")]
    (fault,) = sheet.faults
    assert (fault.row, fault.column, fault.value, fault.hint) == (
        4,
        "id",
        "Day",
        "Did you mean 'day'?",
    )


def test_a_column_that_is_missing_leaves_its_field_and_an_empty_cell_empties_it() -> None:
    known = Device(id="n1/c", kind="camera", label="旧", vendor="海康", model="M", network="n1")
    found = records("编号,名称,型号\nn1/c,新,\n".encode("gbk"), known, default="device")
    assert found["n1/c"] == Device(
        id="n1/c", kind="camera", label="新", vendor="海康", network="n1"
    )


def test_words_of_ours_stand_for_values() -> None:
    text = (
        "类型,编号,姓名,岗位,电话,语言,停用,种类,能力\n"
        "人员,wang,王芳,值班员,+86 139-1234-5678,中文、英文,,,\n"
        "员工,li,李,保洁,,,是,,\n"
        "设备,n1/c,门口,,,,否,摄像机,ptz;audio\n"
    )
    wang, li, camera = records(text.encode("gbk")).values()
    assert wang == Person(
        id="wang", label="王芳", role="duty", phone="+86 139-1234-5678", languages=("zh", "en")
    )
    assert (li.retired, camera.retired) == (True, False)
    assert camera == Device(id="n1/c", label="门口", kind="camera", capabilities=("ptz", "audio"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type,id,label\nlamp,x,y\n", (2, "type", "one of site")),
        ("类型,编号,名称\n,x,y\n", (2, "类型", "one of site")),
        ("type,id,label,phone\nteam,x,y,123456\n", (2, "phone", "not for type 'team'")),
        ("type,id,label,kind\nbuilding,c001/b,y,lamp\n", (2, "kind", "is for devices")),
        ("type,id,label\nteam,x,y,z\n", (2, "", "more cells")),
        ("type,id,label\nteam,,y\n", (2, "id", "is needed")),
        ("type,id,label\nteam,x\n", (2, "label", "is needed")),
        ("type,id,label,retired\nteam,x,y,maybe\n", (2, "retired", "yes or no")),
        ("type,id,label\nteam,x,y\nteam,x,z\n", (3, "id", "in row 2 already")),
    ],
)
def test_rows_that_are_refused(text: str, expected: tuple[int, str, str]) -> None:
    (found,) = faults(text)
    assert found[:2] == expected[:2]
    assert expected[2] in found[2]


def test_what_hangs_on_a_refused_row_says_which() -> None:
    text = "type,id,label,place\nsite,c001,x,\nbuilding,c001/b1,,\nedge,n1,x,c001/b1\n"
    sheet = read(text.encode(), {})
    preview = make({}, sheet.wishes, AROUND, faults=sheet.faults, refused=sheet.refused).preview
    assert [(one.row, one.rule, one.hint) for one in preview.faults] == [
        (3, "is needed", "1 to 64 characters on one line"),
        (4, "there is no such place", "Row 3 would make it, but is refused"),
    ]
    assert preview.refused == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no column 'id'"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "not as .xlsx"),
        (b"\xff\xfe\xff", "no text"),
        (b"id,label\nx,y\n", "no column 'type'"),
        ("类型,编号,名称,姓名\n".encode(), "two columns are called 'label'"),
        (b'type,id,label\nteam,x,"never closed\nteam,y,z\n', "row 2 is not CSV"),
        (b"type,id,label\n" + b"x" * MOST_BYTES, f"more than {MOST_BYTES} bytes"),
        (b"type,id\n" + b"team,x\n" * (MOST_ROWS + 1), f"more than {MOST_ROWS} rows"),
        (b"type,id,label\nteam,x," + b"y" * 140_000, "row 2 is not CSV"),
    ],
)
def test_files_that_are_refused_as_a_whole(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(data, {})


def test_what_is_not_read_is_said() -> None:
    sheet = read("序号,类型,编号,名称,备注\n1,班组,x,y,z\n".encode("gbk"), {})
    assert sheet.notes == (
        "read as GB18030",
        "columns that nothing is read from: 序号, 备注",
    )


def test_a_spreadsheet_runs_nothing_of_an_export() -> None:
    evil = ("=1+1", "+1", "-1", "@x", "'=1", "＝1")
    text = write([Team(id=f"t{n}", label=label) for n, label in enumerate(evil)], "en")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["label"] for row in rows] == [f"'{label}" for label in evil]
    assert [one.label for one in records(text.encode()).values()] == list(evil)


ID = st.text(ascii_lowercase, min_size=1, max_size=5)
LABEL = st.text(min_size=1, max_size=20)
SLUGS = st.lists(ID, max_size=3)
WORDS = st.one_of(st.none(), LABEL)
FREE = st.fixed_dictionaries(
    {"label": LABEL, "label_en": WORDS, "retired": st.booleans()},
)
EDGE_ID = st.builds("n{}".format, ID)
REF = st.one_of(st.none(), EDGE_ID, st.builds("{}/{}".format, EDGE_ID, ID))
THING = {"vendor": WORDS, "model": WORDS, "network": REF, "power": REF}
GIVEN = st.one_of(
    st.tuples(
        st.just("place"),
        st.fixed_dictionaries(
            {"id": st.lists(ID, min_size=1, max_size=4).map("/".join), "kind": st.just("point")}
        ),
    ),
    st.tuples(
        st.just("edge"),
        st.fixed_dictionaries({"id": EDGE_ID, "place": st.builds("c/{}".format, ID), **THING}),
    ),
    st.tuples(
        st.just("device"),
        st.fixed_dictionaries(
            {
                "id": st.builds("{}/{}".format, EDGE_ID, ID.filter(lambda one: one != "self")),
                "kind": st.one_of(ID, st.just("camera")),
                "place": st.one_of(st.none(), st.builds("c/{}".format, ID)),
                "capabilities": SLUGS,
                **THING,
            }
        ),
    ),
    st.tuples(st.just("team"), st.fixed_dictionaries({"id": ID})),
    st.tuples(
        st.just("person"),
        st.fixed_dictionaries(
            {
                "id": ID,
                "role": st.sampled_from(["duty", "other"]),
                "phone": st.one_of(st.none(), st.from_regex(r"\+?[0-9]{4,12}", fullmatch=True)),
                "languages": st.lists(st.sampled_from(["zh", "en", "zh-HK"]), max_size=3),
                "account": st.one_of(st.none(), st.from_regex(r"[^\s/:<>&\"'\x00-\x1f]{1,9}")),
            }
        ),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(GIVEN, FREE), max_size=6), st.sampled_from(["zh", "en"]))
def test_an_export_comes_back_unchanged(given_: list[Any], titles: Any) -> None:
    made = [build(what, {**values, **free})[0] for (what, values), free in given_]
    kept = {one.key: one for one in made if one is not None}
    text = write(kept.values(), titles)
    for current in (kept, {}):
        sheet = read(text.encode(), current)
        assert sheet.faults == ()
        assert {wish.key: wish.record for wish in sheet.wishes} == kept
    assert make(kept, sheet.wishes, AROUND).preview.changes == ()


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda one: f"type,id,label\n{one}".encode()),
    )
)
def test_no_file_makes_it_fail_in_another_way(data: bytes) -> None:
    try:
        sheet = read(data, {})
    except InputError:
        return
    for wish in sheet.wishes:
        assert wish.record is not None
