"""企业微信群机器人: a group bot of WeCom. The key in its address is its only secret."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

import httpx2

from ingest.notify.channel import Pace
from ingest.notify.message import Message, Outcome, Sent, cut, fitted
from ingest.notify.posting import Codes, judged, post

URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
MOST_BYTES = 4096
MOST_TITLE = 1024
MOST_PICTURE = 2 * 1024 * 1024
CODES = Codes(
    names=("errcode",),
    paused={45009: timedelta(minutes=1)},
    words={45009: "too many messages", 93000: "the group bot's key is not valid"},
)
_COLOURS = {"critical": "warning", "high": "warning", "medium": "comment", "low": "comment"}


class WecomBot:
    """Sends markdown to a group; the address is the bot's key. A picture is a second message."""

    pace = Pace(most=18, per=timedelta(minutes=1), burst=6)

    def __init__(self, client: httpx2.Client, url: str = URL) -> None:
        self._client = client
        self._url = url

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; when the picture alone is refused, the message counts as sent."""
        del now
        content = {"content": _text(message)}
        outcome = self._post(address, {"msgtype": "markdown", "markdown": content})
        picture = message.picture
        if isinstance(outcome, Sent) and picture is not None and len(picture) <= MOST_PICTURE:
            image = {
                "base64": base64.b64encode(picture).decode(),
                "md5": hashlib.md5(picture, usedforsecurity=False).hexdigest(),
            }
            self._post(address, {"msgtype": "image", "image": image})
        return outcome

    def _post(self, key: str, fields: dict[str, object]) -> Outcome:
        return judged(post(self._client, self._url, fields=fields, query={"key": key}), CODES)


def _text(message: Message) -> str:
    colour = _COLOURS[message.severity]
    title = cut(escaped(message.title), MOST_TITLE)
    head = f'**<font color="{colour}">{title}</font>**'
    tail = f"\n[{message.invitation}]({message.link})" if message.link else ""
    body = [f"> {escaped(line)}" for line in message.lines]
    room = MOST_BYTES - len(head.encode()) - len(tail.encode()) - 1
    return f"{head}\n{fitted(body, room)}{tail}"


def escaped(text: str) -> str:
    """Return text whose signs mean nothing to markdown."""
    for sign, other in (
        ("<", "＜"),
        (">", "＞"),
        ("[", "［"),
        ("]", "］"),
        ("*", "＊"),
        ("`", "＇"),
    ):
        text = text.replace(sign, other)
    return text
