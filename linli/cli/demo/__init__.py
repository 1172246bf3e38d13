"""`linli demo`: everything on this machine, with one command."""

from linli.cli.demo.command import command

__all__ = ["command"]
