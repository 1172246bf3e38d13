"""A webhook of somebody else's system, signed as the Standard Webhooks specification 1.0 says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx2
import msgspec

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent
from ingest.notify.posting import post
from ingest.notify.reach import Lookup, Network, looked_up, reach
from linli.errors import InputError


class Webhook:
    """Posts JSON; the address is a URL. With two secrets both sign, so that they can be changed."""

    pace = Pace(most=60, per=timedelta(minutes=1), burst=20)

    def __init__(
        self,
        client: httpx2.Client,
        secrets: Sequence[str],
        *,
        allowed: Sequence[Network] = (),
        lookup: Lookup = looked_up,
    ) -> None:
        self._client = client
        self._secrets = tuple(secrets)
        self._allowed = tuple(allowed)
        self._lookup = lookup

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send to where the address leads now, if that may be called at all."""
        return self.deliver(address, message.key, body_of(message, now), now)

    def deliver(self, address: str, key: str, body: bytes, now: datetime) -> Outcome:
        """Post signed bytes; any 2xx means that they were taken."""
        try:
            place = reach(address, self._allowed, self._lookup)
        except InputError as error:
            return Failed(code="address", words=error.what, advice="never")
        except OSError:
            return Failed(code="name", words="its name is not known", advice="again")
        headers = {
            "host": place.host,
            "content-type": "application/json",
            **signed(self._secrets, key, body, now),
        }
        answer = post(
            self._client,
            place.url,
            body=body,
            headers=headers,
            extensions={"sni_hostname": place.name},
        )
        return answer if isinstance(answer, Failed) else Sent()


def signed(secrets: Sequence[str], key: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that prove who sent these bytes, and when."""
    moment = str(int(now.timestamp()))
    content = b".".join((key.encode(), moment.encode(), body))
    seals = [
        base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": key,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{seal}" for seal in seals),
    }


def body_of(message: Message, now: datetime) -> bytes:
    """Return the JSON: what a person would read, as fields."""
    fields = {
        "type": "linli.incident",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "key": message.key,
            "number": message.number,
            "severity": message.severity,
            "title": message.title,
            "lines": message.lines,
            "link": message.link,
            "language": message.language,
        },
    }
    return msgspec.json.encode(fields)
