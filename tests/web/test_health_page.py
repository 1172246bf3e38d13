"""System health: everything that is wrong in words of both languages, with what to press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doctor_codes import every_code
from fastapi.testclient import TestClient
from house import NODE, PASSWORDS, Folder

from dashboards.web import mount
from dashboards.web.repair_figures import figures
from dashboards.web.repair_words import ADVICE, OTHER
from dashboards.web.repairs import RIGHTS
from dashboards.web.settings_pages import DOORS
from dashboards.web.words import Words
from ingest import doctor
from ingest.app import create_app
from ingest.repairs import book
from ingest.repairs.finding import Finding, settled
from ingest.store.engine import writing

HOUR = timedelta(hours=1)
DOCTOR = Path(doctor.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test", follow_redirects=False) as client:
        yield client


def as_who(client: TestClient, name: str, language: str = "en") -> None:
    client.cookies.clear()
    client.headers["accept-language"] = language
    client.post("/login", data={"name": name, "password": PASSWORDS[name][1]})


def text_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def put(folder: Folder, *found: Finding) -> None:
    now = folder.clock.now()
    with writing(folder.state) as connection:
        book.write(connection, settled(found, {}, now), now)


def test_every_code_has_words_in_both_languages() -> None:
    assert set(ADVICE) == every_code()
    chinese = Words("zh-CN", {})
    for advice in (*ADVICE.values(), OTHER):
        for text in filter(None, advice[:3]):
            assert CHINESE.search(chinese.say(text)), text
    doors = {one.path: one.right for one in DOORS} | {"/devices": "see"}
    assert {one.path for one in ADVICE.values()} - {""} == set(RIGHTS)
    assert {path: doors[path] for path in RIGHTS} == RIGHTS


def test_green_only_when_somebody_looked(folder: Folder, client: TestClient) -> None:
    as_who(client, "wang")
    assert "Nobody has looked yet" in text_of(client, "/health")
    put(folder)
    page = text_of(client, "/health")
    assert "Everything works. Nothing needs to be done." in page
    assert "Not looked at from here" in page
    folder.clock.advance(600)
    page = text_of(client, "/health")
    assert "Nobody has looked since" in page
    assert "Everything works" not in page


def test_what_is_wrong_since_when_what_it_means_what_to_press(
    folder: Folder, client: TestClient
) -> None:
    now = folder.clock.now()
    disk = "0.1 GB are free on the disk of /srv/linli"
    put(
        folder,
        Finding(code="edge-disk", level="warning", what="x", about=NODE),
        Finding(code="disk-low", level="bad", what=disk, since=now - 3 * HOUR, do="Make <room>"),
        Finding(code="notify-dead", level="warning", what="5 were given up"),
        Finding(code="<new>", level="warning", what="y"),
    )
    as_who(client, "boss")
    page = text_of(client, "/health")
    assert page.index('id="disk-low"') < page.index('id="edge-disk"'), "the worst first"
    assert "disk is nearly full" in page
    assert "3 hours ago" in page
    assert "edge boxes hold what they saw" in page
    assert disk in page
    assert "Make &lt;room&gt;" in page
    assert "Box: 3 号楼" in page
    assert "Something else is wrong" in page
    assert '<a class="big second" href="/channels">' in page
    as_who(client, "wang", "zh-CN")
    page = text_of(client, "/health")
    assert "服务器硬盘快满了" in page
    assert "/srv/linli" not in page, "no path for the duty desk"
    assert 'href="/channels"' not in page, "no way to a page that would refuse"
    as_who(client, "guest")
    assert client.get("/health").status_code == 403


def test_a_strip_on_the_desk_and_the_wall(folder: Folder, client: TestClient) -> None:
    as_who(client, "wang")
    put(folder, Finding(code="edge-disk", level="warning", what="x", about=NODE))
    assert 'class="trouble"' not in text_of(client, "/"), "a warning is no strip"
    assert re.search(r'<a class="tile[^>]* href="/health"', text_of(client, "/"))
    found = [Finding(code=one, level="bad", what="x") for one in ("chain-silent", "disk-low")]
    put(folder, *found)
    for path in ("/", "/wall"):
        page = text_of(client, path)
        strip = page[page.index('trouble">' if path == "/wall" else 'class="trouble"') :]
        assert "Test reports do not come through" in strip, path
        assert "and 1 more" in strip, path
    as_who(client, "guest")
    page = text_of(client, "/")
    assert "The system has trouble" not in page
    assert 'href="#chain"' in page
    as_who(client, "wang")
    folder.clock.advance(600)
    assert "The system has trouble" not in text_of(client, "/"), "old news"


FIGURES = (
    "0.1 GB are free on the disk of /srv/linli",
    "3.0 GB are free on the disk of /srv; at the pace of the last week little is left in 9 days",
    "n1 (B1) has 0.4 GB of disk left",
    "incidents is 70 rows and 12 min behind",
    "7 probes made, 5 stored, 2 lost",
    "7 probes made, 5 stored, 2 lost, 95 % of the last hour within 0.31 s",
    "4 stored messages could not be used: skipped",
    "refused: 8 readings; n1/x has 64 series already",
    "95 of 100 MB of refused messages are kept",
    "19.5 of 20.0 GB of pictures are kept",
    "no picture came of 3 incidents of the last day",
    "InfluxDB refused 9 points; 2 of them found no room and are gone from the copy",
    "nothing is written into InfluxDB; 8 rows and 6 steps of incidents to write",
    "there is no young backup at /mnt, the newest is of 2026-03-01: away",
    "that 2 people, accounts or tokens left is not written at /mnt: away",
    "n1 fell or hung and was started again; 3 times since its parent began: killed",
    "300 telemetry of n1 (B1) wait to be sent",
    "n1 gave up 9 events for lack of space; 2 were refused",
    "n1 breaks the contract; 77 of its messages were not read so far, and some were refused",
    "the clock of n1 runs ahead, last noticed 2026-03-02 08:00 UTC",
    "n1 runs Linli 0.1, this is 0.2",
    "given up in the last day: 5 notifications",
    "somebody tries to sign in at the broker: 25 times in a day, from 10.0.0.9",
    "the broker retains 9000 messages, this community needs at most 200: a box fills its memory",
    "not told to the district yet: 3 ends of incidents",
    "the authority in ca.crt ends on 2026-03-02",
    "the certificate of n1 ends on 2026-03-09, and it has not got another",
    "the oldest of what is worth least is deleted: 5 readings and means and 6 pictures so far",
    "x holds 600 MB of memory, 537 MB are usual at most",
    "9.5 of 20.0 GB of pictures are kept; at the pace of the last week all is used in 8 days",
)
"""What the doctor says, with names and figures of this test."""
COUNTED = re.compile(r"\{counted\([^'\"{}]+, ['\"]([^'\"]+)['\"](?:, ['\"]([^'\"]+)['\"])?\)\}")
NAMES = re.compile(
    r"/\w[\w/]*|\bn1(?:/x)?(?: \(B1\))?|\bx\b|ca\.crt|\b64\b"
    r"|\b(?:min|ends|ended|killed|away|events|telemetry|incidents(?= is))\b"
)


@pytest.mark.parametrize("what", FIGURES)
def test_figures_are_said_in_both_languages_without_names(what: str) -> None:
    wanted = set(re.findall(r"\d[\d.:-]*\d|\d", NAMES.sub("", what).replace("95 %", "")))
    for language in ("zh-CN", "en"):
        said = figures(what, Words(language, {}))
        assert said is not None
        assert bool(CHINESE.search(said)) == (language == "zh-CN")
        assert "/" not in said
        missing = wanted - set(re.findall(r"\d[\d.:-]*\d|\d", said))
        # How many came follows from how many were made and lost; an address is not repeated.
        assert missing <= {"5", "10.0.0.9"}, said


def test_the_doctor_says_it_in_these_words() -> None:
    source = "".join(path.read_text() for path in sorted(DOCTOR.glob("*.py")))
    spoken = re.sub(r'"\s+f?"', "", source)
    spoken = COUNTED.sub(lambda one: "{} " + (one[2] or f"{one[1]}s"), spoken)
    for what in FIGURES:
        for part in re.split(r"[\d.]+(?:[:-]\d+)*", NAMES.sub("0", what)):
            words = part.strip(" ():,")
            assert words in spoken, (what, words)


def test_figures_are_for_those_who_may_arrange(folder: Folder, client: TestClient) -> None:
    put(
        folder,
        Finding(code="disk-low", level="bad", what=FIGURES[0], do="Make room"),
        *(
            Finding(code="edge-disk", level="warning", what=FIGURES[2], about=node)
            for node in (NODE, "c001-n08")
        ),
    )
    as_who(client, "boss", "zh-CN")
    page = text_of(client, "/health")
    assert "<p>剩余 0.1 GB。</p>" in page
    assert "<p>3 号楼：剩余 0.4 GB。</p>" in page
    assert "<p>c001-n08：剩余 0.4 GB。</p>" in page
    as_who(client, "wang", "zh-CN")
    page = text_of(client, "/health")
    assert "GB" not in page
    assert "详情" not in page, "nothing stands below for the duty desk"


def test_no_advice_speaks_of_details_that_only_some_see() -> None:
    assert not [one.do for one in (*ADVICE.values(), OTHER) if "below" in one.do]
