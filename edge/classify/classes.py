"""The classes of a classification model, as its metadata gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from edge.classify.classification import Category, Classification
from edge.detect.detections import Floats
from edge.detect.names import class_names


@dataclass(frozen=True, slots=True)
class Classes:
    """Names, what each belongs to (empty where the model does not say), and the least probability.

    Below `threshold` a picture is unknown.
    """

    names: tuple[str, ...]
    categories: Mapping[str, Category]
    threshold: float

    def choose(self, probabilities: Floats) -> Classification:
        """Return the likeliest class of [classes]; unknown when it is below the threshold."""
        best = int(probabilities.argmax())
        probability = min(float(probabilities[best]), 1.0)
        if probability < self.threshold:
            return Classification(None, None, probability)
        name = self.names[best]
        return Classification(name, self.categories.get(name), probability)


def read_classes(metadata: Mapping[str, str], count: int, threshold: float | None) -> Classes:
    """Read metadata: `names`, and if given `categories` (JSON {name: category}) and `threshold`.

    A `threshold` given here goes before the model's. Raises ValueError when they do not fit.
    """
    if not (metadata.get("names") or metadata.get("classes")):
        raise ValueError(f"the model has {count} classes without names")
    names = class_names(metadata, count)
    assert names is not None
    categories: dict[str, Category] = {}
    if "categories" in metadata:
        try:
            categories = msgspec.json.decode(metadata["categories"], type=dict[str, Category])
        except msgspec.DecodeError as error:
            raise ValueError(f"metadata categories: {error}") from None
        if set(categories) != set(names):
            odd = ", ".join(sorted(set(categories) ^ set(names)))
            raise ValueError(f"metadata must give each class one category; look at: {odd}")
    return Classes(names, categories, _threshold(metadata, threshold))


def _threshold(metadata: Mapping[str, str], given: float | None) -> float:
    text = str(given) if given is not None else metadata.get("threshold")
    if text is None:
        raise ValueError("the model does not say below which probability a picture is unknown")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise ValueError(f"the threshold must be above 0 and at most 1, not {text[:20]!r}")
    return value
