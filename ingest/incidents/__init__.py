"""Incidents: what people work on."""
