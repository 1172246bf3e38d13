"""钉钉群机器人: a group bot of DingTalk, signed with its secret where it has one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import httpx2

from ingest.notify.channel import Pace
from ingest.notify.message import Message, Outcome, cut, fitted
from ingest.notify.posting import Codes, judged, post
from ingest.notify.wecom_bot import escaped

URL = "https://oapi.dingtalk.com/robot/send"
MOST_BYTES = 18_000
CODES = Codes(
    names=("errcode",),
    paused={130101: timedelta(minutes=10)},
    words={
        130101: "too fast",
        310000: "signature, keyword, address list or clock do not fit the robot's settings",
        300001: "the robot's token is not valid",
    },
)


class DingTalk:
    """Sends markdown to a group; the address is `TOKEN` or `TOKEN SECRET`."""

    pace = Pace(most=18, per=timedelta(minutes=1), burst=6)

    def __init__(self, client: httpx2.Client, url: str = URL) -> None:
        self._client = client
        self._url = url

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; what comes too fast blocks the robot for ten minutes, so it rests."""
        token, _, secret = address.partition(" ")
        query = {"access_token": token}
        if secret:
            moment = str(int(now.timestamp() * 1000))
            query |= {"timestamp": moment, "sign": signature(secret, moment)}
        fields = {
            "msgtype": "markdown",
            "markdown": {"title": cut(message.title, 200), "text": _text(message)},
            "at": {"isAtAll": message.urgent},
        }
        return judged(post(self._client, self._url, fields=fields, query=query), CODES)


def signature(secret: str, moment: str) -> str:
    """Return the signature of a moment in ms; the caller's client encodes it for the address."""
    seal = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(seal.digest()).decode()


def _text(message: Message) -> str:
    tail = f"\n\n[{message.invitation}]({message.link})" if message.link else ""
    body = [escaped(line) for line in message.lines]
    head = f"### {escaped(message.title)}\n\n"
    room = MOST_BYTES - len(head.encode()) - len(tail.encode())
    said = fitted(body, room, between="\n\n")
    return f"{head}{said}{tail}"
