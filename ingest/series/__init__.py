"""Readings over time: a protocol, the embedded engine behind it, and its fake."""
