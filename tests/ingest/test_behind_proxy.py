"""Behind a proxy with TLS: its word is believed when the settings name it, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder
from msgspec.structs import replace

from dashboards.web.mount import mount
from ingest.app import create_app
from ingest.settings import load_settings
from linli.errors import InputError

Make = Callable[..., TestClient]
PROXY, STRANGER = "10.9.0.1", "10.9.1.1"
WRONG = {"name": "wang", "password": "not this one"}
RIGHT = {"name": "wang", "password": PASSWORDS["wang"][1]}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    folder = Folder(tmp_path, prefix="/linli")
    with ExitStack() as stack:
        started: list[TestClient] = []

        def made(peer: str, proxies: tuple[str, ...] = (PROXY,)) -> TestClient:
            if not started:
                http = replace(folder.settings.http, proxies=proxies)
                app = create_app(replace(folder.settings, http=http), clock=folder.clock)
                site = folder.settings.site
                services = app.state.services
                mount(app, services, site=site.label, zone=site.timezone, clock=folder.clock)
                started.append(stack.enter_context(TestClient(app)))
            url = "http://linli.test"
            return TestClient(started[0].app, base_url=url, client=(peer, 40_000))

        yield made
    folder.close()


def came(address: str, scheme: str = "https") -> dict[str, str]:
    return {"X-Forwarded-For": address, "X-Forwarded-Proto": scheme}


def flags(answer) -> set[str]:
    cookie = answer.headers["set-cookie"].split(";", 1)[1].lower()
    return {one.strip() for one in cookie.split(";")}


def test_cookies_of_https_go_by_https_alone_and_below_the_prefix(make: Make) -> None:
    client = make(PROXY)
    safe = {"httponly", "samesite=strict", "path=/linli/"}
    for path, given in (("/api/v1/login", {"json": RIGHT}), ("/login", {"data": RIGHT})):
        whole = {"headers": came("192.0.2.1"), "follow_redirects": False}
        answer = client.post(f"/linli{path}", **given, **whole)
        assert answer.status_code in {200, 303}, answer.text
        assert flags(answer) >= {*safe, "secure"}
        plain = client.post(f"/linli{path}", **given, headers=came("192.0.2.1", "http"))
        assert "secure" not in flags(plain.history[0] if plain.history else plain)
    lying = make(STRANGER).post("/linli/api/v1/login", json=RIGHT, headers=came("192.0.2.1"))
    assert flags(lying) >= safe
    assert "secure" not in flags(lying)


def test_who_is_behind_the_proxy_locks_nobody_else_out(make: Make) -> None:
    client, path = make(PROXY), "/linli/api/v1/login"
    for _ in range(11):
        assert client.post(path, json=WRONG, headers=came("192.0.2.66")).status_code == 401
    assert client.post(path, json=RIGHT, headers=came("192.0.2.66")).status_code == 401
    # Who adds an address of one's own in front of what the proxy adds is still oneself.
    lying = came("198.51.100.7, 192.0.2.66")
    assert client.post(path, json=RIGHT, headers=lying).status_code == 401
    assert client.post(path, json=RIGHT, headers=came("192.0.2.1")).status_code == 200


def test_a_stranger_who_names_other_addresses_is_one_address(make: Make) -> None:
    client, path = make(STRANGER), "/linli/api/v1/login"
    for number in range(11):
        headers = came(f"192.0.2.{number}")
        assert client.post(path, json=WRONG, headers=headers).status_code == 401
    assert client.post(path, json=RIGHT, headers=came("192.0.2.99")).status_code == 401


@pytest.mark.parametrize(
    "proxy", ["*", "nginx", "10.0.0.1/8", ""], ids=["all", "name", "host", "none"]
)
def test_a_proxy_is_an_address(tmp_path: Path, proxy: str) -> None:
    file = tmp_path / "ingest.toml"
    text = '[site]\nid = "c001"\nlabel = "x"\n[http]\nproxies = '
    file.write_text(f'{text}["{proxy}"]\n')
    with pytest.raises(InputError, match="is no address or network"):
        load_settings(file)
    file.write_text(f'{text}["127.0.0.1", "fd00::/8"]\n')
    assert load_settings(file).http.proxies == ("127.0.0.1", "fd00::/8")
