"""E-mail by SMTP: the picture inside, one message for one person."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Message, Outcome, Sent
from ingest.notify.reach import Lookup, Network, fit, looked_up
from linli.errors import InputError

Security = Literal["starttls", "tls", "none"]
_TIMEOUT = 15.0
_LATER = range(400, 500)


class Mail:
    """Sends one message a connection; the address is an e-mail address."""

    pace = Pace(most=30, per=timedelta(minutes=1), burst=10)

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        security: Security = "starttls",
        username: str | None = None,
        password: str | None = None,
        context: ssl.SSLContext | None = None,
        allowed: Sequence[Network] | None = None,
        lookup: Lookup = looked_up,
    ) -> None:
        """With `allowed` the server is judged at each sending, as by `reach`."""
        self._server = (host, port)
        self._sender = sender
        self._security = security
        self._login = (username, password) if username and password else None
        self._context = context
        self._allowed = allowed
        self._lookup = lookup

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send; 4xx answers are tried again, 5xx are final."""
        try:
            letter = written(message, self._sender, address, now)
        except (ValueError, IndexError):
            return Failed(code="address", words="not an e-mail address", advice="never")
        try:
            if self._allowed is not None:
                fit(*self._server, self._allowed, self._lookup)
            self._deliver(letter)
        except InputError as error:
            return Failed(code="address", words=error.what, advice="never")
        except (smtplib.SMTPException, OSError) as error:
            return _failed(error)
        return Sent(reference=letter["Message-ID"])

    def _deliver(self, letter: EmailMessage) -> None:
        with self._connect() as server:
            if self._login is not None:
                server.login(*self._login)
            server.send_message(letter)

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server
        context = self._context or ssl.create_default_context()
        if self._security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT)
        if self._security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def _failed(error: smtplib.SMTPException | OSError) -> Failed:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()), (550, b""))[0]
        return _refused(code, "the recipient is refused")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _refused(error.smtp_code, "name or password refused")
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, "the mail server refuses it")
    if isinstance(error, ssl.SSLError):
        words = "the mail server's certificate is not valid"
        return Failed(code="tls", words=words, advice="again")
    return Failed(code="network", words=type(error).__name__, advice="again")


def _refused(code: int, words: str) -> Failed:
    return Failed(code=str(code), words=words, advice="again" if code in _LATER else "never")


def written(message: Message, sender: str, address: str, now: datetime) -> EmailMessage:
    """Return the letter; the same key makes the same Message-ID. Raises ValueError."""
    letter = EmailMessage()
    letter["Subject"] = " ".join(message.title.split())
    letter["From"] = Address("邻里 Linli", addr_spec=sender)
    letter["To"] = Address(addr_spec=address)
    letter["Date"] = format_datetime(now)
    domain = sender.rpartition("@")[2]
    letter["Message-ID"] = f"<{message.key}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    if message.urgent:
        letter["Importance"] = "high"
    letter.set_content("\n".join((*message.lines, *((message.link,) if message.link else ()))))
    if message.picture is not None:
        letter.add_attachment(
            message.picture, maintype="image", subtype="jpeg", filename="linli.jpg"
        )
    return letter
