"""Every text that the pages show stands in the Chinese catalog, translated and sure."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from dashboards.web.files import web_file
from dashboards.web.language import catalog

WEB = Path(str(web_file("templates"))).parent
CATALOG = WEB / "locale/zh_CN/LC_MESSAGES"


def used() -> set[str]:
    with (WEB / "locale/babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(
        WEB, methods, options, keywords={**DEFAULT_KEYWORDS, "msg": None}, comment_tags=()
    )
    return {text[0] if isinstance(text, tuple) else text for _, _, text, _, _ in found}


def texts(found: Catalog) -> dict[str, str]:
    return {
        one.id[0] if isinstance(one.id, tuple | list) else one.id: "".join(one.string)
        for one in found
        if one.id
    }


class Filled(dict[str, int]):
    """Has a number for every name."""

    def __missing__(self, name: str) -> int:
        return 1


def test_chinese_is_complete_sure_and_without_leftovers() -> None:
    with (CATALOG / "messages.po").open("rb") as file:
        chinese = read_po(file, locale="zh_CN")
    known = {one.id[0] if isinstance(one.id, tuple) else one.id: one for one in chinese if one.id}
    shown = used()
    assert len(shown) > 100
    assert shown - set(known) == set()
    assert set(known) - shown == set()
    assert [key for key, one in known.items() if one.fuzzy or not any(one.string)] == []
    assert [key for key, one in known.items() if list(one.check())] == []


def test_every_text_can_be_filled_in() -> None:
    """The templates fill in each text, so that a lone percent sign would be an error."""
    filled = Filled()
    with (CATALOG / "messages.po").open("rb") as file:
        for key, text in texts(read_po(file, locale="zh_CN")).items():
            assert key % filled, key
            assert text % filled, text


def test_the_built_catalog_is_current() -> None:
    with (CATALOG / "messages.po").open("rb") as file:
        written = texts(read_po(file, locale="zh_CN"))
    assert texts(read_mo(BytesIO((CATALOG / "messages.mo").read_bytes()))) == written
    assert catalog("zh-CN").gettext("Acknowledge") == "确认收到"
    assert catalog("en").gettext("Acknowledge") == "Acknowledge"
