"""The results of a trial as text, JSON, Markdown and HTML, for whoever has to mend something."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any

from linli.conform.clause import Clause, Result, Verdict

VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "not seen")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #888;padding:.4rem;text-align:left;"
    "vertical-align:top}.fail{background:#b00020;color:#fff}.pass{background:#146c2e;color:#fff}"
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
    order: tuple[Verdict, ...] = ("fail", "not seen", "pass")
    lines = [f"{role} {who or 'that never came'}, contract {version}", ""]
    for verdict in order:
        for one in results:
            if one.finding.verdict == verdict:
                lines += _lines(one)
    found = counts(results)
    lines += ["", ", ".join(f"{number} {verdict}" for verdict, number in found.items())]
    return "\n".join(lines)


def _lines(one: Result) -> list[str]:
    lines = [f"{one.finding.verdict.upper():9}{one.clause.number:4} {one.clause.asked}"]
    lines.append(f"{'':14}seen: {one.finding.seen}")
    if one.finding.verdict != "pass":
        lines.append(f"{'':14}mend: {one.clause.mend}")
    return lines


def markdown(who: str, role: str, version: str, results: Sequence[Result]) -> str:
    """Return the report as Markdown."""
    rows = [
        "| " + " | ".join(_cell(cell) for cell in row) + " |" for row in _rows(results, html_=False)
    ]
    head = f"# {role} `{_plain(who)}`, contract {version}\n\n{_total(results)}\n\n"
    table = ["| clause | verdict | asked | seen | how to mend |", "|---|---|---|---|---|", *rows]
    return head + "\n".join(table) + "\n"


def page(who: str, role: str, version: str, results: Sequence[Result]) -> str:
    """Return the report as one HTML file that needs nothing else."""
    title = html.escape(f"{role} {who}, contract {version}")
    rows = []
    for number, verdict, *rest in _rows(results, html_=True):
        name = verdict.replace(" ", "-")
        cells = "".join(f"<td>{html.escape(one)}</td>" for one in rest)
        rows.append(
            f'<tr><th scope="row">{number}</th><td class="{name}">{verdict}</td>{cells}</tr>'
        )
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{html.escape(_total(results))}</p>"
        "<table><thead><tr><th>clause<th>verdict<th>asked<th>seen<th>how to mend</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></html>\n"
    )


def clauses(title: str, found: Sequence[Clause]) -> str:
    """Return the clauses themselves as a Markdown section."""
    rows = [f"| {one.number} | {_cell(one.asked)} | {_cell(one.mend)} |" for one in found]
    return "\n".join(
        [f"## {title}", "", "| clause | asked | how to mend |", "|---|---|---|", *rows]
    )


def _rows(results: Sequence[Result], *, html_: bool) -> list[tuple[str, ...]]:
    """What was seen comes from a stranger: in Markdown it must not make a table or a link."""
    return [
        (
            one.clause.number,
            one.finding.verdict,
            one.clause.asked,
            one.finding.seen if html_ else _plain(one.finding.seen),
            one.clause.mend if one.finding.verdict != "pass" else "",
        )
        for one in results
    ]


def _total(results: Sequence[Result]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in counts(results).items()) + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    for mark in "\\`*_[]<>":
        text = text.replace(mark, f"\\{mark}")
    return text
