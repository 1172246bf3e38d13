"""Where a device stands, as a path of the registry. Pure."""

from __future__ import annotations

from typing import Protocol


class Standing(Protocol):
    """What stands somewhere: a device in full, or a glance at one."""

    @property
    def site(self) -> str:
        """The site's id."""
        ...

    @property
    def area(self) -> str:
        """The area of its edge box."""
        ...

    @property
    def subject(self) -> str | None:
        """Its own place below the site, None where nobody gave it one."""
        ...


def place_of(view: Standing) -> str:
    """Return the path of its place: its own, or else that of its edge box's area."""
    return f"{view.site}/{view.subject or view.area}"


def inside(path: str, place: str) -> bool:
    """Tell whether a path is a place or lies in it."""
    return f"{path}/".startswith(f"{place}/")
