"""The store falls while calls and a digest wait to be sent: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import stores
from notices import Office

from ingest.services.people_file import PeopleFile
from linli.errors import StoreError


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def test_the_store_restarts_while_a_call_and_a_digest_wait(office: Office, on: str) -> None:
    wait = {"rungs": [{"who": "on-duty", "after": "PT30S"}]}
    office.written_down(msgspec.convert({"ladders": {"usual": wait}}, PeopleFile))
    for zone in ("a", "b", "c"):
        office.begin(severity="medium", zone=zone)
    office.incidents.step()
    office.notify.step()
    assert office.tally() == {}
    restart(office, on)
    office.clock.advance(31)
    office.notify.step()
    assert office.tally() == {"waiting": 3}
    restart(office, on)
    office.work(minutes=10)
    ((message, _),) = office.channels["bot"].sent
    assert "3 条告警" in message.title
    assert office.tally() == {"sent": 3}


def restart(office: Office, on: str) -> None:
    """Kill the store's server while everything waits; files have none, so the process falls."""
    if on == "postgresql":
        server = stores.server()
        server.kill()
        with pytest.raises(StoreError):
            office.notify.step()
        server.start()
    office.folder.close()  # connections to the server that fell; they are made anew
    office.fresh()
