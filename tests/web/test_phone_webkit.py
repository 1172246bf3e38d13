"""The phone in WebKitGTK, the nearest to an iPhone that Debian has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import PASSWORDS, Folder
from phones import Phone, phone
from served import served
from webkit import missing, webkit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.full,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    with phone(Folder(tmp_path / "house")) as made:
        yield made


def test_a_tap_is_kept_without_a_server_and_sent_when_it_is_back(
    there: Phone, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with served(there.client.app) as server, webkit(home) as window:  # type: ignore[arg-type]
        window.go(f"{server.url}/m")
        window.type("input[name=name]", "wang")
        window.type("input[name=password]", PASSWORDS["wang"][1])
        window.click("main button[type=submit]")
        window.until("return document.querySelector('.task') !== null")
        wide = "return document.documentElement.scrollWidth <= window.innerWidth"
        assert window.run(wide)
        window.click(".task")
        window.until("return document.querySelector('.huge') !== null")
        assert window.run(wide)
        server.stop()
        window.click(".huge")
        window.until("return document.querySelector('[data-state=waiting]') !== null")
        assert there.incident().state == "open"
        server.start()
        window.run("window.dispatchEvent(new Event('online'))")
        window.until("return document.querySelector('[data-state=sent]') !== null")
        assert there.incident().acknowledged_by == "user:wang"
