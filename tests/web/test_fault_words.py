"""Whatever the validators of rules, duty and roster files say has words in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from house import NOON, jpeg

from dashboards.web import access_words, fault_words
from dashboards.web.words import Words
from edge.states.school import MOST_PICTURES, Photo, teach_photos
from ingest.duty import checks as duty_checks
from ingest.duty.roster import Roster
from ingest.duty.sheet import Names, WrongCellError, clock_of, date_of, hours_of, read
from ingest.notify.addresses import wrong
from ingest.notify.checks import Around
from ingest.notify_settings import (
    DingTalkSettings,
    MailSettings,
    NtfySettings,
    SmsSettings,
    WebhookSettings,
    WecomBotSettings,
)
from ingest.refusal import RulesBroken
from ingest.rules.loading import RulesError, load
from ingest.services.papers import faults_of, made_of
from linli import edge_config
from linli.errors import InputError

ZH = Words("zh-CN", {})
CHINESE = re.compile(r"[\u4e00-\u9fff]")
VALIDATOR = re.compile(r"Expected|Invalid|\bmust\b|\bis (no|missing|needed)\b|`")
HOT = '[[rule]]\ntype = "threshold"\nid = "hot"\nlabel = "热"\nreading = "t"\nabove = 60\n'
SILENT = '[[rule]]\ntype = "absence"\nid = "silent"\nlabel = "静"\n'
OFTEN = '[[rule]]\ntype = "rate"\nid = "often"\nlabel = "频"\nevent = ["x"]\ncount = 2\n'
RULES = (
    *("x", "rule = 3", "a = [", "setle = '3s'", "settle = 3", "settle = '1h'", "#" * 600_000),
    "[[group]]\nid = 'A'",
    "[[group]]\nid = 'a'\n[[group]]\nid = 'a'",
    *("[[rule]]\nid = 'a'", "[[rule]]\ntype = 'treshold'", "[[rule]]\ntype = []"),
    *(HOT + "abov = 3", HOT + "below = 3", HOT + "clear = 61", HOT + "hits = 2", HOT + "of = 65"),
    *(HOT.replace("60", one) for one in ("'60'", "nan", "inf", "1e20", "[]")),
    *(HOT + f"for = '{one}'" for one in ("2 h", "32d", "0s", "h")),
    *(HOT + f"where = {one}" for one in ("{ king = ['x'] }", "{ group = ['x'] }", "3")),
    HOT + "where = { place = ['B3'] }",
    *(HOT + f"during = [{{ from = '{one}', to = '06:00' }}]" for one in ("25:00", "24:00")),
    *(HOT + "during = [{ from = '20:00' }]", HOT + "during = 3", HOT + "safety = 'yes'"),
    HOT + "during = [{ from = '20:00', to = '21:00', days = ['monday'] }]",
    *(HOT + "severity = 'worst'", HOT.replace("热", "热" * 65), HOT.replace("热", ""), HOT + HOT),
    HOT.replace("above", "below") + "clear = 59",
    *(SILENT, SILENT + "for = '10s'", SILENT + "for = '1h'\nreading = 'a'\nevent = 'b'"),
    *(OFTEN, OFTEN + "within = '1h'\nper = 'group'", OFTEN.replace("2", "1") + "within = '1h'"),
    *(
        OFTEN.replace('["x"]', one) + "within = '1h'"
        for one in ("[]", "3", '["X"]', '["' + "x" * 40 + '"]')
    ),
    "".join(HOT.replace('"hot"', f'"h{number}"') for number in range(501)),
)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_rules(number: int) -> None:
    with pytest.raises(RulesError) as caught:
        load(RULES[number])
    for fault in caught.value.faults:
        said = fault_words.of_rule(fault, ZH)
        assert CHINESE.search(said), fault
        assert not VALIDATOR.search(said), said
        assert "%(" not in said
        assert said in fault_words.of_rules(fault, ZH)


HOOK = WebhookSettings(name="one", secret_file="s")
CHANNELS = (
    MailSettings(name="one", host="h", sender="a@b.example"),
    SmsSettings(name="one", url="https://a.example/", secret_file="s"),
    NtfySettings(name="one", url="https://a.example/"),
    WecomBotSettings(name="one"),
    DingTalkSettings(name="one"),
    HOOK,
)


def papers() -> Iterator[str]:
    """Yield what documents of duty are refused for."""
    shift = {"begin": "08:00", "end": "20:00", "people": ["li"]}
    for kind, values in (
        ("roster", {"shifts": [{**shift, "begin": "8"}]}),
        ("roster", {"shifts": [{**shift, "people": []}]}),
        ("roster", {"shifts": [{"begin": "08:00", "end": "20:00"}]}),
        ("roster", {"shifts": [shift] * 65}),
        ("roster", {"shifts": 3, "cycle": 3}),
        ("roster", {"cycle": 0}),
        ("roster", {"cycle": "x"}),
        ("roster", {"anchor": "monday"}),
        ("roster", {"holidays": ["2026-02-30"]}),
        ("roster", {"color": "red"}),
        ("roster", {"team": "other"}),
        ("roster", {"shifts": [{**shift, "holidays": "sometimes"}]}),
        ("ladder", {"rungs": []}),
        ("ladder", {"rungs": [{"after": "soon", "who": ["team"]}]}),
        ("ladder", {"rungs": [{"who": ["everybody"]}]}),
        ("deadlines", {"severities": {"high": {"acknowledge": "x"}}}),
        ("contacts", {"ways": [{"channel": "bot", "address": ""}]}),
        ("contacts", {"ways": [{"channel": "bot", "address": "x" * 600}]}),
        ("routes", {"routes": [{"team": "NIGHT"}]}),
        ("routes", {"routes": [{}]}),
    ):
        with pytest.raises(RulesBroken) as caught:
            made_of(kind, "night", values)  # type: ignore[arg-type]
        yield from (what for _, what in caught.value.faults)
    roster = msgspec.convert(
        {
            "team": "night",
            "shifts": [{**shift, "days": [9]}],
            "swaps": [
                {"begin": "2026-03-02T08:00:00Z", "end": "2026-03-01T08:00:00Z", "person": "li"},
                {"begin": "2026-03-02T08:00:00", "end": "2026-03-03T08:00:00", "person": "li"},
            ],
        },
        Roster,
    )
    yield from (what for _, what in duty_checks.faults(roster, (), ()))
    way = {"channel": "bot", "address": " x"}
    quiet = {**way, "quiet": {"begin": "08:00", "end": "08:00"}}
    rungs = [{"who": "team", "after": "P2D", "people": ["li"]}]
    everything = {"team": "night", "ladder": "none"}
    for kind, values in (
        ("contacts", {"ways": [way, quiet]}),
        ("ladder", {"rungs": rungs, "rounds": 2, "again_after": "PT1S"}),
        ("routes", {"routes": [everything, {**everything, "building": "b09"}]}),
    ):
        value = made_of(kind, "No id", values)  # type: ignore[arg-type]
        yield from (what for _, what in faults_of("No id", value, Around()))
    for channel in CHANNELS:
        said = wrong(channel, "a b/c d")
        assert said is not None, channel
        yield said
    for address, inside in (
        ("http://a.example/", "8.8.8.8"),
        ("https://a.example/", "10.0.0.1"),
        ("https://u:p@a.example/", "8.8.8.8"),
        ("ftp://a.example/", "8.8.8.8"),
        ("https://a.example:port/", "8.8.8.8"),
    ):
        said = wrong(HOOK, address, (), lambda _host, _port, at=inside: [at])
        assert said is not None, address
        yield said
    yield "its name is not known"


def test_documents_of_duty() -> None:
    found = set(papers())
    assert len(found) > 30
    for text in found:
        said = fault_words.of_paper(text, ZH)
        assert CHINESE.search(said), text
        assert not VALIDATOR.search(said), said


def test_roster_files() -> None:
    names = Names({"li": ("李伟",), "li-2": ("李伟",)}, ())
    rows = ("=A1,8:00,20:00,li", ",8:00,20:00,", "2026-03-02,8:00,20:00,吴", "2026-03-02,8,9,李伟")
    text = "date,from,to,names\n" + "\n".join(rows)
    rules = [one.rule for one in read(text.encode(), names).faults]
    for of, cell in ((date_of, "3/2"), (date_of, "2026-02-30"), (clock_of, "25"), (hours_of, "8")):
        with pytest.raises(WrongCellError) as caught:
            of(cell)
        rules.append(str(caught.value))
    rules.append("4001 dated shifts are too many: 4000 at most")
    assert len(set(rules)) == 10, rules
    for rule in rules:
        assert CHINESE.search(fault_words.of_cell(rule, ZH)), rule
    for data in (
        *(b"", b"\x00\x01", b"x" * 2_100_000, "日期,日期,姓名\n".encode()),
        *(
            b'date,from,to,names\n2026-03-02,8,9,"li\n',
            b"date,from,to,names\n" + b"x,8,9,li\n" * 20_002,
        ),
    ):
        with pytest.raises(InputError) as refused:
            read(data, names)
        assert CHINESE.search(fault_words.of_file(refused.value.what, ZH)), refused.value.what
    assert fault_words.column("names", ZH) == "姓名"


def said_of_documents() -> Iterator[str]:
    """Yield what the types of an edge box's document say of what is wrong with it."""
    root = Path(edge_config.__file__).parent
    for name in ("edge_config", "zone_config"):
        for one in ast.walk(ast.parse((root / f"{name}.py").read_text())):
            if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call) and one.exc.args:
                text = one.exc.args[0]
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                yield "".join(
                    str(part.value)
                    if isinstance(part, ast.Constant)
                    else "'a'"
                    if part.conversion == ord("r")  # type: ignore[attr-defined]
                    else "7"
                    for part in parts
                )


CONFIGS = (
    "Expected `float` >= 0.0, not -1.0",
    "Expected `int` <= 50, not 51",
    "Expected `str` matching regex '^[a-z]$', not 'A'",
    "Invalid enum value 'loud'",
    "Object missing required field `zone`",
    "unknown setting 'colour'. Did you mean 'color'?",
    "there is no pack 'x'. There is: a, b",
    "ebike watches zone 'gone'",
    "only taught can be given here, not another file",
    "a password is kept on the edge box alone. Name its file in password_file",
    "the document has more than 491520 bytes",
)


def test_documents_of_edge_boxes() -> None:
    told = {*CONFIGS, *said_of_documents()}
    assert len(told) > 25
    for what in told:
        said = fault_words.of_config(what, ZH)
        assert CHINESE.search(said), what
        assert not VALIDATOR.search(said), said
        assert what not in said, "known, and so said otherwise"


def test_what_nobody_has_words_for_stands_behind_words() -> None:
    assert fault_words.of_config("odd", ZH) == "这样不能使用：odd"
    assert fault_words.of_lesson("odd", ZH) == "这样不能使用：odd"
    assert access_words.fault("odd", ZH) == "这样不能使用：odd"


def test_lessons() -> None:
    empty, full = Photo("a.jpg", jpeg()), Photo("b.jpg", jpeg((80, 60)))
    twin = Photo("twin.jpg", empty.data)
    many = [Photo(f"{number}.jpg", b"") for number in range(MOST_PICTURES + 1)]
    odd = [Photo("x.jpg", b"no picture")] * 2
    for photos in (
        {"empty": [empty, full]},
        {"empty": [empty], "full": [full, twin]},
        {"empty": [empty, full], "full": [full, twin]},
        {"empty": many, "full": many},
        {"empty": odd, "full": odd},
    ):
        with pytest.raises(InputError) as caught:
            teach_photos(photos, (0.1, 0.1, 0.9, 0.9), NOON)
        said = fault_words.of_lesson(caught.value.what, ZH)
        assert CHINESE.search(said), caught.value
        assert caught.value.what not in said
