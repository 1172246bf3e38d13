"""What one recipient is told, and what came of telling them: frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec

from linli.events import Severity

Language = Literal["zh", "en"]
Advice = Literal["again", "pause", "never"]
"""again: try later; pause: the whole channel should rest; never: this message cannot be sent."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One text for one recipient, already in their language.

    `key` is the same whenever this message is sent again: providers that can drop doubles get it.
    `number` is the incident's short number, in `title` too. `link` is the incident's page, bound to
    the recipient; `picture` a JPEG that is already redacted. `asks`: somebody should take it.
    """

    key: str
    title: str
    lines: tuple[str, ...]
    severity: Severity
    language: Language = "zh"
    number: int | None = None
    link: str | None = None
    picture: bytes | None = None
    asks: bool = False

    @property
    def urgent(self) -> bool:
        """Whether it may wake people."""
        return self.severity == "critical"

    @property
    def invitation(self) -> str:
        """The words on the link."""
        return "查看并处理" if self.language == "zh" else "Open"

    @property
    def text(self) -> str:
        """Title, lines and link, a line each."""
        return "\n".join((self.title, *self.lines, *((self.link,) if self.link else ())))


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took it; `reference` is what it calls the message."""

    reference: str | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """It was not taken: the provider's `code`, what that means in `words`, and what to do.

    `words` never hold an address, a key or a token. `after` is how long the provider asks to wait.
    """

    code: str
    words: str
    advice: Advice
    after: timedelta | None = None


Outcome: TypeAlias = Sent | Failed


def cut(text: str, most: int) -> str:
    """Return text of at most `most` bytes of UTF-8, whole characters, with an ellipsis if cut."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode(errors="ignore").rstrip() + "…"


def fitted(lines: Sequence[str], most: int, between: str = "\n") -> str:
    """Return lines of at most `most` bytes together, whole but the first: half a link is none."""
    text = cut(lines[0], most) if lines else ""
    for line in lines[1:]:
        longer = f"{text}{between}{line}"
        if len(longer.encode()) > most:
            break
        text = longer
    return text
