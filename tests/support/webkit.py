"""WebKitGTK by its own WebDriver, on a display in memory: the nearest to an iPhone on Debian."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brokers

from linli.broker import free_port

DRIVER, DISPLAY = "WebKitWebDriver", "Xvfb"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE = 60.0


def browser_of() -> Path | None:
    """Return the small browser that the driver drives, None where it is not installed."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    return found[-1] if found else None


def missing() -> str | None:
    """Return what is not installed here, None when all is."""
    if shutil.which(DRIVER) is None or browser_of() is None:
        return "no WebKitGTK here: apt-get install webkit2gtk-driver xvfb"
    return None if shutil.which(DISPLAY) else "no display here: apt-get install xvfb"


class WebKit:
    """One window."""

    def __init__(self, base: str) -> None:
        self._base = base

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            self._base + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode(errors="replace")) from None

    def go(self, url: str) -> None:
        self.call("POST", "/url", {"url": url})

    def run(self, script: str) -> Any:
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def until(self, script: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.run(script)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"never: {script}")

    def find(self, selector: str) -> str:
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})


@contextmanager
def webkit(folder: Path) -> Iterator[WebKit]:
    """Yield a window of a phone's size; everything of it lies below `folder`."""
    read, write = os.pipe()
    screen = subprocess.Popen(
        [DISPLAY, "-displayfd", str(write), "-screen", "0", "800x1000x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    port = free_port()
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "DISPLAY": f":{number}"}
    home |= {"GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
    home |= {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "WEBKIT_DISABLE_DMABUF_RENDERER": "1"}
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}"],
        env={**os.environ, **home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        brokers.wait_for_port(port)
        yield from _window(port)
    finally:
        for one in (driver, screen):
            one.terminate()
            one.wait(30)


def _window(port: int) -> Iterator[WebKit]:
    base = f"http://127.0.0.1:{port}"
    options = {"binary": str(browser_of()), "args": ["--automation"]}
    wish = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
    session = WebKit(base).call("POST", "/session", wish)["sessionId"]
    window = WebKit(f"{base}/session/{session}")
    try:
        window.call("POST", "/window/rect", {"width": 390, "height": 844})
        yield window
    finally:
        window.call("DELETE", "")
