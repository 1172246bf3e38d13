"""Places and what stands in them, and lists that are looked at first, on a real registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import AREA, CAMERA, NODE, PASSWORDS, SITE, Folder

from dashboards.web import mount
from dashboards.web.registry_words import fault_words, file_words
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.registry.rules import Breach
from ingest.registry.values import RULES
from ingest.services.registry import RegistryService
from linli.events import CameraReport

LIST = (
    "类型,编号,名称,位置,种类,型号,上级网络\n"
    f"楼栋,{SITE}/{AREA},3 号楼,,,,\n"
    f'单元,{SITE}/{AREA}/u1,"1\n单元",,,,\n'
    f"设备,{NODE}/sw-1,弱电交换机,,交换机,S1,\n"
    f"设备,{NODE}/lamp-1,<b>门灯</b>,{SITE}/{AREA}/u1,路灯,,{NODE}/sw-1\n"
    f"公共区域,{SITE}/garden,花园,,,,\n"
)
CHINESE = Words("zh-CN", {})


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
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        yield client


def sign_in(client: TestClient, name: str) -> str:
    form = {"name": name, "password": PASSWORDS[name][1], "next": "/settings/password"}
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.post("/login", data=form).text
    )
    assert found is not None
    return found.group(1)


def upload(client: TestClient, token: str, data: bytes, **fields: str) -> Any:
    form = {"csrf_token": token, **fields}
    return client.post("/registry/import", data=form, files={"file": ("list.csv", data)})


def confirm(client: TestClient, token: str, shown: str) -> Any:
    """Send the form that a preview holds, as a browser would: lines end in CR LF."""
    text = re.search(r'<textarea name="text"[^>]*>\n(.*?)</textarea>', shown, re.DOTALL)
    tag = re.search(r'name="tag" value="([^"]+)"', shown)
    assert text is not None
    assert tag is not None
    sent = unescape(text[1]).replace("\r\n", "\n").replace("\n", "\r\n")
    form = {"csrf_token": token, "tag": tag[1], "type": "", "text": sent}
    # A file nobody chose makes it the form that browsers send.
    return client.post("/registry/import", data=form, files={"none": ("", b"")})


def test_a_list_from_a_spreadsheet_becomes_a_tree(client: TestClient, folder: Folder) -> None:
    token = sign_in(client, "boss")
    shown = upload(client, token, LIST.encode("gbk")).text
    assert "Called: b03 → 3 号楼" in shown
    assert "&lt;b&gt;门灯&lt;/b&gt;" in shown
    assert "花园" not in client.get("/registry").text
    done = confirm(client, token, shown)
    assert "5 records were brought in" in done.text
    page = client.get("/registry").text
    assert re.search(r"3 号楼</a>\s*<span[^>]*>Building · 4 devices", page)
    assert re.search(r"花园</a>\s*<span[^>]*>Public area · 0 devices", page)
    inside = client.get("/registry", params={"place": f"{SITE}/{AREA}"}).text
    assert inside.index("1 单元</a>") < inside.index("What stands here")
    assert "Lamp · 1 单元" in inside
    assert "Nothing is open here" in inside
    assert re.findall(r"<dt>3/2</dt><dd>(\S+)</dd>", inside) == ["0"]
    found = client.get("/registry", params={"q": "花"}).text
    assert "花园</a>" in found
    assert "3 号楼" not in found
    assert "No place is called so" in client.get("/registry", params={"q": "%"}).text
    assert "4 were not heard of" in page
    assert "behind 弱电交换机" in inside
    assert "Network switch · S1" in inside
    again = upload(client, token, LIST.encode()).text
    assert "Everything is as the list says already" in again


def test_a_place_without_a_name_is_called_as_incidents_call_it(client: TestClient) -> None:
    sign_in(client, "boss")
    assert re.search(r"Building 3</a>", client.get("/registry").text)


def test_what_ails_stands_first(client: TestClient, folder: Folder) -> None:
    token = sign_in(client, "boss")
    confirm(client, token, upload(client, token, LIST.encode()).text)
    folder.put_status("ready")
    folder.put_report(CameraReport(device=CAMERA, state="failed", fps=0, dropped=0))
    for _ in range(200):
        client.app.state.house.wake()
        if "needs a look" in client.get("/registry").text:
            break
    inside = client.get("/registry", params={"place": f"{SITE}/{AREA}"}).text
    assert inside.index(f"{NODE}/{CAMERA}") < inside.index(f"{NODE}/sw-1")


def test_refused_rows_are_named_in_words_and_nothing_is_done(client: TestClient) -> None:
    token = sign_in(client, "boss")
    bad = LIST + f"设备,{NODE}/Lamp 2,x,,路灯,,\n人员,wang,王,,,,\n"
    client.headers["accept-language"] = "zh"
    shown = upload(client, token, bad.encode()).text
    assert "第 7 行" in shown
    assert "应为“边缘盒/设备”" in shown
    assert f"是不是 {NODE}/lamp-2？" in shown
    assert "第 8 行</strong> · 岗位" in shown
    assert "改好这些行之后会发生的变化" in shown
    assert "确认，就这样修改" not in shown
    assert 'aria-label="请先改正这些行' in shown
    assert "<textarea" not in shown


def test_a_preview_that_no_longer_holds_is_shown_again(client: TestClient) -> None:
    token = sign_in(client, "boss")
    shown = upload(client, token, LIST.encode()).text
    headers = {"X-CSRF-Token": token}
    place = {"label": "绿地", "kind": "area"}
    client.put(f"/api/v1/registry/places/{SITE}/garden", json=place, headers=headers)
    again = confirm(client, token, shown).text
    assert "Somebody changed something meanwhile" in again
    assert "Called: 绿地 → 花园" in again
    assert 'aria-label="What would change"' in again
    assert "brought in" in confirm(client, token, again).text
    assert (
        'aria-label="Everything is as the list says already."'
        in upload(client, token, LIST.encode()).text
    )


def test_a_list_without_types_is_asked_what_it_is(client: TestClient) -> None:
    token = sign_in(client, "boss")
    data = f"编号,名称,种类\n{NODE}/bin-1,桶,垃圾桶\n".encode()
    shown = upload(client, token, data)
    assert "choose below what it lists" in shown.text
    shown = upload(client, token, data, type="device")
    assert "Kind: Bin" in shown.text
    assert '<option value="device" selected>' in shown.text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04\x00", "Save it from the spreadsheet as CSV"),
        (b"", "no column with the title"),
        ("类型,编号,标识\n".encode(), "Two columns mean the same"),
        (b'type,id,label\nteam,x,"open\n', "a quote is not closed"),
        (b"type,id\n" + b"team,x\n" * 20_001, "more than 20000 rows"),
    ],
)
def test_files_that_cannot_be_used(client: TestClient, data: bytes, words: str) -> None:
    answer = upload(client, sign_in(client, "boss"), data)
    assert answer.status_code == 200
    assert words in unescape(answer.text)


def test_only_administrators_bring_in_lists_and_only_from_our_form(client: TestClient) -> None:
    token = sign_in(client, "wang")
    assert client.get("/registry").status_code == 200
    assert "Bring in a list" not in client.get("/registry").text
    assert client.get("/registry/import").status_code == 403
    assert upload(client, token, LIST.encode()).status_code == 403
    token = sign_in(client, "boss")
    assert upload(client, "guess", LIST.encode()).status_code == 403
    crossed = {"sec-fetch-site": "cross-site"}
    form = {"csrf_token": token}
    answer = client.post("/registry/import", data=form, headers=crossed)
    assert answer.status_code == 403
    assert client.get("/registry", params={"place": f"{SITE}/none"}).status_code == 404
    assert client.get("/registry", params={"place": "c001/b"}).status_code == 404


def test_every_rule_is_known_in_chinese() -> None:
    said = {fault_words(rule, "", CHINESE) for rule in (*RULES.values(), "is needed", "yes or no")}
    assert not [text for text in said if not re.search(r"[\u4e00-\u9fff]", text)]
    source = Path(str(Breach.__module__.replace(".", "/")) + ".py")
    text = (Path(__file__).parents[2] / source).read_text(encoding="utf-8")
    for rule in re.findall(r'rule = f?"([^"]+)"', text):
        shown = fault_words(re.sub(r"\{[^}]*\}", "x", rule).replace("x", "'x'", 1), "", CHINESE)
        assert re.search(r"[\u4e00-\u9fff]", shown), rule
    assert file_words("unknown", CHINESE) == "unknown"
    assert RegistryService.things.__doc__
