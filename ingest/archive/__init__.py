"""Backups of an ingest in one encrypted file: made, checked, restored."""
