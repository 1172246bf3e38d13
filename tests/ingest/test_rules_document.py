from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator

from ingest.rules.document import Document
from ingest.rules.loading import KINDS, RulesError, builtin, load, load_file
from ingest.rules.rule_set import RuleSet
from ingest.rules.schema import schema_text
from ingest.rules.spans import SECOND, micros, words
from linli.errors import InputError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
SCHEMA = ROOT / "docs" / "reference" / "rules.schema.json"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
HOT = '[[rule]]\ntype = "threshold"\nid = "hot"\nlabel = "Hot"\nreading = "t"\nabove = 60\n'
SILENT = '[[rule]]\ntype = "absence"\nid = "silent"\nlabel = "Silent"\n'
OFTEN = '[[rule]]\ntype = "rate"\nid = "often"\nlabel = "Often"\nevent = ["x"]\ncount = 2\n'


def compiled(document: Document) -> RuleSet:
    return RuleSet(1, document, builtin(), ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_page_are_good(text: str) -> None:
    assert load(text).rule
    Draft202012Validator(json.loads(schema_text())).validate(tomllib.loads(text))


def test_the_examples_show_every_kind_together() -> None:
    document = load("\n".join(EXAMPLES))
    assert {type(rule) for rule in document.rule} == set(KINDS.values())
    assert len(compiled(document).rules) == len(document.rule) + len(builtin().rule)


def test_the_schema_in_the_repository_is_current() -> None:
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        SCHEMA.write_text(schema_text(), encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "docs/reference/rules.schema.json is out of date; "
        "run this test with LINLI_WRITE_DOCUMENTS=1 to write it again"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not valid TOML"),
        ("rule = 3", "rule: write each rule below its own [[rule]]"),
        ("setle = '3s'", "setle: nobody knows this key. Did you mean 'settle'?"),
        ("settle = 3", "settle: Expected `str`, got `int`, not 3"),
        ("settle = '1h'", "settle: must be at most 600s, not '1h'"),
        ("[[group]]\nid = 'A'", "group[0].id: 'A' has the wrong form"),
        ("[[group]]\nid = 'a'\n[[group]]\nid = 'a'", "group 'a': is there twice"),
        ("[[rule]]\nid = 'a'", "rule 'a': type: needs a type. Types: event, threshold"),
        ("[[rule]]\ntype = 'treshold'", "rule 'number 1': type: no rule is of type 'treshold'"),
        ("[[rule]]\ntype = []", "rule 'number 1': type: no rule is of type []"),
        (HOT + "abov = 3", "rule 'hot': abov: nobody knows this key. Did you mean 'above'?"),
        (HOT.replace("60", "'60'"), "rule 'hot': above: Expected `float | null`"),
        (HOT.replace("60", "nan"), "rule 'hot': above: "),
        (HOT.replace("60", "inf"), "rule 'hot': above: "),
        (HOT.replace("above = 60", ""), "rule 'hot': above: give one of above and below"),
        (HOT + "below = 3", "rule 'hot': above: give one of above and below"),
        (HOT + "clear = 61", "rule 'hot': clear: must not be higher than above (60), not 61"),
        (
            HOT.replace("above", "below") + "clear = 59",
            "rule 'hot': clear: must not be lower than below (60), not 59",
        ),
        (HOT + "hits = 2", "rule 'hot': hits: 2 of the last 1 readings cannot be. Set `of`"),
        (HOT + "of = 65", "rule 'hot': of: Expected `int` <= 64, not 65"),
        (HOT + "for = '2 h'", "rule 'hot': for: '2 h' has the wrong form. A length of time"),
        (HOT + "for = '32d'", "rule 'hot': for: '32d' is longer than 31d"),
        (HOT + "for = '0s'", "rule 'hot': for: must be at least 1s, not '0s'"),
        (HOT + "flap = '40d'", "rule 'hot': flap: '40d' is longer than 31d"),
        (HOT + "where = { king = ['x'] }", "rule 'hot': where.king: nobody knows this key. Did"),
        (HOT + "where = { group = ['x'] }", "rule 'hot': where.group: no group 'x'. Write it"),
        (HOT + "where = { place = ['B3'] }", "rule 'hot': where.place[0]: 'B3' has the wrong"),
        (HOT + "during = [{ from = '25:00', to = '06:00' }]", "during[0].from: '25:00' has the"),
        (HOT + "during = [{ from = '24:00', to = '06:00' }]", "during[0].from: write 00:00"),
        (HOT + "during = [{ from = '20:00' }]", "rule 'hot': during[0].to: is missing"),
        (HOT + HOT, "rule 'hot': id: is there twice"),
        (SILENT, "rule 'silent': for: is missing"),
        (SILENT + "for = '10s'", "rule 'silent': for: must be at least 60s, not '10s'"),
        (SILENT + "for = '1h'\nreading = 'a'\nevent = 'b'", "give at most one of reading and"),
        (OFTEN + "within = '1h'\nper = 'group'", "rule 'often': per: needs a group"),
        (OFTEN.replace("2", "1") + "within = '1h'", "rule 'often': count: Expected `int` >= 2"),
        (OFTEN.replace('"x"', '"X"') + "within = '1h'", "rule 'often': event[0]: 'X' has the"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_hint(text: str, said: str) -> None:
    with pytest.raises(RulesError) as caught:
        load(text, where="rules.toml")
    assert str(caught.value).startswith("rules.toml: ")
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_everything_that_is_wrong_is_found_at_once() -> None:
    with pytest.raises(RulesError, match="and 2 more") as caught:
        load(HOT + "clear = 70\nfor = '0s'\n" + SILENT + "for = '1h'\nper = 'group'")
    assert [(fault.rule, fault.key) for fault in caught.value.faults] == [
        ("hot", "for"),
        ("hot", "clear"),
        ("silent", "per"),
    ]


def test_a_huge_document_and_too_many_rules_are_refused() -> None:
    with pytest.raises(RulesError, match="at most 512 KiB"):
        load("#" * 600_000)
    rules = "".join(HOT.replace('"hot"', f'"h{number}"') for number in range(501))
    with pytest.raises(RulesError, match="500"):
        load(rules)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_file(tmp_path / "rules.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="cannot be read"):
        load_file(tmp_path / "bad.toml")


def test_rules_of_the_site_come_first_and_may_replace_or_leave_out_the_built_in_ones() -> None:
    own = '[[rule]]\ntype = "event"\nid = "edge"\nlabel = "Mine"\nevent = ["*"]\n'
    rules = compiled(load(own)).rules
    assert [(one.id, one.origin) for one in rules] == [
        ("edge", "site"),
        ("ebike-in-elevator", "builtin"),
        ("fire", "builtin"),
        ("passages", "builtin"),
        ("door-hold", "builtin"),
        ("voice-prompt", "builtin"),
        ("lamp-set", "builtin"),
        ("camera-away", "builtin"),
        ("sensor-offline", "builtin"),
        ("edge-silent", "builtin"),
    ]
    assert [one.id for one in compiled(load("builtin = false\n" + HOT)).rules] == ["hot"]


def test_a_name_changes_a_document_and_not_what_a_rule_does() -> None:
    one, other = compiled(load(HOT)), compiled(load(HOT.replace('"Hot"', '"热"')))
    assert one.rules[0].digest == other.rules[0].digest
    assert one.rules[0].digest != compiled(load(HOT + "clear = 3")).rules[0].digest


def test_what_is_no_outage_is_remembered_as_before_rules_could_say_so() -> None:
    text = '[[rule]]\ntype = "event"\nid = "e"\nlabel = "E"\nevent = ["*"]\nfor = "1min"\n'
    plain, same, other = (
        compiled(load(text + more)).rules[0] for more in ("", "outage = false\n", "outage = true\n")
    )
    assert plain.digest == same.digest != other.digest
    assert (plain.policy.outage, other.policy.outage) == (False, True)


@pytest.mark.parametrize(
    ("span", "seconds"), [("90s", 90), ("10min", 600), ("1h30min", 5400), ("2d", 172_800)]
)
def test_spans(span: str, seconds: int) -> None:
    assert micros(span) == seconds * SECOND
    assert micros(words(micros(span))) == micros(span)


@pytest.mark.parametrize("span", ["", "3", "h", "-1s", "1.5h", "1min1h", "1h\n", "1 h", "١s"])
def test_what_is_no_span(span: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        micros(span)


# As versions wrote them that knew no `enabled`: with another digest an upgrade would end whatever
# these rules have open.
@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (HOT, "299977daa07c1f04"),
        (SILENT + "for = '1h'", "2ee5d62cc09f6a01"),
        (OFTEN + "within = '1h'", "d5661fcaf8eb8b22"),
    ],
    ids=("threshold", "absence", "rate"),
)
def test_digests_stay_as_they_were(text: str, digest: str) -> None:
    rule = compiled(load(text)).rules[0]
    assert rule.digest[:16] == digest
    said = compiled(load(text + "\nenabled = true")).rules[0]
    assert said.digest == rule.digest, "what is usual changes nothing"
