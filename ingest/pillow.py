"""Pillow as we use it. Who decodes a picture imports it then: an estate may never have one."""

from __future__ import annotations

from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["Image", "ImageOps", "UnidentifiedImageError"]

# Ours is stricter, and held before anything is decoded; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None
