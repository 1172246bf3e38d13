"""`linli simulate`: a made-up community, for trying things without hardware."""

from linli.cli.simulate.command import command

__all__ = ["command"]
