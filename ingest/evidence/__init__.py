"""Redacted pictures: taken in, kept for a while, given out by short addresses."""
