"""Sensors of every vendor: what they say becomes readings and alarms by mapping files."""
