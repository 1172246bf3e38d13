"""`linli ingest`: the server's side, and the registry and accounts behind it."""

from linli.cli.ingest.group import command

__all__ = ["command"]
