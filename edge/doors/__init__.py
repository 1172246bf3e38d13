"""Lift doors that the edge holds open for a while, and never longer."""
