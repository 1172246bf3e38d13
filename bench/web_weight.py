"""What a page weighs in a browser on an old phone and a slow line."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, ViewportSize, sync_playwright
from web_estate import Estate

from ingest.api.visitor import COOKIE

SLOWER = 4
BITS, ROUND_TRIP_MS = 1_600_000, 150
QUIET_MS = 2000
VIEWS: dict[str, tuple[str, ViewportSize]] = {
    "desk": ("/", {"width": 1366, "height": 768}),
    "phone": ("/m", {"width": 390, "height": 844}),
    "phone, one incident": ("/incidents/{incident}", {"width": 390, "height": 844}),
}
# Interactive: what blocks the page is over. A task of 50 ms or more blocks it, as browsers say.
WATCH = """
window.__blocked = 0;
new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.__blocked = one.startTime + one.duration;
}).observe({type: 'longtask', buffered: true});
"""
ASK = """() => {
  const load = performance.getEntriesByType('navigation')[0];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return {
    ready: load.domContentLoadedEventEnd,
    paint: paint ? paint.startTime : 0,
    blocked: window.__blocked,
  };
}"""


def weight(estate: Estate, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open each page with an empty cache, and once more with what that left in it."""
    del arguments
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    found: dict[str, Any] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, size) in VIEWS.items():
            context = browser.new_context(viewport=size, locale="zh-CN")
            host = urlsplit(estate.url).hostname or ""
            context.add_cookies(
                [{"name": COOKIE, "value": estate.sessions[0], "domain": host, "path": "/"}]
            )
            for visit in ("first", "again"):
                page = context.new_page()
                found[f"{name}, {visit}"] = _open(
                    context, page, estate.url + path.format(incident=estate.incident)
                )
                page.close()
            context.close()
        browser.close()
    return found


def _open(context: BrowserContext, page: Page, url: str) -> dict[str, Any]:
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    slow = {"offline": False, "latency": ROUND_TRIP_MS}
    rate = BITS / 8
    wire.send(
        "Network.emulateNetworkConditions",
        {**slow, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    requests: list[str] = []
    sizes: dict[str, int] = {}
    wire.on("Network.requestWillBeSent", lambda one: requests.append(one["request"]["url"]))

    def came(one: dict[str, Any]) -> None:
        sizes[one["requestId"]] = sizes.get(one["requestId"], 0) + int(one["encodedDataLength"])

    def whole(one: dict[str, Any]) -> None:  # a live stream never is
        sizes[one["requestId"]] = int(one["encodedDataLength"])

    wire.on("Network.dataReceived", came)
    wire.on("Network.loadingFinished", whole)
    page.add_init_script(WATCH)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(QUIET_MS)
    said = page.evaluate(ASK)
    hosts = {urlsplit(one).netloc for one in requests if not one.startswith("data:")}
    return {
        "kb": round(sum(sizes.values()) / 1000, 1),
        "requests": len(requests),
        "hosts": len(hosts),
        "paint_ms": round(said["paint"]),
        "interactive_ms": round(max(said["ready"], said["blocked"])),
    }
