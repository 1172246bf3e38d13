"""Waste bins over time: what flows into them, when they will be full, and which to empty today."""
