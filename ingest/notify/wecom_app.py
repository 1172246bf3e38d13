"""企业微信应用: a card on a member's phone, with a button to acknowledge."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent, cut, fitted
from ingest.notify.posting import Codes, judged, post

URL = "https://qyapi.weixin.qq.com/cgi-bin/"
ACKNOWLEDGE = "acknowledge"
MOST_TEXT = 2048
MOST_BUTTON = 30
"""Bytes; a button shows some ten characters."""
_AGAIN = timedelta(minutes=30)
_EARLY = timedelta(minutes=5)
_STALE_TOKEN = frozenset({"40014", "42001", "41001"})
CODES = Codes(
    names=("errcode",),
    paused={45009: timedelta(minutes=1), 45033: timedelta(minutes=1)},
    words={
        45009: "too many messages",
        45033: "too many messages at once",
        60020: "this server's address is not on the application's list",
        40001: "the application's secret is not valid",
        40013: "the enterprise id is not valid",
        81013: "no such member, or the application is not visible to them",
    },
)


class WecomApp:
    """Sends a card to one member; the address is the member's id.

    The token is fetched when needed and kept until shortly before it ends; one that the provider
    has forgotten is fetched again once. The provider itself drops doubles of one key. Only where
    taps come back to us, `answered`, do cards have a button.
    """

    pace = Pace(most=25, per=timedelta(minutes=1), burst=8)

    def __init__(
        self,
        client: httpx2.Client,
        *,
        corporation: str,
        agent: int,
        secret: str,
        url: str = URL,
        answered: bool = True,
    ) -> None:
        self._client = client
        self._corporation = corporation
        self._agent = agent
        self._secret = secret
        self._url = url
        self._answered = answered
        self._token: tuple[str, datetime] | None = None

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; a member that the provider does not know is a failure although it says 0."""
        fields = self._card(message, address)
        return self._call("message/send", fields, now)

    def show(self, member: str, response: str, words: str, now: datetime) -> Outcome:
        """Put `words` in place of the button that a member tapped; `response` serves once."""
        fields = {
            "userids": [member],
            "agentid": self._agent,
            "response_code": response,
            "button": {"replace_name": cut(words, MOST_BUTTON)},
        }
        return self._call("message/update_template_card", fields, now)

    def _call(self, path: str, fields: dict[str, Any], now: datetime) -> Outcome:
        outcome = self._once(path, fields, now)
        if isinstance(outcome, Failed) and outcome.code in _STALE_TOKEN:
            self._token = None
            outcome = self._once(path, fields, now)
        return outcome

    def _once(self, path: str, fields: dict[str, Any], now: datetime) -> Outcome:
        token = self._access(now)
        if isinstance(token, Failed):
            return token
        answer = post(
            self._client, f"{self._url}{path}", fields=fields, query={"access_token": token}
        )
        outcome = judged(answer, CODES)
        if isinstance(outcome, Failed) or isinstance(answer, Failed):
            return outcome
        if answer.fields.get("invaliduser"):
            return Failed(code="invaliduser", words=CODES.words[81013], advice="never")
        reference = answer.fields.get("msgid")
        return Sent(reference=reference if isinstance(reference, str) else None)

    def _access(self, now: datetime) -> str | Failed:
        if self._token is not None and now < self._token[1]:
            return self._token[0]
        query = {"corpid": self._corporation, "corpsecret": self._secret}
        answer = post(self._client, f"{self._url}gettoken", query=query, method="GET")
        outcome = judged(answer, CODES)
        if isinstance(outcome, Failed):
            return outcome
        assert not isinstance(answer, Failed)
        token, lasts = answer.fields.get("access_token"), answer.fields.get("expires_in", 0)
        if not isinstance(token, str) or not isinstance(lasts, int):
            return Failed(code="answer", words="an answer without a token", advice="again")
        self._token = (token, now + max(timedelta(seconds=lasts) - _EARLY, timedelta()))
        return token

    def _card(self, message: Message, address: str) -> dict[str, Any]:
        return {
            "touser": address,
            "agentid": self._agent,
            **_content(message, answered=self._answered),
            "enable_duplicate_check": 1,
            "duplicate_check_interval": int(_AGAIN.total_seconds()),
        }


def _content(message: Message, *, answered: bool) -> dict[str, Any]:
    """Return a card with a button for who should take it; without a link there is only text."""
    card: dict[str, Any] = {
        "main_title": {"title": cut(message.title, 100)},
        "sub_title_text": cut("\n".join(message.lines), 450),
    }
    if message.link:
        card["card_action"] = {"type": 1, "url": message.link}
    if message.asks and answered:
        words = "我来处理" if message.language == "zh" else "I take it"
        card["card_type"] = "button_interaction"
        card["task_id"] = message.key[:128]
        card["button_list"] = [{"text": words, "style": 1, "key": ACKNOWLEDGE}]
    elif message.link:
        card["card_type"] = "text_notice"
    else:
        return {
            "msgtype": "text",
            "text": {"content": fitted((message.title, *message.lines), MOST_TEXT)},
        }
    return {"msgtype": "template_card", "template_card": card}
