"""Which sensors say that there is fire, kept over a restart: none of them need say it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from linli.durable import keep_names, write_whole
from linli.log import get_logger

log = get_logger(__name__)

FILE = "fires.json"
FIRES = frozenset({"fire-mode", "smoke"})
"""The quantities of sensors that say that there is fire."""
_Burning = dict[str, frozenset[str]]


class Fires:
    """Belongs to the thread that takes readings.

    A file that cannot be read counts as fire at every sensor: not to hold a door is the safe side,
    and each sensor ends it with its next words.
    """

    def __init__(self, path: Path, sensors: Mapping[str, frozenset[str]]) -> None:
        """`sensors` are those that doors heed, with what each can say of fire."""
        self._path = path
        self._kept = _read(path)
        self._refused = False
        said = sensors if self._kept is None else self._kept
        self._on = {name: said.get(name, frozenset()) & able for name, able in sensors.items()}

    def on(self, sensor: str | None) -> bool:
        """Tell whether a sensor says that there is fire."""
        return sensor is not None and bool(self._on.get(sensor))

    def hear(self, sensor: str, quantity: str, *, on: bool) -> bool:
        """Take a sensor's word; tell whether any of its quantities says fire now."""
        known = self._on.get(sensor, frozenset())
        self._on[sensor] = known | {quantity} if on else known - {quantity}
        return self.on(sensor)

    def keep(self) -> None:
        """Write down what has changed; what the disk refuses is tried again with the next word."""
        burning = {name: said for name, said in self._on.items() if said}
        if burning == self._kept:
            return
        try:
            write_whole(self._path, msgspec.json.encode(burning))
            keep_names(self._path.parent)
        except OSError as error:
            if not self._refused:
                log.warning("doors: %s cannot be written (%s)", self._path, error.strerror)
            self._refused = True
            return
        self._kept, self._refused = burning, False


def _read(path: Path) -> _Burning | None:
    """Return which sensors said fire at the last word, None when nobody can say."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Burning)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, msgspec.DecodeError) as error:
        log.warning(
            "%s: cannot be read (%s); no door is held until its sensor says that there is no fire",
            *(path, error),
        )
        return None
