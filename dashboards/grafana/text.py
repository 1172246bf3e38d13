"""A text in every language that boards come in."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)


class Text(NamedTuple):
    """Said in Chinese first: the people who read a board most are the staff of a community."""

    zh: str
    en: str

    def said(self, lang: Lang) -> str:
        """Return it in one language."""
        return self.zh if lang == "zh" else self.en
