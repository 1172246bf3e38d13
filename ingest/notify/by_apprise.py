"""Any service that Apprise knows, for who needs one that Linli has no channel for.

Apprise says yes or no and nothing else: no code, no words, no wish to wait. Of some services it
says yes to what was refused, because it does not read what stands in an answer of HTTP 200. Those
that Linli has channels for are refused here.
"""

from __future__ import annotations

import importlib
import logging
from datetime import datetime, timedelta
from typing import Any

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent, cut, fitted
from linli.errors import InputError

OWN = {
    "wecombot": "wecom-bot",
    "wechat": "wecom-app",
    "dingtalk": "dingtalk",
    "feishu": "feishu",
    "lark": "feishu",
}
"""What Apprise calls services that have channels of their own."""
MOST_BYTES = 4000
_KIND = {"critical": "failure", "high": "warning", "medium": "warning", "low": "info"}


class ByApprise:
    """Sends by the library; the address is what it calls a URL, with its secrets inside."""

    pace = Pace(most=20, per=timedelta(minutes=1), burst=5)

    def __init__(self, name: str) -> None:
        """Load the library. Raises InputError where it is not installed."""
        try:
            self._library: Any = importlib.import_module("apprise")
        except ImportError:
            raise InputError(
                "Apprise is not installed",
                where=f"notify.channels {name}",
                hint="pip install 'linli[apprise]'",
            ) from None
        # It would write addresses, with their secrets, into our log.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; sent means that Apprise did not notice that it was not."""
        del now
        schema = address.partition("://")[0].lower()
        if schema in OWN:
            words = f"use a channel of type {OWN[schema]}: Apprise does not see what it refuses"
            return Failed(code="own-channel", words=words, advice="never")
        service = self._library.Apprise()
        if "://" not in address or not service.add(address):
            return Failed(code="address", words="Apprise knows no such address", advice="never")
        lines = (*message.lines, *((message.link,) if message.link else ())) or (message.title,)
        taken = service.notify(
            title=cut(message.title, 250),
            body=fitted(lines, MOST_BYTES),
            notify_type=_KIND[message.severity],
        )
        if taken:
            return Sent()
        return Failed(code="apprise", words="Apprise could not send it", advice="again")
