"""Logging set-up: one line per record on standard error, secrets never in it."""

from __future__ import annotations

import logging
import os
import re
import sys

_NAME = r"(?:password|secret|token|key|authorization)[^\s=:]*\s*"
# Up to the last @: passwords of cameras often hold an unescaped @ or /.
_IN_ADDRESS = re.compile(rf"(://[^/\s:]*:)\S*(?=@)|({_NAME}=\s*)\S+", re.IGNORECASE)
_AFTER_COLON = re.compile(rf"({_NAME}:\s*)(?:bearer\s+|basic\s+)?\S+", re.IGNORECASE)
_DEFAULT = "WARNING"


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(text: str) -> str:
    """Return `text` with what looks like a secret's value replaced."""
    return _AFTER_COLON.sub(r"\1***", redact_addresses(text))


def redact_addresses(text: str) -> str:
    """Return `text` without passwords in addresses and without `password=…`.

    For lines in which a colon follows a place, such as `mqtt.password_file: no such file`.
    """
    return _IN_ADDRESS.sub(lambda found: (found.group(1) or found.group(2)) + "***", text)


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
    wanted = os.environ.get("LINLI_LOG") or _DEFAULT
    known = wanted.upper() in logging.getLevelNamesMapping()
    root.setLevel(wanted.upper() if known else _DEFAULT)
    if not known:
        root.warning(
            "LINLI_LOG must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not %r; using %s",
            wanted,
            _DEFAULT,
        )
