"""ntfy: push to phones by a server of one's own."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx2

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent, cut, fitted
from ingest.notify.posting import post

MOST_BYTES = 3800
_PRIORITY = {"critical": 5, "high": 4, "medium": 3, "low": 2}


class Ntfy:
    """Publishes to a topic; the address is the topic's name."""

    pace = Pace(most=30, per=timedelta(minutes=1), burst=10)

    def __init__(self, client: httpx2.Client, url: str, token: str | None = None) -> None:
        self._client = client
        self._url = url
        self._token = token

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Publish; a tap opens the incident's page."""
        del now
        fields: dict[str, object] = {
            "topic": address,
            "title": cut(message.title, 250),
            "message": fitted(message.lines or (message.title,), MOST_BYTES),
            "priority": _PRIORITY[message.severity],
        }
        if message.link:
            fields["click"] = message.link
            fields["actions"] = [
                {"action": "view", "label": message.invitation, "url": message.link}
            ]
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        answer = post(self._client, self._url, fields=fields, headers=headers)
        if isinstance(answer, Failed):
            return answer
        reference = answer.fields.get("id")
        return Sent(reference=reference if isinstance(reference, str) else None)
