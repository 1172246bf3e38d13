"""What a vendor is handed, and what the relay reads."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from bad_devices import SendsAPlate
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from toy_device import START, Wire

from linli.cli.main import command, main
from linli.conform import packets, page, report
from linli.conform.clause import Finding, Result, judge
from linli.conform.device import CLAUSES
from linli.conform.device_trial import DevicePlan, DeviceTrial
from linli.conform.trace import Sent, Trace
from linli.mqtt.packets import MalformedError

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ABOUT = ("c001-n09", "device", "1.0")


@pytest.fixture(scope="module")
def results() -> list[Result]:
    trial = DeviceTrial(DevicePlan(facts=3, patience=20, quiet=2))
    Wire(trial, SendsAPlate()).run()
    return judge(CLAUSES, trial.trace)


def test_the_same_verdicts_in_each_form(results: list[Result]) -> None:
    document = report.document(*ABOUT, results)
    assert document["counts"]["fail"] == 1
    assert document["counts"]["not seen"] >= 8  # no command was tried, nobody stopped it
    assert sum(document["counts"].values()) == len(CLAUSES)
    said = json.loads(json.dumps(document))["clauses"]
    bad = next(one for one in said if one["verdict"] == "fail")
    assert (bad["clause"], bool(bad["mend"])) == ("D13", True)
    text = report.text(*ABOUT, results).splitlines()
    assert text[2].startswith("FAIL")  # first what has to be mended
    assert "| D13 | fail |" in report.markdown(*ABOUT, results)
    assert '<th scope="row">D13</th><td class="fail">fail</td>' in report.page(*ABOUT, results)
    assert report.exit_code(results) == 1
    kept = [one for one in results if one.finding.verdict != "fail"]
    assert report.exit_code(kept) == 3
    assert report.exit_code([one for one in kept if one.finding.verdict == "pass"]) == 0


def test_what_a_stranger_says_stays_text() -> None:
    trace = Trace(node="x")
    trace.add(Sent(at=START, topic="linli/v1/<script>|x", payload=b"{}"))
    found = judge(CLAUSES, trace)
    assert "<script>" not in report.page("<script>", "device", "1.0", found)
    line = next(one for one in report.markdown(*ABOUT, found).splitlines() if "| D10 |" in one)
    assert "\\<script\\>\\|x" in line


def test_the_clauses_page_is_current_and_numbers_are_used_once() -> None:
    assert (REFERENCE / "conformance.md").read_text(encoding="utf-8") == page.markdown()
    printed = json.loads(CliRunner().invoke(command, ["conform", "clauses", "--json"]).stdout)
    numbers = [one["clause"] for role in printed.values() for one in role]
    assert len(numbers) == len(set(numbers)) > 60


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("device", "--report", "x.pdf"), ".md or .html"),
        (("device", "--broker", "http://h"), "mqtt://"),
        (("device", "--broker", "mqtt://h:99999"), "mqtt://"),
        (("device", "--command", "door-hold"), "NAME@DEVICE"),
        (("consumer", "--listen", "127.0.0.1"), "HOST:PORT"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    words: tuple[str, ...], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["conform", *words])
    assert ended.value.code == 2
    assert rule in capsys.readouterr().err


def connect(level: int) -> bytes:
    five = level == 5
    body = b"\0\4MQTT" + bytes((level, 0x80 | 0x04 | 0x20 | 0x08)) + b"\0\x1e"
    body += b"\x05\x11\0\0\0\x0a" if five else b""
    body += b"\0\3box" + (b"\x05\x18\0\0\0\x0a" if five else b"")
    return body + b"\0\1t" + b"\0\4gone" + b"\0\3box"


@pytest.mark.parametrize("level", [4, 5])
def test_a_connect_of_either_version_is_read(level: int) -> None:
    found = packets.connect(connect(level))
    assert (found.client_id, found.username, found.level) == ("box", "box", level)
    assert found.will is not None
    assert (found.will.topic, found.will.payload) == ("t", b"gone")
    assert (found.will.qos, found.will.retain) == (1, True)
    assert found.will.delay == (10 if level == 5 else 0)
    for size in range(len(connect(level))):
        with pytest.raises(MalformedError):
            packets.connect(connect(level)[:size])


def test_topic_aliases_and_marks_of_a_publish() -> None:
    aliases: dict[int, str] = {}
    first = packets.publish(0x3B, b"\0\1t\0\7\3\x23\0\1hi", five=True, aliases=aliases)
    again = packets.publish(0x30, b"\0\0\3\x23\0\1ho", five=True, aliases=aliases)
    assert (first.topic, first.payload, first.qos, first.retain, first.dup) == (
        *("t", b"hi", 1, True),
        True,
    )
    assert (again.topic, again.payload, again.qos, again.dup) == ("t", b"ho", 0, False)
    assert packets.subscribe(b"\0\1\0\0\1+\1", five=True) == (("+", 1),)
    assert [packets.is_polite(one) for one in (b"", b"\0", b"\4")] == [True, True, False]


@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_bytes_make_the_reader_fall(data: bytes, cut: int) -> None:
    stream = packets.Stream()
    with contextlib.suppress(MalformedError):
        for start in range(0, len(data), cut):
            for head, body in stream.feed(data[start : start + cut]):
                with contextlib.suppress(MalformedError):
                    packets.publish(head, body, five=True, aliases={})
                with contextlib.suppress(MalformedError):
                    packets.connect(body)
                with contextlib.suppress(MalformedError):
                    packets.subscribe(body, five=False)


def test_nothing_that_a_device_says_steers_a_terminal() -> None:
    found = [Result(CLAUSES[0], Finding("fail", "topic \x1b[2J\x07 三号楼 \u202e"))]
    for form in (report.text, report.markdown):
        said = form("a\x1b[2Jb", "device", "1", found)
        assert all(one.isprintable() or one == "\n" for one in said)
        assert "三号楼" in said
