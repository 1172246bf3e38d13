"""`linli edge`: run beside cameras, or check that the settings would."""

from linli.cli.edge.command import command

__all__ = ["command"]
