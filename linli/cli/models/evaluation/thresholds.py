"""The score from which a class counts as said: what the user gave, else the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from linli.cli.models.evaluation.names import Vocabulary
from linli.errors import InputError


def thresholds(
    given: Iterable[str], words: Vocabulary, default: Mapping[str, float], *, least: float
) -> dict[str, float]:
    """Return the score of each class of the model.

    `given` are "0.4" for all classes or "ebike=0.4" for one, by the model's name or the labels';
    `default` is for those not given. Raises InputError, also when a score is below `least`.
    """
    every: float | None = None
    single: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        score = _score(text, number, least)
        if name:
            single[_known(text, name, words)] = score
        else:
            every = score
    return {
        name: single.get(name, default[name] if every is None else every)
        for name in words.known
        if name is not None
    }


def _score(text: str, number: str, least: float) -> float:
    try:
        score = float(number)
    except ValueError:
        score = -1.0
    if not least <= score <= 1:
        raise InputError(
            f"must be a score of {least:g} to 1, or CLASS=SCORE, not {text!r}", where="--threshold"
        )
    return score


def _known(text: str, name: str, words: Vocabulary) -> str:
    for label, known in zip(words.names, words.known, strict=True):
        if known is not None and name in (label, known):
            return known
    known_names = ", ".join(known for known in words.known if known is not None)
    raise InputError(
        f"{text!r} names no class of the model", where="--threshold", hint=f"It has: {known_names}"
    )
