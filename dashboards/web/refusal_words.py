"""Why an edge box could not use a configuration, in the language of the page.

A box says it in English, most exactly; these are the sorts of reasons there are. What a newer box
may say that is none of them still has words: that it could not use it.
"""

from __future__ import annotations

from dashboards.web.language import msg
from dashboards.web.phrases import find, table
from dashboards.web.words import Words

_UNKNOWN = msg("The box could not use this version.")
_REASONS = table(
    (
        r"unknown setting '(?P<name>[^']*)'",
        msg("The box does not know the setting %(name)s: its software may be older."),
    ),
    (
        r"unknown field `(?P<name>[^`]*)`",
        msg("The box does not know the setting %(name)s: its software may be older."),
    ),
    (
        r"no model of the catalogue|is not on this machine|no such model file",
        msg("The detection model it names is not on the box."),
    ),
    (
        r"sha256|another file|not an ONNX model|cut short",
        msg("The file of the detection model on the box is damaged or another one."),
    ),
    (
        r"finds things|is for \w+, not for|into which bin|no decoder|not a classifier|categor",
        msg("The detection model is not made for this."),
    ),
    (
        r"knows no|names (classes|labels?)|labels? '|its metadata names",
        msg("The detection model does not know what is to be looked for."),
    ),
    (
        r"states were taught|no such (file or )?folder|was taught",
        msg("The places that are to be watched were not taught on this box, or otherwise."),
    ),
    (r"is there twice|the same address|reading has this name", msg("Something is there twice.")),
    (
        r"names (sensor|source|zone|view|camera|'|\w+ ')|which there is not",
        msg("It names something that there is not, such as a zone, a sensor or a camera."),
    ),
    (
        r"needs? |neither|go together|without username|is missing|required field",
        msg("Something is missing that belongs to it."),
    ),
    (
        r"secret|cannot be (read|written)",
        msg("A file that it needs cannot be read on the box."),
    ),
    (
        r"cannot listen|cannot be opened|not a video|no such video|no frame",
        msg("A camera, a file or a port of the box cannot be opened."),
    ),
    (
        r"Expected|Invalid|matching regex|\bmust\b|within 0\.\.1|less than|more than|not valid",
        msg("A value in it is not as it must be."),
    ),
)
REASONS = len(_REASONS)


def of_refusal(detail: str, words: Words) -> str:
    """Return in words why a box refused a configuration."""
    return find(_REASONS, detail, words) or words.say(_UNKNOWN)
