"""Which language a page speaks, and its catalog. Chinese is the default."""

from __future__ import annotations

import gettext
from functools import cache
from typing import Literal, TypeGuard, get_args

from dashboards.web.files import web_file

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: dict[Language, str] = {"zh-CN": "中文", "en": "English"}
DEFAULT: Language = "zh-CN"
COOKIE = "linli_language"
DOMAIN = "messages"


def choose(asked: str | None, cookie: str | None, accepted: str | None) -> Language:
    """Return the language: asked for in the address, else chosen before, else the browser's."""
    for given in (asked, cookie):
        if is_language(given):
            return given
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in (accepted or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = _of_tag(tag)
        weight = _weight(parameters)
        if language is not None and weight > best[0]:
            best = (weight, language)
    return best[1]


def is_language(text: str | None) -> TypeGuard[Language]:
    """Tell whether `text` names a language that the pages speak."""
    return text in LANGUAGES


@cache
def catalog(language: Language) -> gettext.NullTranslations:
    """Return the catalog of a language; English is written in the code itself."""
    if language == "en":
        return gettext.NullTranslations()
    path = web_file("locale", language.replace("-", "_"), "LC_MESSAGES", f"{DOMAIN}.mo")
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


def msg(text: str) -> str:
    """Mark a text for the catalog; it is translated where it is shown."""
    return text


def _of_tag(tag: str) -> Language | None:
    primary = tag.strip().lower().split("-")[0]
    return {"zh": "zh-CN", "en": "en"}.get(primary)  # type: ignore[return-value]  # keys are ours


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
