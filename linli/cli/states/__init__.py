"""`linli states`: teach what a lamp, a bin or a lid looks like in each state, and try it."""

from linli.cli.states.command import command

__all__ = ["command"]
