"""The bridge of an estate to its district, between two real mosquittos: what crosses it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, SITE, Client
from broker_house import BASE, House, built, error, running, until
from brokers import NEEDS_MOSQUITTO
from ledger import event
from msgspec.structs import replace
from sharing import VALIDATORS

from ingest.consumers.share import share_of
from ingest.incidents import flow
from ingest.incidents.facts import StaffFact
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.broker.server import BRIDGE_FILES
from linli.cli.broker.roster import roster_of
from linli.clock import SystemClock
from linli.errors import InputError

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
UP = "linli/v1/up/330106/003"
SHARED = f"{BASE}/_share/event"
RAW = f"{BASE}/b03/{EDGE}/cam-1/event/e-bike"
DISTRICT = f"""
[[broker.sites]]
id = "{SITE}"
path = "330106/003"
[[broker.sites]]
id = "c002"
path = "330106/003"
[[broker.readers]]
user = "street"
district = true
"""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = built(tmp_path_factory.mktemp("district"), "certificates")
    text = made.config.read_text().replace(f'id = "{SITE}"', 'id = "street-003"', 1)
    made.config.write_text(text + DISTRICT)
    for name in ("site-c001", "site-c002", "street", EDGE):
        made.issue(name)
    made.publish_tls()
    with running(made):
        yield made


@pytest.fixture(params=["passwords", "certificates"])
def estate(request: pytest.FixtureRequest, tmp_path: Path, district: House) -> House:
    made = built(tmp_path, request.param)
    for name in ("svc-share", EDGE):
        made.issue(name)
    made.publish_tls()
    made.config.write_text(
        f'{made.config.read_text()}[broker.bridge]\nhost = "127.0.0.1"\n'
        f'port = {district.port}\npath = "330106/003"\n'
    )
    return made


def carry(district: House, estate: House) -> Path:
    """Bring over what the district issued, as `linli broker issue` writes it."""
    folder = estate.folder / "tls/bridge"
    folder.mkdir()
    for name in ("client.crt", "client.key"):
        shutil.copy(district.config.parent / "clients/site-c001" / name, folder)
    shutil.copy(district.folder / "tls/ca.crt", folder)
    return folder


def of(house: House, name: str, **options: object) -> Client:
    secret = house.folder / "secrets" / name
    return (house.client if secret.exists() else house.certified)(name, **options).up()


def crossed(sharer: Client, street: Client, payload: bytes) -> None:
    """Share something and wait until the district has it: what was said before has come too."""
    assert sharer.says(f"{SHARED}/mark", payload) is None
    street.until(lambda: (f"{UP}/c001/event/mark", payload) in street.heard)


def test_only_what_is_shared_goes_up_and_nothing_comes_down(estate: House, district: House) -> None:
    carry(district, estate)
    street = of(district, "street", hears=("linli/#", "$SYS/#"))
    with running(estate):
        sharer, edge = of(estate, "svc-share"), of(estate, EDGE, hears=("linli/#",))
        crossed(sharer, street, b"1")
        assert edge.says(RAW, b"raw") is None
        assert edge.says(f"{SHARED}/e-bike", b"raw") == "Not authorized"
        for topic in (f"{UP}/c001/event/x", f"{BASE}/b03/{EDGE}/cam-1/command/x"):
            assert sharer.says(topic, b"raw") == "Not authorized"
        # What the district's own people write under names of the estate is not asked for.
        there = of(district, EDGE)
        assert there.says(f"linli/v1/street-003/b03/{EDGE}/cam-1/event/x", b"down") is None
        assert there.says(f"{BASE}/b03/{EDGE}/cam-1/command/door-hold", b"down") == "Not authorized"
        assert there.says(f"{UP}/c001/command/door-hold", b"down") == "Not authorized"
        with (estate.folder / "acl.conf").open("a") as rules:
            rules.write("\nuser svc-share\ntopic write linli/read-again\n")
        estate.reload()  # a bridge outlives that rules and passwords are read again
        until(lambda: sharer.says("linli/read-again") is None)
        crossed(sharer, street, b"2")
        assert edge.says(RAW, b"after") is None
        assert edge.heard == []
    heard = {one for one in street.heard if not one[0].startswith("linli/v1/street-003/")}
    assert {payload for _, payload in heard} == {b"1", b"2"}


class Hasty(SystemClock):
    """A minute of it is over in half a second, so nothing is held back for longer."""

    def __init__(self) -> None:
        self._begun = super().now()

    def now(self) -> datetime:
        return self._begun + 120 * (super().now() - self._begun)


@contextmanager
def sharing(house: House) -> Iterator[None]:
    """Run the ingest's own part, as its settings have it."""
    settings = load_settings(house.config)
    database = database_of(settings)
    reader, writer = database.reader("state"), database.writer("state")
    (runner,) = share_of(settings, reader, writer, Hasty())
    runner.start()
    try:
        yield
    finally:
        runner.stop()
        reader.dispose()
        writer.dispose()


def over(house: House, kind: str) -> None:
    """Let something happen that is seen to, and over at once."""
    now = datetime.now(UTC)
    where = {"node": EDGE, "device": "secret-cam", "event": kind, "zone": "secret"}
    fact = event(since=0, note="secret", title="secret", object_label="secret", **where)
    fact = replace(fact, since=now - timedelta(minutes=3), at=now, heard=now)
    done = StaffFact(wish="resolve", actor="user:secret", note="secret")
    writer = database_of(load_settings(house.config)).writer("state")
    with writing(writer) as connection:
        one, _ = flow.take(connection, fact)
        flow.step(connection, one.id, done, now)
    writer.dispose()


def test_what_is_over_reaches_the_district_and_outlives_the_estate_s_broker(
    estate: House, district: House
) -> None:
    carry(district, estate)
    mine = (
        f'cert_file = "{estate.config.parent}/clients/svc-share/client.crt"\n'
        f'key_file = "{estate.config.parent}/clients/svc-share/client.key"\n'
        if 'access = "certificates"' in estate.config.read_text()
        else f'username = "svc-share"\npassword_file = "{estate.folder}/secrets/svc-share"\n'
    )
    with estate.config.open("a") as lines:
        lines.write(
            f'[mqtt]\nhost = "localhost"\nport = {estate.port}\n'
            f'ca_file = "{estate.folder}/tls/ca.crt"\n[share]\nenabled = true\n{mine}'
        )
    street = of(district, "street", hears=("linli/v1/up/#",))

    def heard(kind: str) -> list[dict[str, Any]]:
        found = [(topic, json.loads(body)) for topic, body in street.heard if body[:1] == b"{"]
        return [body for topic, body in found if topic.startswith(f"{UP}/c001/{kind}")]

    with running(estate), sharing(estate):
        street.until(lambda: len(heard("registry")) >= 2)
        over(estate, "smoke")
        street.until(lambda: heard("event"))
    with running(estate, render=False):
        over(estate, "gas")  # nobody shares just now
    over(estate, "water-leak")  # nor is there a broker
    with running(estate, render=False), sharing(estate):
        street.until(lambda: len({one["id"] for one in heard("event")}) == 3)
    for kind in ("event", "registry"):
        for body in heard(kind):
            VALIDATORS[kind].validate(body)
    rows = {(one["data"]["kind"], one["data"]["count"]) for one in heard("registry")}
    assert rows == {("area", 1), ("edge", 2)}
    (smoke,) = {one["id"]: one["data"] for one in heard("event/smoke")}.values()
    since, version = smoke.pop("since"), smoke.pop("version")
    assert (len(since), version > 1) == (20, True)
    assert smoke == {
        "phase": "end",
        "type": "smoke",
        "severity": "medium",
        "areaclass": "building",
        "count": 1,
        "response": 0,
    }
    said = re.sub("[0-9a-f-]{16,}", "", str(street.heard))  # ids, in which b03 may be by chance
    assert not [word for word in ("secret", "b03", EDGE) if word in said]


def test_what_a_line_that_is_too_wide_sends_is_refused_by_the_district(
    estate: House, district: House
) -> None:
    carry(district, estate)
    street = of(district, "street", hears=("linli/#",))
    assert estate.render().exit_code == 0
    conf = estate.folder / "mosquitto.conf"
    with conf.open("a") as lines:
        lines.write(f"topic # out 1 {BASE}/ {UP}/c001/\n")
    with running(estate, render=False):
        sharer, edge = of(estate, "svc-share"), of(estate, EDGE)
        assert edge.says(RAW, b"raw") is None
        crossed(sharer, street, b"shared")
    assert b"raw" not in {one for _, one in street.heard}


def test_a_community_forges_no_other_and_hears_nothing(district: House) -> None:
    forger = of(district, "site-c002", hears=("#", "linli/v1/#", f"{UP}/#", "$SYS/#"))
    own = f"{UP}/c002/event/e-bike"
    assert forger.says(own) is None
    for topic in (
        f"{UP}/c001/event/e-bike",
        "linli/v1/up/330106/004/c002/event/e-bike",
        f"{BASE}/b03/{EDGE}/cam-1/event/e-bike",
        "linli/v1/street-003/b03/site-c002/cam-1/event/e-bike",
        "linli/v1/street-003/_sys/all/ingest/health/status",
    ):
        assert forger.says(topic) == "Not authorized", topic
    receipts = "linli/v1/street-003/_sys/site-c002/ingest/receipt/x"
    assert of(district, EDGE).says(receipts) == "Not authorized"
    assert forger.says(own) is None
    assert forger.heard == []


def test_what_is_missing_or_wrong_is_told(tmp_path: Path) -> None:
    made = built(tmp_path, "certificates")
    before = made.config.read_text()
    made.config.write_text(
        f'{before}[broker.bridge]\nhost = "mqtt.street.example"\npath = "330106/003"\n'
    )
    assert "`linli broker issue site-c001` at the district" in error(made.render())
    folder = made.folder / "tls/bridge"
    folder.mkdir()
    for name in BRIDGE_FILES:
        (folder / name).write_text("x")
    assert made.render().exit_code == 0
    assert (folder / "client.key").stat().st_mode & 0o077 == 0
    assert (folder / "client.key").stat().st_uid == os.geteuid()
    for wrong in (
        '[broker.bridge]\nhost = "a b"\npath = "330106/003"\n',
        '[broker.bridge]\nhost = "h"\npath = "330106/#"\n',
        '[broker.bridge]\nhost = "h"\npath = "330106"\n',
        '[[broker.sites]]\nid = "c+"\npath = "330106/003"\n',
        '[[broker.sites]]\nid = "c2"\npath = "1/2"\n' * 2,
    ):
        made.config.write_text(before + wrong)
        with pytest.raises(InputError):
            load_settings(made.config)
    made.config.write_text(
        before.replace('access = "certificates"', 'access = "passwords"')
        + '[[broker.sites]]\nid = "c2"\npath = "1/2"\n'
    )
    with pytest.raises(InputError, match="comes with a certificate"):
        load_settings(made.config)
    made.config.write_text(
        before + '[[broker.sites]]\nid = "c2"\npath = "1/2"\n[[broker.readers]]\nuser = "site-c2"\n'
    )
    assert "'site-c2' is an edge or a service already" in error(made.render())


def test_no_box_gets_a_bridge_s_certificate(district: House) -> None:
    roster = roster_of(load_settings(district.config))
    assert {"site-c001", "site-c002", "svc-share"} <= roster.others  # the keeper signs for none
    assert {"site-c001", "site-c002"} <= {*roster.identities}
    assert "svc-share" not in roster.identities
