"""The registry in `state.db`: what is written comes back, with who and when beside it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from house import AREA, CAMERA, NODE, NODE_KEY, NOON, SITE, Folder
from msgspec.structs import replace

from ingest import registry
from ingest.receive import directory
from ingest.receive.directory import DirectoryWatch
from ingest.registry import book
from ingest.registry.plan import Plan, Wish, make
from ingest.registry.records import Device, Edge, Person, Place, Record, Team
from ingest.store.engine import open_writer, reading, writing
from ingest.store.migrate import scripts
from ingest.store.registry import device, person
from linli.events import DescribeData

LATER = NOON + timedelta(days=1)
LAMP = Device(
    id=f"{NODE}/lamp-1",
    kind="lamp",
    label="东门灯",
    label_en="East gate lamp",
    place=f"{SITE}/{AREA}/u1",
    vendor="=1+1",
    capabilities=("dim", "meter"),
    network=f"{NODE}/{CAMERA}",
    power=NODE,
)
RECORDS: tuple[Record, ...] = (
    Place(id=f"{SITE}/{AREA}/u1", kind="unit", label="1 单元", label_en="Unit 1"),
    Edge(id="c001-n08", label="x", place=f"{SITE}/{AREA}/u1", vendor="v", model="m", network=NODE),
    LAMP,
    Team(id="night", label="夜班"),
    Person(
        id="wang",
        label="王芳",
        role="duty",
        phone="13912345678",
        team="night",
        languages=("zh", "en"),
        account="wang",
    ),
)


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def put(folder: Folder, *records: Record, at=NOON, gone: tuple[Record, ...] = ()) -> Plan:
    wishes = [Wish(one.key, one) for one in records] + [Wish(one.key, None) for one in gone]
    with writing(folder.state) as connection:
        around = book.surroundings(connection, SITE)
        made = make(book.records(connection), wishes, around, heard=book.heard(connection))
        if not made.preview.faults:
            book.write(connection, made, "user:boss", at)
    return made


def test_what_is_written_comes_back(folder: Folder) -> None:
    assert put(folder, *RECORDS).preview.created == len(RECORDS)
    with reading(folder.state) as connection:
        found = book.records(connection)
        assert {one.key: one for one in RECORDS}.items() <= found.items()
        assert book.one(connection, "device", LAMP.id) == LAMP
        assert book.hangs_behind(connection) == {
            "c001-n08": (NODE,),
            LAMP.id: (f"{NODE}/{CAMERA}", NODE),
        }
    assert put(folder, *RECORDS).preview.unchanged == len(RECORDS)


def test_lists_are_paged_and_leave_out_what_is_discovered_or_retired(folder: Folder) -> None:
    put(folder, *RECORDS)
    with writing(folder.state) as connection:
        registry.seen_node(connection, registry.Origin(SITE, "b09", "c001-n99"), {})
    put(folder, replace(LAMP, retired=True))
    with reading(folder.state) as connection:
        assert [one.id for one in book.some(connection, "edge")] == [NODE, "c001-n08"]
        assert [one.id for one in book.some(connection, "edge", after=NODE)] == ["c001-n08"]
        assert [one.id for one in book.some(connection, "device")] == [f"{NODE}/{CAMERA}"]
        everything = book.some(connection, "device", retired=True, limit=5)
        assert [one.id for one in everything] == [f"{NODE}/{CAMERA}", LAMP.id]
        assert book.one(connection, "edge", "c001-n99") is None


def test_the_day_something_was_retired_stays_until_it_comes_back(folder: Folder) -> None:
    put(folder, *RECORDS)
    put(folder, replace(LAMP, retired=True))
    put(folder, replace(LAMP, retired=True, label="alt"), at=LATER)
    query = sa.select(device.c.retired_at, device.c.standing).where(device.c.device == "lamp-1")
    with reading(folder.state) as connection:
        assert connection.execute(query).one() == (NOON, "retired")
    put(folder, LAMP, at=LATER)
    with reading(folder.state) as connection:
        assert connection.execute(query).one() == (None, "confirmed")


def test_devices_move_with_their_edge(folder: Folder) -> None:
    put(folder, Place(id=f"{SITE}/b04", kind="building", label="4"))
    with reading(folder.state) as connection:
        edge = book.one(connection, "edge", NODE)
    assert isinstance(edge, Edge)
    put(folder, replace(edge, place=f"{SITE}/b04"), LAMP, RECORDS[0])
    with reading(folder.state) as connection:
        assert set(connection.execute(sa.select(device.c.area)).scalars()) == {"b04"}
        assert book.one(connection, "device", LAMP.id) == LAMP
    watch = DirectoryWatch(folder.reader("state"))
    found = watch.refresh()
    watch.close()
    assert found is not None
    assert found.standing(SITE, "b04", NODE, CAMERA) == "known"
    assert found.standing(SITE, AREA, NODE, CAMERA) == "moved"


def test_what_a_device_said_of_itself_stays_when_it_is_registered(folder: Folder) -> None:
    with writing(folder.state) as connection:
        origin = registry.Origin(SITE, AREA, NODE)
        said = DescribeData(kind="lamp", label="L1", vendor="V")
        registry.keep_description(connection, origin, "lamp-1", said)
    put(folder, *RECORDS)
    with reading(folder.state) as connection:
        row = connection.execute(device.select().where(device.c.device == "lamp-1")).one()
    assert (row.standing, row.label, row.vendor) == ("confirmed", "东门灯", "=1+1")
    assert '"L1"' in row.described


def test_the_history_says_who_and_when_and_keeps_phones_out(folder: Folder) -> None:
    put(folder, *RECORDS)
    wang = RECORDS[-1]
    assert isinstance(wang, Person)
    put(folder, replace(wang, phone="13900000000", retired=False), at=LATER)
    with reading(folder.state) as connection:
        entries = book.history(connection, before=None, limit=4)
        assert connection.scalar(sa.select(person.c.phone)) == "13900000000"
        assert book.history(connection, before=entries[-1].number, limit=1)[0].number == (
            entries[-1].number - 1
        )
        assert len(book.history(connection, before=None, limit=9, of=wang.key)) == 2
    last = entries[0]
    assert (last.actor, last.at, last.change.id, last.change.action) == (
        "user:boss",
        LATER,
        "wang",
        "changed",
    )
    assert [(one.field, one.before, one.after) for one in last.change.fields] == [
        ("phone", "•••", "•••")
    ]
    assert len({one.batch for one in entries[1:]}) == 1
    assert "139" not in repr(entries)


def test_what_was_never_heard_can_be_removed(folder: Folder) -> None:
    put(folder, *RECORDS)
    assert put(folder, gone=(LAMP,)).preview.removed == 1
    with reading(folder.state) as connection:
        assert book.one(connection, "device", LAMP.id) is None
    with writing(folder.state) as connection:
        registry.seen_device(connection, NODE, CAMERA, NOON)
    camera = Device(id=f"{NODE}/{CAMERA}", kind="camera", label="1 号电梯")
    assert put(folder, gone=(camera,)).preview.faults[0].rule == "this device has a history"


def test_a_retired_box_has_no_key_and_comes_back_when_confirmed(folder: Folder) -> None:
    with reading(folder.state) as connection:
        edge, camera = (
            book.one(connection, "edge", NODE),
            book.one(connection, "device", f"{NODE}/{CAMERA}"),
        )
    assert edge is not None
    assert camera is not None
    put(folder, replace(edge, retired=True), replace(camera, retired=True))
    watch = DirectoryWatch(folder.reader("state"))
    known = watch.refresh()
    assert known is not None
    assert known.standing(SITE, AREA, NODE, CAMERA) == "unknown"
    with writing(folder.state) as connection:
        assert not registry.key_fits(connection, SITE, NODE, NODE_KEY)
        registry.confirm(connection, registry.Origin(SITE, AREA, NODE), CAMERA)
        assert registry.key_fits(connection, SITE, NODE, NODE_KEY)
        assert book.one(connection, "device", f"{NODE}/{CAMERA}") == camera
    known = watch.refresh()
    watch.close()
    assert known is not None
    assert known.standing(SITE, AREA, NODE, CAMERA) == "known"


def test_the_receiver_reads_all_again_only_when_the_registry_changed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = directory._read
    monkeypatch.setattr(directory, "_read", lambda one: (read.append(1), real(one))[1])
    watch = DirectoryWatch(folder.reader("state"))
    assert watch.refresh() is not None
    with writing(folder.state) as connection:
        registry.seen(connection, NODE, LATER)
    assert watch.refresh() is None
    assert len(read) == 1
    put(folder, *RECORDS)
    found = watch.refresh()
    assert found is not None
    assert found.standing(SITE, AREA, NODE, "lamp-1") == "known"
    put(folder, replace(LAMP, label="neu"))
    assert watch.refresh() is None
    assert len(read) == 3
    watch.close()


def test_the_community_gets_its_name_once(folder: Folder) -> None:
    for name, expected in (("和园", "和园"), ("别名", "和园")):
        with writing(folder.state) as connection:
            registry.make_site(connection, SITE, name, NOON)
            found = book.one(connection, "place", SITE)
        assert found == Place(id=SITE, kind="site", label=expected)


def test_registered_boxes_of_before_find_their_places(tmp_path: Path) -> None:
    engine = open_writer(tmp_path / "state.db")
    first, second = reversed(list(scripts("state").iterate_revisions("state_0002", "base")))
    with writing(engine) as connection, Operations.context(MigrationContext.configure(connection)):
        first.module.upgrade()
        for name, area, standing in (("n1", "b03", "confirmed"), ("n2", "b04", "discovered")):
            connection.execute(
                sa.text(
                    "INSERT INTO node (node, site, area, label, standing) "
                    "VALUES (:node, 'c001', :area, :node, :standing)"
                ),
                {"node": name, "area": area, "standing": standing},
            )
        second.module.upgrade()
        found = book.records(connection)
    engine.dispose()
    assert list(found) == [("place", "c001"), ("place", "c001/b03"), ("edge", "n1")]
    assert found["edge", "n1"] == Edge(id="n1", label="n1", place="c001/b03")
