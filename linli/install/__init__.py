"""Linli as services of one machine: which accounts, folders and units, as text."""
