"""Why a camera sends nothing: what edges are known to say, in the language of the page."""

from __future__ import annotations

import re

from dashboards.web.language import msg
from dashboards.web.words import Words

# An edge may put the place before it and advice, or when it tries again, behind it.
_KNOWN = (
    (r"the camera does not answer", msg("The camera does not answer; trying again and again")),
    (r"the connection broke", msg("The connection broke; trying again and again")),
    (r"reading the camera failed", msg("Reading the camera failed; see the log of the edge box")),
    (r"broken after frame (?P<frame>\d+)", msg("The video is broken after frame %(frame)s")),
    (r"no such video file", msg("There is no such video file; check the path")),
    (r"not a file\b", msg("The video is not a file; check the path")),
    (r"not a video that can be opened", msg("The video cannot be opened")),
    (r"no frame of the video can be decoded", msg("Not one frame of the video can be read")),
)
_DETAILS = tuple((re.compile(pattern, re.ASCII), text) for pattern, text in _KNOWN)


def explain(detail: str, words: Words) -> str:
    """Return an edge's own words in those of the page; unknown ones stay as they are."""
    for pattern, text in _DETAILS:
        found = pattern.search(detail)
        if found:
            return words.say(text) % found.groupdict()
    return detail
