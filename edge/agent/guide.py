"""A guidance point made from a camera's settings."""

from __future__ import annotations

from edge.catalog.load import load_any
from edge.classify.classifier import OnnxClassifier
from edge.guide.point import GuidePoint
from edge.guide.screen import Screen
from edge.guide.voice import voice_of
from edge.settings import Guide
from linli.clock import Clock
from linli.errors import InputError
from linli.events import ModelRef


def guide_point(guide: Guide, clock: Clock) -> tuple[GuidePoint, ModelRef]:
    """Load its classifier and find its player; return it with the model. Raises InputError."""
    classifier = load_any(guide.model)
    if not isinstance(classifier, OnnxClassifier):
        raise InputError(
            f"{guide.model!r} finds things, it does not tell what one is",
            where="guide.model",
            hint="The project's own is linli-waste; see: linli models list",
        )
    if not classifier.classes.categories:
        raise InputError(
            f"{guide.model!r} does not say into which bin its classes belong",
            where="guide.model",
            hint="Its metadata needs categories; see docs/models.md",
        )
    point = GuidePoint(
        classifier,
        clock,
        screen=Screen(guide.host, guide.port),
        voice=voice_of(guide.player, guide.say),
        crop=guide.crop,
    )
    return point, classifier.model
