"""Logging set-up: one line per record on standard error, secrets never in it."""

from __future__ import annotations

import logging
import os
import re
import sys

_SECRET = re.compile(
    r"((?:password|secret|token|key|authorization)\S*\s*[=:]\s*)(?:bearer\s+|basic\s+)?\S+|(://[^/\s:@]*:)[^@\s/]+(?=@)",
    re.IGNORECASE,
)


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(text: str) -> str:
    """Return `text` with what looks like a secret's value replaced."""
    return _SECRET.sub(lambda found: (found.group(1) or found.group(2)) + "***", text)


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module."""
    return logging.getLogger(name)


def set_up(process: str) -> None:
    """Log this process to standard error; LINLI_LOG sets the level (default WARNING)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Redacting(f"%(asctime)s {process} %(levelname)s %(message)s", datefmt="%H:%M:%S")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(os.environ.get("LINLI_LOG", "WARNING").upper())
