"""What a classifier says of one picture, and the four categories of household waste."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """The four categories of GB/T 19095-2019; `chinese` is the name on the bins."""

    RECYCLABLE = "recyclable"
    HAZARDOUS = "hazardous"
    FOOD = "food"
    RESIDUAL = "residual"

    @property
    def chinese(self) -> str:
        """The name on the bins."""
        return _CHINESE[self]


_CHINESE = {
    Category.RECYCLABLE: "可回收物",
    Category.HAZARDOUS: "有害垃圾",
    Category.FOOD: "厨余垃圾",
    Category.RESIDUAL: "其他垃圾",
}


@dataclass(frozen=True, slots=True)
class Classification:
    """The class of a picture, or that it is unknown.

    `label` is the class's id, None when unknown; `category` where it belongs, None when unknown or
    when the model does not say; `probability` 0..1 is that of the likeliest class, named or not.
    Raises ValueError when these do not fit together.
    """

    label: str | None
    category: Category | None
    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:  # so written that a NaN fails it
            raise ValueError(f"probability must be within 0..1, not {self.probability}")
        if self.label is None and self.category is not None:
            raise ValueError("what is unknown has no category")

    @property
    def unknown(self) -> bool:
        """Whether no class was likely enough to be named."""
        return self.label is None
