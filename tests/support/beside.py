"""Footage, photographs and models that Linli does not have: a folder `shared` beside a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def lacking(*paths: str) -> str:
    """Return what to put where for a test that needs these of the folder; "" when all are there."""
    missing = [f"shared/{one}" for one in paths if not (SHARED / one).exists()]
    return f"put {' and '.join(missing)} beside the checkout" if missing else ""


def needs_shared(*paths: str) -> pytest.MarkDecorator:
    """Skip a test without these of the folder, and say what to put where."""
    why = lacking(*paths)
    return pytest.mark.skipif(bool(why), reason=why or "it is there")
