"""A number and what it counts, in English."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """Return `1 picture` or `2 pictures`; `several` where more than one do not merely end in s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"
