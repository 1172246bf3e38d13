from __future__ import annotations

from pathlib import Path

import pytest
from house import AREA, CAMERA, NODE, NODE_KEY, SITE, Folder

from ingest import registry
from ingest.receive.directory import read_directory
from ingest.store.engine import reading, writing
from ingest.store.registry import device, node
from linli.errors import InputError
from linli.events import DescribeData

NEW = "c001-n08"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def connection(folder: Folder):
    with writing(folder.state) as connection:
        yield connection


def test_a_node_gets_a_key_that_only_it_has(connection) -> None:
    key = registry.add_node(connection, site=SITE, area="b04", name=NEW, label="4 号楼")
    assert registry.key_fits(connection, SITE, NEW, key)
    assert not registry.key_fits(connection, SITE, NODE, key)
    assert not registry.key_fits(connection, "c002", NEW, key)
    assert not registry.key_fits(connection, SITE, NEW, "")
    assert not registry.key_fits(connection, SITE, "c001-n99", "")
    assert key not in repr(connection.execute(node.select()).all())
    again = registry.new_key(connection, NEW)
    assert not registry.key_fits(connection, SITE, NEW, key)
    assert registry.key_fits(connection, SITE, NEW, again)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "N 1"}, "id 'N 1': lower-case .* Did you mean 'n-1'"),
        ({"area": "楼"}, "place 'c001/楼': SITE/BUILDING"),
        ({"site": "a/b"}, "id 'a': this ingest serves"),
        ({"name": NODE}, "already registered"),
        ({"key": "short"}, "at least 24"),
    ],
)
def test_nodes_that_cannot_be_registered(connection, change, words) -> None:
    values = {"site": SITE, "area": AREA, "name": NEW, "label": "x", **change}
    with pytest.raises(InputError, match=words):
        registry.add_node(connection, **values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "../x"}, "id '.*/../x': EDGE/DEVICE"),
        ({"name": "self"}, "not 'self'"),
        ({"node_name": NEW}, "no node"),
    ],
)
def test_devices_that_cannot_be_registered(connection, change, words) -> None:
    values = {"node_name": NODE, "name": "cam-2", "kind": "camera", "label": "x", **change}
    with pytest.raises(InputError, match=words):
        registry.add_device(connection, **values)


def test_keys_of_unknown_nodes_cannot_be_renewed(connection) -> None:
    with pytest.raises(InputError, match="Register it first"):
        registry.new_key(connection, NEW)


def test_what_was_discovered_is_not_known_until_confirmed(folder: Folder) -> None:
    place = registry.Origin(SITE, "b09", NEW)
    with writing(folder.state) as connection:
        registry.seen_node(connection, place, {})
        assert not registry.key_fits(connection, SITE, NEW, "")
        registry.keep_description(connection, place, "bin-1", DescribeData(kind="bin", label="桶"))
    assert read_directory(folder.state).standing(SITE, "b09", NEW, "bin-1") == "unknown"
    with writing(folder.state) as connection:
        registry.confirm(connection, place, "bin-1", label="东门桶")
    assert read_directory(folder.state).standing(SITE, "b09", NEW, "bin-1") == "known"
    assert read_directory(folder.state).standing(SITE, "b08", NEW, "bin-1") == "moved"
    with reading(folder.state) as connection:
        row = connection.execute(device.select().where(device.c.device == "bin-1")).one()
    assert (row.label, row.kind, row.area) == ("东门桶", "bin", "b09")


def test_a_node_registered_after_it_was_discovered_is_the_same(folder: Folder) -> None:
    with writing(folder.state) as connection:
        registry.seen_node(connection, registry.Origin(SITE, "b09", NEW), {})
        key = registry.add_node(
            connection, site=SITE, area="b10", name=NEW, label="10", key=NODE_KEY + "2"
        )
        assert key == NODE_KEY + "2"
        registry.add_device(connection, node_name=NEW, name="c", kind="camera", label="c")
    assert read_directory(folder.state).standing(SITE, "b10", NEW, "c") == "known"


def test_registering_a_device_again_renames_it(folder: Folder) -> None:
    with writing(folder.state) as connection:
        registry.add_device(
            connection, node_name=NODE, name=CAMERA, kind="camera", label="新名", subject="b03/e1"
        )
        row = connection.execute(device.select()).one()
    assert (row.label, row.subject) == ("新名", "b03/e1")


@pytest.mark.parametrize("said", ["", "  ", "a\u202eb", "\x07"])
def test_a_device_that_calls_itself_nothing_readable_is_called_by_its_id(
    folder: Folder, said: str
) -> None:
    origin = registry.Origin(SITE, "b09", NEW)
    with writing(folder.state) as connection:
        description = DescribeData(kind="lamp", label=said)
        registry.keep_description(connection, origin, "lamp-1", description)
        registry.confirm(connection, origin, "lamp-1")
        row = connection.execute(device.select().where(device.c.device == "lamp-1")).one()
    assert (row.standing, row.label, row.kind) == ("confirmed", "lamp-1", "lamp")
