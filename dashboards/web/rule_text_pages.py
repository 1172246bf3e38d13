"""The rules as one text for those who know it, and their change log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import fault_words, rule_list
from dashboards.web.rule_pages import ARRANGE, HERE, late, names, outdated, tried
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.refusal import Outdated
from ingest.rules.loading import RulesError, load
from ingest.services.registry import Seen

router = APIRouter()
Number = Annotated[int, Query(ge=0, lt=2**63)]


@router.get(f"{HERE}/text")
def text(visit: SignedIn, version: Number | None = None) -> Response:
    """Show the document, or one of its versions, to be changed."""
    visit.viewer.require(ARRANGE)
    rules = visit.house.services.rules
    view = rules.get(visit.viewer)
    body = view.text if version is None else rules.version(visit.viewer, version).text
    return _page(visit, body, of=version)


@router.post(f"{HERE}/text")
async def write(request: Request, visit: SignedIn) -> Response:
    """Try a document on history, or save it."""
    form = await posted(request, visit)
    visit.viewer.require(ARRANGE)
    return await run_in_threadpool(_written, visit, form)


@router.get(f"{HERE}/log")
def log(visit: SignedIn, cursor: Annotated[str | None, Query(max_length=32)] = None) -> Response:
    """Show who changed what and when, in words."""
    return _log(visit, cursor)


@router.post(HERE + "/log/{version}")
def restore(
    visit: Acting,
    version: Annotated[int, Path(ge=0, lt=2**53)],
    tag: Annotated[str, Form(max_length=64)],
) -> Response:
    """Take up a version again, as a new one."""
    visit.viewer.require(ARRANGE)
    rules, now = visit.house.services.rules, visit.house.clock.now()
    old = rules.version(visit.viewer, version)
    seen, note = Seen(frozenset({tag})), f"version {version} again"
    try:
        rules.put(visit.viewer, old.text, seen=seen, now=now, note=note)
    except Outdated:
        if rules.get(visit.viewer).text != old.text:  # the button was pressed once
            return _log(visit, None, status=412, said=[late(visit)])
    except RulesError as error:
        words = Words(visit.language, {})
        said = [fault_words.of_rules(one, words) for one in error.faults]
        return _log(visit, None, status=422, said=said)
    return visit.go(f"{HERE}?done=yes")


def _log(
    visit: Visit, cursor: str | None, *, status: int = 200, said: list[str] | None = None
) -> Response:
    words = Words(visit.language, {})
    lines, following = rule_list.log(visit, names(visit, words), words, cursor)
    return visit.page(
        "rules_log.html",
        status=status,
        lines=lines,
        next=following,
        said=said or [],
        tag=visit.house.services.rules.get(visit.viewer).tag,
        may_arrange=visit.viewer.may(ARRANGE),
    )


def _written(visit: Visit, form: FormData) -> Response:
    body, do, tag = (_raw(form, name) for name in ("text", "do", "tag"))
    body = body.replace("\r\n", "\n")
    rules, now = visit.house.services.rules, visit.house.clock.now()
    words = Words(visit.language, {})
    try:
        load(body)
        if do != "save":
            trial = tried(visit, body, 30 if do == "30" else 7)
            counts = rule_list.totals((one.label, one.raised) for one in trial.rules)
            return _page(visit, body, counts=counts, complete=trial.complete)
        note = _raw(form, "note").strip()[:500] or None
        rules.put(visit.viewer, body, seen=Seen(frozenset({tag})), now=now, note=note)
    except RulesError as error:
        return _page(visit, body, said=[fault_words.of_rules(one, words) for one in error.faults])
    except Outdated:
        if rules.get(visit.viewer).text != body:
            return _page(visit, body, said=[outdated(visit)])
    return visit.go(f"{HERE}?done=yes")


def _page(
    visit: Visit,
    body: str,
    *,
    said: list[str] | None = None,
    counts: list[tuple[str, int]] | None = None,
    complete: bool = True,
    of: int | None = None,
) -> Response:
    return visit.page(
        "rules_text.html",
        status=422 if said else 200,
        text=body,
        said=said or [],
        counts=counts,
        complete=complete,
        of=of,
        tag=visit.house.services.rules.get(visit.viewer).tag,
    )


def _raw(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
