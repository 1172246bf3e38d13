"""`linli broker`: a broker for this machine, and the files of a community's broker."""

from linli.cli.broker.command import command

__all__ = ["command"]
