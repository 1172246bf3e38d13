"""Waste bins: what their sensors and pictures say becomes a filtered level and conditions. Pure."""
