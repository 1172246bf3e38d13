"""One message that cannot be stored must not stand in the way of the others in its batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from linli.errors import StoreError
from linli.log import get_logger

log = get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")
_NO_MESSAGE_S_FAULT = (StoreError, OSError, MemoryError)


def isolate(
    items: Sequence[T], keep: Callable[[Sequence[T]], R], refuse: Callable[[T], R]
) -> list[R]:
    """Keep all items at once; when that fails, each alone, and refuse those that fail again.

    Lets StoreError, OSError and MemoryError pass: then it is not the message that is at fault.
    """
    try:
        return [keep(items)]
    except _NO_MESSAGE_S_FAULT:
        raise
    except Exception:
        log.exception("%d messages cannot be stored together; trying one by one", len(items))
    return [_alone(item, keep, refuse) for item in items]


def _alone(item: T, keep: Callable[[Sequence[T]], R], refuse: Callable[[T], R]) -> R:
    try:
        return keep([item])
    except _NO_MESSAGE_S_FAULT:
        raise
    except Exception:
        log.exception("a message that cannot be stored is refused")
        return refuse(item)
