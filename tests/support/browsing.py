"""Waiting for a fact of a page under its own Content-Security-Policy."""

import time
from typing import Any

from playwright import sync_api as playwright

__all__ = ["until"]


def until(page: playwright.Page, script: str, arg: Any = None, seconds: float = 60) -> None:
    """Ask ``script`` (an expression or a function of ``arg``) until it is true.

    Playwright's own ``wait_for_function`` evaluates its text inside the page from the second look
    on, which ``default-src 'self'`` rightly forbids: it works only where the first look is true.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"not true in {seconds:.0f} s: {script}"
        page.wait_for_timeout(20)
