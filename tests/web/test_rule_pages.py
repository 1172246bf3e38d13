"""Rules as forms: tried, saved, switched, restored; two people at once; the text beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import arranging
import pytest
from arranging import said, sign_in
from fastapi.testclient import TestClient
from house import CAMERA, NODE, Folder

from dashboards.web import rule_fields
from dashboards.web.rule_fields import Names
from dashboards.web.words import Words
from ingest.rules import loading
from ingest.rules.document import AnyRule
from ingest.rules.editing import placed, rules_of, values_of
from ingest.store.journal import CLOCK
from linli.events import Reading

RULES = "/settings/rules"
TEXT = """# our own rules
[[rule]]
type = "event"   # of the doors
id = "door"
label = "门没关"
event = ["door-open"]
for = "10min"
"""
HOT = {
    "kind": "threshold",
    "name": "",
    "id": "hot",
    "label": "Too <hot>",
    "severity": "high",
    "enabled": "yes",
    "reading": "temperature",
    "above": "60",
    "clear": "50",
    "hits": "1",
    "of": "1",
    "clear_after": "10",
    "clear_after.unit": "min",
    "flap": "2",
    "flap.unit": "min",
    "late_after": "5",
    "late_after.unit": "min",
    "during[0].from": "06:00",
    "during[0].to": "00:00",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    yield from arranging.folder(tmp_path)


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    yield from arranging.client(folder)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A house that nobody changes, so that it is made once."""
    for made in arranging.folder(tmp_path_factory.mktemp("house")):
        yield from arranging.client(made)


@pytest.fixture(scope="module")
def boss(house: TestClient) -> str:
    return sign_in(house, "boss")


def tag(page: str) -> str:
    found = re.search(r'name="tag" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def save(client: TestClient, token: str, do: str = "save", **changes: str) -> Any:
    shown = client.get(f"{RULES}/new", params={"kind": "threshold"}).text
    form = {**HOT, "csrf_token": token, "tag": tag(shown), "do": do, **changes}
    return client.post(f"{RULES}/edit", data=form)


def warm(folder: Folder) -> None:
    for value in (61, 20, 70, 71):
        folder.put_readings(Reading(n="temperature", v=value, u="Cel", t=folder.clock.now()))
        folder.clock.advance(60)
    folder.put(CLOCK, "tick", b"", device="")


def test_rule_is_tried_on_history_then_saved_and_listed_in_words(
    client: TestClient,
    folder: Folder,
) -> None:
    warm(folder)
    token = sign_in(client, "boss")
    tried = said(save(client, token, do="7"))
    assert "It would have raised 2 incidents in 7 days." in tried
    assert "<title>2026-03-02: 2</title>" in tried
    assert f"<td>{NODE}/{CAMERA}</td><td>2</td>" in tried or "<td>1 号电梯</td><td>2</td>" in tried
    assert 'value="Too <hot>"' in tried, "what was typed stays"
    assert "Too <hot>" not in said(client.get(RULES)), "trying changes nothing"
    page = said(save(client, token))
    assert "Saved. It holds within seconds." in page
    assert "When it is above: <strong>60</strong>" in page
    assert "Hours: <strong>06:00–00:00</strong>" in page
    assert "as it is since version 1" in page
    kept = client.get("/api/v1/rules").json()["text"]
    assert "hits" not in kept, "what is usual is not written down"
    log = said(client.get(f"{RULES}/log"))
    assert "New: Too <hot>" in log
    assert "boss" in log


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"above": "", "clear": ""}, "above", "Fill in one of the two"),
        ({"clear": "70"}, "clear", "not be higher than the limit above"),
        ({"above": "hot"}, "above", "A number is needed"),
        ({"hits": "9"}, "hits", "More than the readings"),
        ({"for": "1.5"}, "for", "This has the wrong form"),
        ({"for": "40", "for.unit": "d"}, "for", "At most 31 days"),
        ({"reading": ""}, "reading", "This is needed"),
        ({"label": ""}, "label", "This is needed"),
        ({"during[0].to": ""}, "during-0-to", "This is needed"),
    ],
    ids=("limit", "clear", "number", "hits", "span", "long", "reading", "label", "hours"),
)
def test_what_breaks_a_rule_is_said_at_its_field(
    house: TestClient,
    boss: str,
    changes: dict[str, str],
    field: str,
    text: str,
) -> None:
    answer = save(house, boss, **changes)
    assert answer.status_code == 422
    found = re.search(rf'id="f-{field}-wrong">([^<]*)<', answer.text)
    assert found is not None, said(answer)
    assert text in found[1]
    assert house.get("/api/v1/rules").json()["version"] == 0


def test_chinese_pages_say_in_chinese_what_is_wrong(house: TestClient, boss: str) -> None:
    form = {"csrf_token": boss, "tag": tag(house.get(f"{RULES}/text").text), "do": "save"}
    chinese = {"accept-language": "zh-CN"}
    wrong = TEXT.replace("10min", "ten")
    answer = house.post(f"{RULES}/text", data={**form, "text": wrong}, headers=chinese)
    assert answer.status_code == 422
    assert "规则 door · for：格式不对" in said(answer)
    for name in ("passages", "door-hold", "voice-prompt", "lamp-set"):
        form_of = said(house.get(f"{RULES}/one/{name}", headers=chinese))
        ticked = re.findall(r'name="event" value="([a-z-]+)" checked> ([^<]+)<', form_of)
        assert ticked
        assert not [word for _, word in ticked if re.search("[a-z]", word)], ticked
    shown = said(house.get(f"{RULES}/one/fire", headers=chinese))
    assert "<h1>烟雾、燃气或火情" in shown, "a built-in rule is called as on the list"


def test_second_of_two_editors_is_told_and_nothing_is_overwritten(client: TestClient) -> None:
    token = sign_in(client, "boss")
    before = tag(client.get(f"{RULES}/new", params={"kind": "threshold"}).text)
    assert save(client, token).status_code == 200
    assert "Saved" in said(save(client, token, tag=before)), "a button pressed twice"
    taken = save(client, token, tag=before, label="mine")
    assert "Another rule has this short name" in said(taken)
    other = save(client, token, tag=before, name="hot", label="mine")
    assert other.status_code == 422
    assert "boss saved other rules at today" in said(other)
    assert 'value="mine"' in other.text
    assert "mine" not in client.get("/api/v1/rules").json()["text"]


def test_switched_off_and_on_taken_out_and_brought_back(client: TestClient) -> None:
    token = sign_in(client, "boss")
    form = {"csrf_token": token}

    def press(path: str) -> str:
        known = client.get("/api/v1/rules").json()["tag"]
        return said(client.post(path, data={**form, "tag": known}))

    client.post(
        f"{RULES}/text",
        data={**form, "text": TEXT, "do": "save", "tag": tag(client.get(f"{RULES}/text").text)},
    )
    off = press(f"{RULES}/one/door/off")
    assert "switched off" in off
    text = client.get("/api/v1/rules").json()["text"]
    assert "# of the doors" in text, "comments stay"
    assert "enabled = false" in text
    assert press(f"{RULES}/one/door/on").count("switched off") == 0
    assert client.get("/api/v1/rules").json()["text"] == TEXT
    built = press(f"{RULES}/one/fire/off")
    assert "Smoke, gas or fire" in built
    assert "enabled = false" in client.get("/api/v1/rules").json()["text"]
    gone = press(f"{RULES}/one/door/remove")
    assert "门没关" not in gone
    log = said(client.get(f"{RULES}/log"))
    assert "Taken out: 门没关" in log
    assert "门没关: switched off" in log
    back = press(f"{RULES}/log/1")
    assert "门没关" in back
    assert client.get("/api/v1/rules").json()["text"] == TEXT
    stale = client.post(f"{RULES}/one/door/off", data={**form, "tag": "1-old"})
    assert stale.status_code == 412
    assert "boss saved other rules at today" in said(stale)
    late = client.post(f"{RULES}/log/2", data={**form, "tag": "1-old"})
    assert late.status_code == 412
    assert "nothing of yours was done" in said(late)
    assert client.get("/api/v1/rules").json()["text"] == TEXT
    again = client.post(f"{RULES}/log/1", data={**form, "tag": "1-old"})
    assert "Saved" in said(again), "it is so already: a button pressed twice"


def test_text_is_checked_as_a_whole_and_kept_while_wrong(house: TestClient, boss: str) -> None:
    known = tag(house.get(f"{RULES}/text").text)
    wrong = TEXT.replace("10min", "ten")
    form = {"csrf_token": boss, "tag": known, "text": wrong, "do": "save"}
    answer = house.post(f"{RULES}/text", data=form)
    assert answer.status_code == 422
    assert "Rule door · for: This has the wrong form" in said(answer)
    assert "ten" in answer.text
    tried = said(house.post(f"{RULES}/text", data={**form, "text": TEXT, "do": "30"}))
    assert "<td>门没关</td><td>0</td>" in tried


def test_only_who_may_arrange_changes_rules_everybody_reads_them(client: TestClient) -> None:
    token = sign_in(client, "guest")
    page = said(client.get(RULES))
    assert "Smoke, gas or fire" in page
    assert "Switch off" not in page
    assert client.get(f"{RULES}/one/fire").status_code == 403
    assert client.post(f"{RULES}/edit", data={**HOT, "csrf_token": token}).status_code == 403
    sign_in(client, "boss")
    assert client.post(f"{RULES}/edit", data={**HOT, "csrf_token": "x"}).status_code == 403
    assert client.get(f"{RULES}/one/nothing").status_code == 404
    assert client.get(f"{RULES}/new", params={"kind": "magic"}).status_code == 404
    assert f"{RULES}/new?kind=absence" in client.get(f"{RULES}/new").text


def test_what_each_rule_raised_of_late_is_counted(client: TestClient, folder: Folder) -> None:
    sign_in(client, "boss")
    folder.put_event(folder.event())
    for _ in range(2000):
        client.app.state.house.wake()  # type: ignore[attr-defined]
        found = client.get("/api/v1/rules/fired").json()
        if found["rules"]:
            break
    assert sum(found["rules"].values()) == 1
    assert "1 incident in 30 days" in said(client.get(RULES))
    folder.clock.advance(timedelta(days=31).total_seconds())
    assert client.get("/api/v1/rules/fired").status_code == 401  # the session is over


EXAMPLES = """
[[rule]]
type = "event"
id = "e"
label = "e"
event = ["door-open", "*"]
zone = ["z"]
object = ["person"]
confidence = 0.5
severity = "low"
for = "90s"
raises = false
safety = true
where = { node = ["n1"], device = ["n1/d"], kind = ["lamp"], place = ["b03/e1"], group = ["g"] }
during = [{ from = "18:30", to = "06:00", days = ["mon", "sun"] }]
[[rule]]
type = "threshold"
id = "t"
label = "t"
reading = "x"
below = -2.5
clear = 1
hits = 3
of = 5
for = "2h"
stale = "30min"
incident = "i"
[[rule]]
type = "rate"
id = "r"
label = "r"
event = ["a"]
count = 3
within = "1h"
per = "group"
where = { group = ["g"] }
[[rule]]
type = "absence"
id = "a"
label = "a"
for = "10min"
reading = "x"
[[rule]]
type = "change"
id = "c"
label = "c"
reading = "x"
by = 20
direction = "up"
within = "15min"
[[group]]
id = "g"
kind = ["camera"]
"""


@pytest.mark.parametrize("name", ["e", "t", "r", "a", "c"])
def test_every_key_of_a_rule_survives_its_form(name: str) -> None:
    """What the form shows, sent back untouched, is the same rule."""
    from starlette.datastructures import FormData  # noqa: PLC0415

    loading.load(EXAMPLES)
    rule: AnyRule = rules_of(EXAMPLES)[name]
    values, words = values_of(rule), Words("en", {})
    shown, windows = rule_fields.shown(values["type"], values, Names(), words, {})
    sent: list[tuple[str, str]] = []
    for field in [*shown, *(one for row in windows for one in row.fields)]:
        kind = field.spec.kind
        if kind == "several":
            sent += [(field.name, one) for one in sorted(field.chosen)]
        elif kind == "check":
            sent += [(field.name, "yes")] if field.chosen else []
        elif kind == "choice":
            sent.append((field.name, next(iter(field.chosen), "")))
        else:
            sent.append((field.name, field.value))
            if kind == "span":
                sent.append((f"{field.name}.unit", field.unit))
    read = rule_fields.read(values["type"], name, FormData(sent), words)
    again = rules_of(placed(EXAMPLES, name, read))[name]
    assert _sorted(values_of(again)) == _sorted(values_of(rule))


def _sorted(values: dict[str, Any]) -> dict[str, Any]:
    lists = {key: sorted(one) for key, one in values.items() if key in {"event", "object"} and one}
    spans = {key: one for key, one in values.items() if key not in {"for", "during"}}
    windows = [{**one, "days": sorted(one["days"])} for one in values["during"]]
    return {**spans, **lists, "during": windows}
