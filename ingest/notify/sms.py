"""Text messages through an operator's gateway: a signed webhook, with the text made short."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome
from ingest.notify.webhook import Webhook

LONGEST = 140
"""Characters: two parts of a Chinese text message are 134, a link takes more."""
_DIGITS = range(5, 21)


class Sms:
    """Asks a gateway to send; the address is a phone number.

    The gateway's own address comes from the settings. It gets `{to, text, key}` and answers 2xx
    once it has taken the message.
    """

    pace = Pace(most=20, per=timedelta(minutes=1), burst=6)

    def __init__(self, hook: Webhook, url: str) -> None:
        self._hook = hook
        self._url = url

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send one short text."""
        number = "".join(sign for sign in address if sign not in " -")
        if not (number.removeprefix("+").isdigit() and len(number) in _DIGITS):
            return Failed(code="address", words="not a phone number", advice="never")
        fields = {"to": number, "text": short(message), "key": message.key}
        return self._hook.deliver(self._url, message.key, msgspec.json.encode(fields), now)


def short(message: Message) -> str:
    """Return title and first line within the limit, and the link whole behind them."""
    text = " ".join((message.title, *message.lines[:1]))
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return f"{text} {message.link}" if message.link else text
