"""`linli doctor`: what is wrong, since when, what it means for residents, what to do."""

from linli.cli.doctor.command import command

__all__ = ["command"]
