"""`linli conform`: somebody else's device or consumer, held against the contract."""

from linli.cli.conform.command import command

__all__ = ["command"]
