"""Devices and edge boxes with what people call their area."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from ingest.services.called import Called, Lang
from ingest.services.views import DeviceView, NodeView

Shown = TypeVar("Shown", DeviceView, NodeView)


def with_area(one: Shown, called: Called, lang: Lang) -> Shown:
    """Return it with the name of its area."""
    return msgspec.structs.replace(one, area_label=called.area(one.area, lang))
