"""The results of a trial as text, JSON, Markdown and HTML, for whoever has to mend something."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from linli.conform.clause import Clause, Result, Verdict

VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "not seen")
_ORDER: tuple[Verdict, ...] = ("fail", "not seen", "pass")
_CODE = re.compile("`([^`]*)`")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #888;padding:.4rem;text-align:left;"
    "vertical-align:top}td:last-child{overflow-wrap:anywhere}.fail{background:#b00020;color:#fff}.pass{background:#146c2e;color:#fff}"
    ".not-seen{background:#5f6368;color:#fff}"
)


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Return how many clauses have each verdict."""
    found = Counter(one.finding.verdict for one in results)
    return {verdict: found[verdict] for verdict in VERDICTS}


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 when all pass, 1 when one fails, 3 when none fails and one was not seen."""
    found = counts(results)
    if found["fail"]:
        return 1
    return 3 if found["not seen"] else 0


def document(who: str, role: str, version: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return the report for machines."""
    return {
        "who": who,
        "role": role,
        "contract": version,
        "counts": counts(results),
        "clauses": [
            {
                "clause": one.clause.number,
                "asked": one.clause.asked,
                "seen": one.finding.seen,
                "verdict": one.finding.verdict,
                "mend": one.clause.mend if one.finding.verdict != "pass" else None,
            }
            for one in results
        ],
    }


def text(who: str, role: str, version: str, results: Sequence[Result]) -> str:
    """Return the report for a terminal: what fails first, then what was not seen."""
    lines = [f"{role} {_visible(who) or 'that never came'}, contract {version}", ""]
    for one in _sorted(results):
        lines += _lines(one)
    found = counts(results)
    lines += ["", ", ".join(f"{number} {verdict}" for verdict, number in found.items())]
    return "\n".join(lines)


def _lines(one: Result) -> list[str]:
    lines = [f"{one.finding.verdict.upper():9}{one.clause.number:4} {one.clause.asked}"]
    lines.append(f"{'':14}seen: {_visible(one.finding.seen)}")
    if one.finding.verdict != "pass":
        lines.append(f"{'':14}mend: {one.clause.mend}")
    return lines


def markdown(who: str, role: str, version: str, results: Sequence[Result]) -> str:
    """Return the report as Markdown."""
    rows = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in _rows(results)]
    head = f"# {role} `{_plain(who)}`, contract {version}\n\n{_total(results)}\n\n"
    table = ["| clause | verdict | asked | seen | how to mend |", "|---|---|---|---|---|", *rows]
    return head + "\n".join(table) + "\n"


def page(who: str, role: str, version: str, results: Sequence[Result]) -> str:
    """Return the report as one HTML file that needs nothing else: what fails comes first."""
    title = html.escape(f"{role} {who}, contract {version}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{_total(results)}</p>"
        '<table><thead><tr><th scope="col">clause</th><th scope="col">verdict</th>'
        '<th scope="col">asked, seen, how to mend</th></tr></thead>'
        f"<tbody>{''.join(_row(one) for one in _sorted(results))}</tbody></table></body></html>\n"
    )


def _row(one: Result) -> str:
    verdict = one.finding.verdict
    cell = f"{_coded(one.clause.asked)}<br><b>Seen:</b> {_coded(one.finding.seen)}"
    if verdict != "pass":
        cell += f"<br><b>Mend:</b> {_coded(one.clause.mend)}"
    name = verdict.replace(" ", "-")
    number = f'<th scope="row">{one.clause.number}</th>'
    return f'<tr>{number}<td class="{name}">{verdict}</td><td>{cell}</td></tr>'


def _coded(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def _sorted(results: Sequence[Result]) -> list[Result]:
    return [one for verdict in _ORDER for one in results if one.finding.verdict == verdict]


def clauses(title: str, found: Sequence[Clause]) -> str:
    """Return the clauses themselves as a Markdown section."""
    rows = [f"| {one.number} | {_cell(one.asked)} | {_cell(one.mend)} |" for one in found]
    return "\n".join(
        [f"## {title}", "", "| clause | asked | how to mend |", "|---|---|---|", *rows]
    )


def _rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """What was seen comes from a stranger: in Markdown it must not make a table or a link."""
    return [
        (
            one.clause.number,
            one.finding.verdict,
            one.clause.asked,
            _plain(one.finding.seen),
            one.clause.mend if one.finding.verdict != "pass" else "",
        )
        for one in _sorted(results)
    ]


def _total(results: Sequence[Result]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in counts(results).items()) + "."


def _visible(text: str) -> str:
    """Return text in which nothing of a device's steers a terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _cell(text: str) -> str:
    return _visible(text.replace("|", "\\|").replace("\n", " "))


def _plain(text: str) -> str:
    text = _visible(text)
    for mark in "\\`*_[]<>":
        text = text.replace(mark, f"\\{mark}")
    return text
