"""飞书群机器人: a group bot of Feishu; its signature travels in the body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import httpx2

from ingest.notify.channel import Pace
from ingest.notify.message import Message, Outcome, cut, fitted
from ingest.notify.posting import Codes, judged, post

URL = "https://open.feishu.cn/open-apis/bot/v2/hook/"
MOST_BYTES = 16_000
CODES = Codes(
    names=("code", "StatusCode"),
    paused={11232: timedelta(minutes=1)},
    words={
        11232: "too many messages",
        19021: "the signature does not fit, or the clock is off by an hour",
        19022: "this server's address is not on the robot's list",
        19024: "the robot's keyword is missing",
        9499: "the body is not understood",
    },
)
_COLOURS = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue"}


class Feishu:
    """Sends a card to a group; the address is `TOKEN` or `TOKEN SECRET`."""

    pace = Pace(most=90, per=timedelta(minutes=1), burst=3)

    def __init__(self, client: httpx2.Client, url: str = URL) -> None:
        self._client = client
        self._url = url

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; the provider's own code decides, not HTTP 200."""
        token, _, secret = address.partition(" ")
        fields: dict[str, object] = {"msg_type": "interactive", "card": _card(message)}
        if secret:
            moment = str(int(now.timestamp()))
            fields |= {"timestamp": moment, "sign": signature(secret, moment)}
        return judged(post(self._client, self._url + token, fields=fields), CODES)


def signature(secret: str, moment: str) -> str:
    """Return the signature of a moment in seconds: an empty text under time and secret as key."""
    seal = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256)
    return base64.b64encode(seal.digest()).decode()


def _card(message: Message) -> dict[str, object]:
    body = fitted(message.lines, MOST_BYTES)
    elements: list[dict[str, object]] = [
        {"tag": "div", "text": {"tag": "plain_text", "content": body}}
    ]
    if message.link:
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": message.invitation},
            "url": message.link,
            "type": "primary",
        }
        elements.append({"tag": "action", "actions": [button]})
    title = {"tag": "plain_text", "content": cut(message.title, 400)}
    return {
        "header": {"template": _COLOURS[message.severity], "title": title},
        "elements": elements,
    }
