"""`linli models`: the catalogue of models, and how good and fast they are."""

from linli.cli.models.command import command

__all__ = ["command"]
