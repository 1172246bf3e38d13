"""What the demo's camera looks for, and where in its picture: the tables for `edge.toml`."""

from __future__ import annotations

from dataclasses import dataclass

EBIKE = "ebike"

# The floor of the car in Linli's own clip, up to the sill: wheels beyond it are still in the lobby.
_LIFT = """\
[[camera.zone]]
id = "lift-1"
points = [[0.18, 0.74], [0.49, 0.43], [0.73, 0.6], [0.84, 1.0], [0.18, 1.0]]
"""
_LOBBY = """\
[[camera.zone]]
id = "lobby"
points = [[0.02, 0.1], [0.98, 0.1], [0.98, 1.0], [0.02, 1.0]]
"""
_EBIKE_COMES = """
[[camera.scenario]]
event = "ebike-in-elevator"
labels = ["ebike"]
zone = "lift-1"
dwell = 1.0
severity = "critical"
"""
_SOMEBODY_STAYS = """
[[camera.scenario]]
event = "zone-dwell"
labels = [{labels}]
zone = "{zone}"
dwell = 2.0
severity = "medium"
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Whether Linli's own clip is played, and whether the model knows e-bikes."""

    own_clip: bool
    ebikes: bool

    @property
    def place(self) -> str:
        """Return where the camera hangs, below its building."""
        return "lift-1" if self.own_clip else "lobby"

    @property
    def watched(self) -> str:
        """Return the camera's zones and scenarios in TOML.

        In the clip that is the e-bike, or people when the model knows none; in any other video
        whoever stays.
        """
        if self.own_clip and self.ebikes:
            return _LIFT + _EBIKE_COMES
        labels = '"person", "ebike"' if self.ebikes else '"person"'
        zone = _LIFT if self.own_clip else _LOBBY
        return zone + _SOMEBODY_STAYS.format(labels=labels, zone=self.place)
