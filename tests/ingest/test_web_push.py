"""Web push: the standard's own example, a service that opens what it gets, and phones added."""

from __future__ import annotations

import ipaddress
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from house import ADMIN, Folder, sign_in
from phones import TEAM, Phone, phone
from providers import Provider
from pushes import Handset, claims, opened

from ingest.notify.message import Failed, Message, Sent
from ingest.notify.posting import open_client
from ingest.notify.push_desk import KEY_FILE, ORDER, Browser, PushDesk, PushKey, decoded, encoded
from ingest.notify.push_seal import MOST_BYTES, browser_of, public_of, sealed
from ingest.notify.web_push import NOBODY, WebPush, payload
from ingest.notify_settings import Notify, WebPushSettings
from linli.errors import InputError

NOW = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
HOME = (ipaddress.ip_network("127.0.0.0/8"),)
MESSAGE = Message(
    key="0195abc" * 6,
    title="【紧急】#12 电动车进电梯",
    lines=("3栋1号电梯", "11:24 起"),
    severity="critical",
    number=12,
    link="https://linli.example/i/12",
    picture=b"\xff\xd8jpeg",
    asks=True,
)
# RFC 8291, appendix A.
SALT, AUTH = "DGv6ra1nlYgDCS1FRnbzlw", "BTBZMqHH6r4Tts7J_aSIgg"
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
THEIRS, OURS = (
    ec.derive_private_key(int.from_bytes(decoded(text)), ec.SECP256R1())
    for text in (
        "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
        "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    )
)
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def test_the_standard_s_own_example() -> None:
    text = b"When I grow up, I want to be a watermelon"
    to = browser_of("https://push.example", POINT, AUTH)
    assert encoded(sealed(text, to, salt=decoded(SALT), sender=OURS)) == BODY
    assert opened(decoded(BODY), THEIRS, decoded(AUTH)) == text


def test_what_is_too_long_is_refused_and_the_longest_fits() -> None:
    phone = Handset("https://push.example")
    assert len(sealed(b"x" * MOST_BYTES, phone.browser)) == 4096
    with pytest.raises(ValueError, match="at most"):
        sealed(b"x" * (MOST_BYTES + 1), phone.browser)
    long = msgspec.structs.replace(
        MESSAGE, title='"' * 900, lines=("电\n\\" * 900,), link="https://x.example/i/" + "a" * 120
    )
    assert len(payload(long)) <= MOST_BYTES


def test_our_keys_are_numbers_of_the_curve() -> None:
    ec.derive_private_key(ORDER - 1, ec.SECP256R1())
    with pytest.raises(ValueError):
        ec.derive_private_key(ORDER, ec.SECP256R1())


def test_an_ingest_without_web_push_holds_no_cipher() -> None:
    code = "import sys, ingest.app; print('cryptography.hazmat.primitives.ciphers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("point", "auth"),
    [
        ("", ""),
        (POINT, "AAAA"),
        (POINT[:-4], AUTH),
        ("B" + "A" * 86, AUTH),  # no point of the curve
        ("键", AUTH),
        ("!" * 87, AUTH),
    ],
)
def test_keys_that_are_none_are_refused(point: str, auth: str) -> None:
    with pytest.raises(ValueError):
        browser_of("https://push.example", point, auth)


def test_our_key_is_private_and_stays(tmp_path: Path) -> None:
    made = PushKey(tmp_path)()
    assert PushKey(tmp_path)() == made
    assert len(decoded(public_of(made))) == 65
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    for text in ("none", "0", f"{ORDER:x}"):
        (tmp_path / KEY_FILE).write_text(f"{text}\n")
        with pytest.raises(InputError, match="no key of ours"):
            PushKey(tmp_path)()


class Pocket:
    """The phones of one person, in memory."""

    def __init__(self, *phones: Handset) -> None:
        self.phones = list(phones)

    def of(self, owner: str) -> list[Browser]:
        return [one.browser for one in self.phones] if owner == "person:li" else []

    def forget(self, endpoint: str) -> None:
        self.phones = [one for one in self.phones if one.endpoint != endpoint]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with open_client() as found:
        yield found


@pytest.fixture
def service() -> Iterator[Provider]:
    with Provider({}, forms=False) as found:
        yield found


def channel(client: httpx2.Client, folder: Path, *phones: Handset) -> tuple[WebPush, Pocket]:
    pocket = Pocket(*phones)
    desk = PushDesk(PushKey(folder), pocket)
    return WebPush(client, desk, contact="mailto:a@example.com", allowed=HOME), pocket


def test_a_phone_opens_what_the_service_only_carries(
    client: httpx2.Client, service: Provider, tmp_path: Path
) -> None:
    phone = Handset(f"{service.url}send/abc")
    push, _ = channel(client, tmp_path, phone)
    assert push.send(MESSAGE, "li", NOW) == Sent()
    (asked,) = service.asked
    headers = asked["headers"]
    assert asked["path"] == "/send/abc"
    assert headers["content-encoding"] == "aes128gcm"
    assert (headers["ttl"], headers["urgency"]) == ("3600", "high")
    assert headers["topic"] == MESSAGE.key[:32]
    assert b"jpeg" not in asked["raw"]
    assert phone.opened(asked["raw"]) == {
        "title": MESSAGE.title,
        "body": "3栋1号电梯\n11:24 起",
        "tag": "linli-12",
        "lang": "zh-CN",
        "url": MESSAGE.link,
        "stays": True,
    }
    said = claims(headers["authorization"])
    assert said["aud"] == service.url.rstrip("/")
    assert said["sub"] == "mailto:a@example.com"
    assert NOW.timestamp() < said["exp"] <= (NOW + timedelta(hours=24)).timestamp()
    assert said["k"] == public_of(PushKey(tmp_path)())


def test_each_service_is_told_its_own_name(
    client: httpx2.Client, service: Provider, tmp_path: Path
) -> None:
    with Provider({}, forms=False) as other:
        push, _ = channel(client, tmp_path, Handset(f"{service.url}a"), Handset(f"{other.url}b"))
        push.send(MESSAGE, "li", NOW)
        said = [claims(one.asked[0]["headers"]["authorization"])["aud"] for one in (service, other)]
        assert said == [service.url.rstrip("/"), other.url.rstrip("/")]


@pytest.mark.parametrize("status", [404, 410])
def test_a_phone_that_has_ended_is_forgotten(
    client: httpx2.Client, service: Provider, tmp_path: Path, status: int
) -> None:
    push, pocket = channel(client, tmp_path, Handset(f"{service.url}a"), Handset(f"{service.url}b"))
    service.say({}, status=status)
    assert push.send(MESSAGE, "li", NOW) == Sent()  # by the other one
    assert [one.endpoint for one in pocket.phones] == [f"{service.url}b"]
    service.say({}, status=status)
    assert push.send(MESSAGE, "li", NOW) == NOBODY
    assert pocket.phones == []
    assert push.send(MESSAGE, "li", NOW) == NOBODY
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("status", "advice", "after"), [(429, "again", 7), (500, "again", 7), (403, "never", None)]
)
def test_what_a_service_refuses(
    client: httpx2.Client,
    service: Provider,
    tmp_path: Path,
    status: int,
    advice: str,
    after: int | None,
) -> None:
    push, pocket = channel(client, tmp_path, Handset(f"{service.url}secret"))
    service.say({}, status=status, retry_after="7")
    outcome = push.send(MESSAGE, "li", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == (f"http-{status}", advice)
    assert outcome.after == (timedelta(seconds=after) if after else None)
    assert "secret" not in repr(outcome)
    assert len(pocket.phones) == 1


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/x", "https://10.0.0.1/x", "file:///x"])
def test_nothing_inside_is_called(client: httpx2.Client, tmp_path: Path, endpoint: str) -> None:
    desk = PushDesk(PushKey(tmp_path), Pocket(Handset(endpoint)))
    push = WebPush(client, desk, contact="mailto:a@example.com")
    outcome = push.send(MESSAGE, "li", NOW)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.advice) == ("address", "never")


# --- with a real ingest --------------------------------------------------------------------------


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    folder = Folder(tmp_path)
    channels = (WebPushSettings(name="push", contact="mailto:a@example.com"),)
    folder.settings = msgspec.structs.replace(
        folder.settings,
        notify=Notify(channels=channels, allow_networks=("127.0.0.0/8",)),
    )
    with phone(folder) as made:
        yield made


def add(there: Phone, handset: Handset, **changes: Any) -> int:
    body = {**handset.subscription, **changes}
    status: int = there.client.post(f"{there.path}/push", json=body).status_code
    return status


def test_a_phone_is_added_by_its_person_s_link_and_hears(
    there: Phone, service: Provider, tmp_path: Path
) -> None:
    handset = Handset(f"{service.url}p/1")
    page = there.get().text
    assert f'data-key="{public_of(PushKey(tmp_path)())}"' in page
    assert "Tell me on this phone" in page
    assert add(there, handset) == add(there, handset) == 204
    headers = sign_in(there.client, "boss")
    path = "/api/v1/notifications/phones"
    (row,) = there.client.get(path, headers=headers).json()["items"]
    assert (row["owner"], row["service"]) == ("person:li", "127.0.0.1")
    assert "p/1" not in str(row)
    tried = {"channel": "push", "address": "li"}
    answer = there.client.post("/api/v1/notifications/test", json=tried, headers=headers)
    assert answer.json()["sent"] is True
    assert "测试消息" in handset.opened(service.asked[0]["raw"])["title"]
    assert there.client.delete(f"{path}/{row['id']}", headers=headers).status_code == 204
    assert there.client.delete(f"{path}/{row['id']}", headers=headers).status_code == 404
    answer = there.client.post("/api/v1/notifications/test", json=tried, headers=headers)
    assert answer.json()["code"] == "no-phone"


def test_no_more_than_five_phones_of_a_person(there: Phone, service: Provider) -> None:
    for number in range(7):
        assert add(there, Handset(f"{service.url}p/{number}")) == 204
    found = there.services.push.list(ADMIN).items
    assert len(found) == 5
    first = there.services.push.list(ADMIN, limit=3)
    rest = there.services.push.list(ADMIN, before=first.next, limit=3)
    assert (*first.items, *rest.items) == found


def test_what_may_not_be_added(there: Phone, service: Provider) -> None:
    good = Handset(f"{service.url}p")
    keys = good.subscription["keys"]
    assert add(there, Handset("http://10.0.0.1/x")) == 400
    assert add(there, Handset("https://user@push.example/x")) == 400
    assert add(there, good, keys={**keys, "auth": "AAAA"}) == 400
    assert add(there, good, endpoint="x" * 2000) in {400, 422}
    cross = {"sec-fetch-site": "cross-site"}
    answer = there.client.post(f"{there.path}/push", json=good.subscription, headers=cross)
    assert answer.status_code == 403
    there.use(TEAM)
    assert "data-push" not in there.get().text
    assert add(there, good) == 403
    there.folder.clock.advance(timedelta(hours=25).total_seconds())
    assert add(there, good) == 410
    assert there.services.push.list(ADMIN).items == ()


def test_the_worker_s_script_is_there(there: Phone) -> None:
    answer = there.client.get("/push-worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "showNotification" in answer.text
