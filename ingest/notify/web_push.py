"""Web push: a notification on the phones that a person has added, sealed for each of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx2
import msgspec

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent, cut, fitted
from ingest.notify.posting import Answer, post
from ingest.notify.push_desk import Browser, PushDesk
from ingest.notify.push_seal import authorization, sealed
from ingest.notify.reach import Lookup, Network, looked_up, reach
from linli.errors import InputError

TTL = timedelta(hours=1)
"""How long a push service keeps it for a phone that is off; by then others were called."""
GONE = frozenset({"http-404", "http-410"})
NOBODY = Failed(code="no-phone", words="this person has added no phone", advice="never")
_TITLE, _BODY = 300, 2000
_LOUD = frozenset({"critical", "high"})


class WebPush:
    """Sends to every phone of a person; the address is the person's id.

    One phone that took it is enough. A phone whose subscription has ended is forgotten. The same
    message again replaces the one that still waits for a phone.
    """

    pace = Pace(most=120, per=timedelta(minutes=1), burst=30)

    def __init__(
        self,
        client: httpx2.Client,
        desk: PushDesk,
        *,
        contact: str,
        allowed: tuple[Network, ...] = (),
        lookup: Lookup = looked_up,
    ) -> None:
        self._client = client
        self._desk = desk
        self._contact = contact
        self._allowed = allowed
        self._lookup = lookup

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send to each phone. Raises StoreError."""
        outcomes = list[Outcome]()
        for browser in self._desk.browsers.of(f"person:{address}"):
            outcome = self._push(message, browser, now)
            if isinstance(outcome, Failed) and outcome.code in GONE:
                self._desk.browsers.forget(browser.endpoint)
            else:
                outcomes.append(outcome)
        if not outcomes:
            return NOBODY
        taken = next((one for one in outcomes if isinstance(one, Sent)), None)
        later = next((one for one in outcomes if not _final(one)), None)
        return taken or later or outcomes[0]

    def _push(self, message: Message, browser: Browser, now: datetime) -> Outcome:
        try:
            place = reach(browser.endpoint, self._allowed, self._lookup)
        except InputError as error:
            return Failed(code="address", words=error.what, advice="never")
        except OSError:
            return Failed(code="name", words="its name is not known", advice="again")
        origin = "/".join(browser.endpoint.split("/")[:3])
        loud = message.asks or message.severity in _LOUD
        answer = post(
            self._client,
            place.url,
            body=sealed(payload(message), browser),
            headers={
                "host": place.host,
                "content-type": "application/octet-stream",
                "content-encoding": "aes128gcm",
                "ttl": str(int(TTL.total_seconds())),
                "urgency": "high" if loud else "normal",
                "topic": message.key[:32],
                "authorization": authorization(self._desk.key(), origin, self._contact, now),
            },
            extensions={"sni_hostname": place.name},
        )
        return Sent() if isinstance(answer, Answer) else answer


def payload(message: Message) -> bytes:
    """Return what the phone shows: no picture, and the link only to our own page."""
    fields = {
        "title": cut(message.title, _TITLE),
        "body": fitted(message.lines, _BODY),
        "tag": f"linli-{message.number}" if message.number else message.key[:32],
        "lang": "zh-CN" if message.language == "zh" else "en",
        "url": message.link,
        "stays": message.asks,
    }
    return msgspec.json.encode(fields)


def _final(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.advice == "never"
