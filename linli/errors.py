"""Every error Linli raises on purpose, ordered by what the caller can do.

```
LinliError
├── InputError        a person can mend it: a setting, a file, a model, a port (exit 2)
├── LinkError         the broker is away: keep everything, try again
│   └── FarAwayError  so is what a device is behind: it says nothing of the device
├── StoreError        a disk or database says no: keep everything, try again
└── PayloadError      one message is bad: count it, tell its sender, go on
```
"""

from __future__ import annotations


class LinliError(Exception):
    """Base of all.

    Says *where* it went wrong, *what* rule was broken (with the value), and what to do (`hint`).
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return one line fit for a person."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.hint}" if self.hint else text


class InputError(LinliError):
    """A setting, file, model, port or argument that a person must mend."""

    exit_code = 2


class LinkError(LinliError):
    """The broker cannot be reached or refused us; nothing is lost, try again."""


class FarAwayError(LinkError):
    """What a device is behind is away: that says nothing of the device itself."""


class StoreError(LinliError):
    """A disk or database refused a write; nothing is acknowledged, try again."""


class PayloadError(LinliError):
    """One message that breaks the contract; terminal for that message alone.

    `code` is one of the contract's reject codes, `path` a JSONPath into the payload.
    """

    def __init__(self, code: str, what: str, *, path: str = "$") -> None:
        super().__init__(what, where=path)
        self.code = code
        self.path = path
