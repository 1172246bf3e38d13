"""Channels by a page: written down, tried, changed, taken away, and no secret seen again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, get_args

import arranging
import msgspec
import pytest
from arranging import said, sign_in
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import Folder
from providers import Provider

from dashboards.web import channel_form, fault_words
from dashboards.web.words import Words
from ingest.notify.vault import KEY_FILE, Vault
from ingest.notify_settings import AnyChannel, Notify, WecomBotSettings
from ingest.services.channel_papers import SECRETS
from linli.cli.main import command
from linli.errors import InputError

SECRET, NEWER = "first-s3cret-of-all", "second-s3cret-of-all"
HOOK = {"name": "city", "secret": SECRET, "why": "the city asked"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    for made in arranging.folder(tmp_path):
        fixed = WecomBotSettings(name="fixed")
        notify = Notify(channels=(fixed,), allow_networks=("127.0.0.0/8",))
        made.settings = msgspec.structs.replace(made.settings, notify=notify)
        yield made


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    yield from arranging.client(folder)


def save(client: TestClient, token: str, kind: str, **form: str) -> Any:
    return client.post(f"/channels/edit/{kind}", data={"csrf_token": token, **form})


def tag(client: TestClient, name: str = "city") -> str:
    found = re.search(r'name="tag" value="([^"]+)"', client.get(f"/channels/one/{name}").text)
    assert found is not None
    return found[1]


def held(folder: Folder) -> bytes:
    """Return every byte of the data folder but the one key."""
    found = (one for one in folder.path.rglob("*") if one.is_file() and one.name != KEY_FILE)
    return b"".join(one.read_bytes() for one in found)


def test_a_channel_is_written_down_tried_changed_and_taken_away(
    client: TestClient, folder: Folder
) -> None:
    token = sign_in(client, "boss")
    assert "from the settings file" in said(client.get("/channels"))
    assert "/channels/new?kind=webhook" in client.get("/channels/new").text
    lacking = save(client, token, "webhook", name="city")
    assert lacking.status_code == 422
    assert 'id="f-secret-wrong">This is needed' in lacking.text
    taken = save(client, token, "webhook", **HOOK | {"name": "fixed"})
    assert "The settings file of the server has a channel of this name" in said(taken)
    assert SECRET not in taken.text, "not even the one that was just typed"
    assert "It holds within seconds" in said(save(client, token, "webhook", **HOOK))
    again = save(client, token, "webhook", **HOOK)
    assert "This short name is taken" in said(again)

    with Provider({}) as provider:
        form = {"csrf_token": token, "address": f"{provider.url}in", "language": "en"}
        answer = client.post("/channels/city/test", data=form)
        assert "The provider took the test message" in said(answer)
        before = provider.asked[0]["headers"]
        changed = {"old": "city", "tag": tag(client), "pictures": "yes"}
        save(client, token, "webhook", **changed)
        save(client, token, "webhook", **changed | {"tag": tag(client), "secret": NEWER})
        client.post("/channels/city/test", data=form)
        assert provider.asked[1]["headers"] != before

    log = said(client.get("/settings/papers/channel/city/log"))
    assert "Secret that signs: written down anew" in log
    assert "Pictures may go there: no → yes" in log
    assert "the city asked" in log
    late = save(client, token, "webhook", old="city", tag="1-old", secret="x")
    assert "Somebody changed this meanwhile" in said(late)
    back = {"csrf_token": token, "tag": tag(client)}
    assert client.post("/settings/papers/channel/city/log/1", data=back).status_code == 200
    kept = client.get("/api/v1/notifications/channels/city").json()
    assert kept["pictures"] is False
    with_of = Vault(folder.path, folder.reader("state"))
    assert with_of(kept["secret_file"]) == NEWER, "an old version comes back with the secret of now"

    for path in ("/channels", "/channels/one/city", "/settings/papers/channel/city/log"):
        page = unescape(client.get(path).text)
        assert SECRET not in page
        assert NEWER not in page
    everything = held(folder)
    assert SECRET.encode() not in everything
    assert NEWER.encode() not in everything
    assert len(re.findall("channel-changed", client.get("/api/v1/audit").text)) == 4

    gone = client.post("/channels/one/city/remove", data={**back, "tag": tag(client)})
    assert gone.status_code == 200
    assert client.get("/channels/one/city").status_code == 404
    with pytest.raises(InputError, match="its secret is gone"):
        with_of(kept["secret_file"])


def test_only_administrators_write_channels_and_files_are_not_read(
    client: TestClient, folder: Folder
) -> None:
    path = "/api/v1/notifications/channels/city"
    token = sign_in(client, "wang")
    headers = {"X-CSRF-Token": token}
    body = {"type": "webhook", "secret": SECRET}
    assert client.put(path, json=body, headers=headers).status_code == 403
    assert save(client, token, "webhook", **HOOK).status_code == 403
    assert client.get("/channels/new").status_code == 403
    headers = {"X-CSRF-Token": sign_in(client, "boss")}
    stolen = {"type": "webhook", "secret_file": str(folder.path / "link-key")}
    answer = client.put(path, json=stolen, headers=headers)
    assert answer.status_code == 422
    assert "secret_file" in answer.text
    for wrong in (
        {"type": "webhook", "secret": 3},
        {"type": "pigeon"},
        {},
        {"type": "ntfy", "url": "ftp://x"},
        {"type": "mail", "host": "h", "sender": "a", "port": 70000},
        {
            "type": "wecom-app",
            "corporation": "c",
            "agent": 1,
            "secret": "s",
            "callback_token": "t",
        },
        {
            "type": "wecom-app",
            "corporation": "c",
            "agent": 1,
            "secret": "s",
            "callback_token": "t",
            "callback_key": "short",
        },
    ):
        assert client.put(path, json=wrong, headers=headers).status_code == 422, wrong
    assert client.put(path, json=body, headers=headers).status_code == 201
    assert client.put(path, json=body, headers=headers).status_code == 428
    assert client.get("/settings/papers/channel/city").url.path == "/channels/one/city"


def test_a_kept_secret_goes_nowhere_else(client: TestClient) -> None:
    token = sign_in(client, "boss")
    headers, path = {"X-CSRF-Token": token}, "/api/v1/notifications/channels/post"
    mail = {"type": "mail", "host": "127.0.0.1", "sender": "a@b.test", "username": "a"}
    made = client.put(path, json={**mail, "secret": SECRET}, headers=headers)
    assert made.status_code == 201, made.text
    kept = {**mail, "secret_file": made.json()["secret_file"]}
    seen = {**headers, "If-Match": made.headers["etag"]}
    for moved in (
        {**kept, "host": "127.0.0.2"},
        {**kept, "port": 2525},
        {**kept, "security": "none"},
        {"type": "ntfy", "url": "http://127.0.0.1/", "secret_file": kept["secret_file"]},
    ):
        answer = client.put(path, json=moved, headers=seen)
        assert answer.status_code == 422, moved
        assert "goes elsewhere: write it down again" in answer.text
    assert client.patch(path, json={"port": 2525}, headers=seen).status_code in (405, 422)
    form = {"old": "post", "tag": tag(client, "post"), **mail, "host": "127.0.0.2"}
    page = save(client, token, "mail", **form)
    assert 'id="f-secret-wrong">The channel goes elsewhere now: write this down again' in page.text
    same = client.put(path, json={**kept, "port": 587, "security": "starttls"}, headers=seen)
    assert same.status_code == 200, "defaults are what they stand for"
    seen = {**headers, "If-Match": same.headers["etag"]}
    away = client.put(path, json={**mail, "host": "127.0.0.2", "secret": NEWER}, headers=seen)
    assert away.status_code == 200
    seen = {**headers, "If-Match": away.headers["etag"]}
    back = client.post(f"{path}/history/1/restore", json={}, headers=seen)
    assert back.status_code == 422, "the secret of now is none for the server of then"
    assert "goes elsewhere" in back.text


def test_a_channel_leads_to_no_network_inside(client: TestClient) -> None:
    headers, path = {"X-CSRF-Token": sign_in(client, "boss")}, "/api/v1/notifications/channels/in"
    for inside in (
        {"type": "feishu", "url": "http://10.1.2.3/x"},
        {"type": "ntfy", "url": "https://169.254.169.254/"},
        {"type": "mail", "host": "10.1.2.3", "sender": "a@b.test"},
        {"type": "wecom-app", "corporation": "c", "agent": 1, "secret": "s", "url": "http://[::1]"},
    ):
        answer = client.put(path, json=inside, headers=headers)
        assert answer.status_code == 422, inside
        assert "leads to an address inside" in answer.text
    unknown = {"type": "mail", "host": "mail.invalid", "sender": "a@b.test"}
    assert client.put(path, json=unknown, headers=headers).status_code == 201, (
        "judged when it sends"
    )


def test_a_long_secret_is_refused_and_not_cut(client: TestClient) -> None:
    token = sign_in(client, "boss")
    longest = save(client, token, "webhook", **HOOK | {"secret": "x" * 4097})
    assert 'id="f-secret-wrong">This is too long or too short' in longest.text
    assert "maxlength" not in re.findall(r'<input type="password"[^>]*>', longest.text)[0]
    assert "It holds within seconds" in said(
        save(client, token, "webhook", **HOOK | {"secret": "x" * 4096})
    )


def test_who_is_reached_by_it_keeps_it(client: TestClient, folder: Folder) -> None:
    headers = {"X-CSRF-Token": sign_in(client, "boss")}
    path, person = "/api/v1/notifications/channels/post", "/api/v1/registry/people/li"
    bot = {"type": "feishu"}
    made = client.put(path, json=bot, headers=headers)
    assert made.status_code == 201
    li = {"label": "李", "role": "duty"}
    known = client.put(person, json=li, headers={**headers, "If-None-Match": "*"})
    assert known.status_code == 201, known.text
    ways = {"ways": [{"channel": "post", "address": "TOKEN"}]}
    contacts = client.put("/api/v1/duty/contacts/person:li", json=ways, headers=headers)
    assert contacts.status_code == 201, contacts.text
    seen = {**headers, "If-Match": made.headers["etag"]}
    kept = client.delete(path, headers=seen)
    assert kept.status_code == 422
    assert "person:li is reached by it" in kept.text
    token = headers["X-CSRF-Token"]
    form = {"csrf_token": token, "tag": tag(client, "post")}
    refused = client.post("/channels/one/post/remove", data=form)
    assert "people are reached by it. Change that first: person:li" in said(refused)
    assert client.get(path).status_code == 200


def test_a_key_that_is_gone_is_said(tmp_path: Path) -> None:
    from ingest.store.engine import writing  # noqa: PLC0415

    folder = Folder(tmp_path)
    vault = Vault(folder.path, folder.reader("state"))
    with writing(folder.state) as connection:
        name = vault.keep(connection, SECRET)
    assert vault(name) == SECRET
    assert (folder.path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    (folder.path / KEY_FILE).write_text("00" * 32)
    with pytest.raises(InputError, match="cannot be opened by this key"):
        vault(name)
    (folder.path / KEY_FILE).unlink()
    with pytest.raises(InputError):
        vault(name)
    folder.close()


def test_a_test_at_the_command_line_is_written_down(client: TestClient, folder: Folder) -> None:
    headers = {"X-CSRF-Token": sign_in(client, "boss")}
    with Provider({"errcode": 0}) as provider:
        bot = {"type": "wecom-bot", "url": f"{provider.url}send"}
        path = "/api/v1/notifications/channels/by-page"
        assert client.put(path, json=bot, headers=headers).status_code == 201
        config = folder.path / "ingest.toml"
        site = f'data = "."\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}'
        config.write_text(site)
        arguments = ["ingest", "notify", "test", "by-page", "KEY", "--config", str(config)]
        inside = CliRunner().invoke(command, arguments)
        assert inside.exit_code == 1
        assert "leads to an address inside" in str(inside.exception)
        assert not provider.asked, "nothing was sent there"
        config.write_text(f'{site}[notify]\nallow_networks = ["127.0.0.0/8"]\n')
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, done.output
        assert len(provider.asked) == 1
    rows = client.get("/api/v1/audit", params={"act": "message-tried"}).json()["items"]
    assert rows[0]["subject"] == "by-page"
    assert rows[0]["actor"].startswith("cli")


@pytest.mark.parametrize("one", get_args(AnyChannel), ids=lambda one: one.__name__)
def test_every_setting_of_a_channel_has_a_field(one: Any) -> None:
    kind, words = str(one.__struct_config__.tag), Words("zh-CN", {})
    specs = {SECRETS.get(spec.name, spec.name): spec for spec in channel_form.specs(kind, words)}
    assert set(specs) == set(one.__struct_fields__) - {"name"}
    required = {field.name for field in msgspec.structs.fields(one) if field.required}
    assert {name for name, spec in specs.items() if spec.needed} == required - {"name"}


@pytest.mark.parametrize(
    "what",
    [
        "is that of a channel in the settings file",
        "there are 32 channels already",
        "needs both, token and key",
        "must be text of 1 to 4096 characters",
        "its secret cannot be opened by this key",
        "Apprise is not installed",
    ],
)
def test_what_is_wrong_with_a_channel_is_said_in_chinese(what: str) -> None:
    assert re.search("[\u4e00-\u9fff]", fault_words.of_paper(what, Words("zh-CN", {})))
