"""Where a device stands, as a path of the registry. Pure."""

from __future__ import annotations

from ingest.services.views import DeviceView


def place_of(view: DeviceView) -> str:
    """Return the path of its place: its own, or else that of its edge box's area."""
    return f"{view.site}/{view.subject or view.area}"


def inside(path: str, place: str) -> bool:
    """Tell whether a path is a place or lies in it."""
    return f"{path}/".startswith(f"{place}/")
