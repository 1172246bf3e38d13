"""Lamps: which level each group should have, whether they do it, and what it costs."""
