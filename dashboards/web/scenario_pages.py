"""What a camera watches for: each scenario with its settings and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from dashboards.web.edge_version import outcome, standing
from dashboards.web.fault_words import of_config
from dashboards.web.findings import findings
from dashboards.web.language import msg
from dashboards.web.scenario_form import DAY_WORDS, MODES, ScenarioForm, form_of, read_form
from dashboards.web.visit import SignedIn, Visit, check_token, same_site
from dashboards.web.words import SEVERITIES, Words
from dashboards.web.zone_pages import no_document
from ingest.refusal import NotThere, Outdated, RulesBroken
from ingest.registry.watched import WatchedState
from ingest.services.registry import Seen
from linli.packs import packs

router = APIRouter()
NEW = "new"
Wrong = tuple[str, Mapping[str, str], Mapping[str, str]]
"""Which scenario was sent, what was typed, and what is wrong by field."""


@router.get("/cameras/{node}/{device}/scenarios")
def scenarios(visit: SignedIn, node: str, device: str, saved: int = 0, add: str = "") -> Response:
    """Show what a camera watches for, and what else it could."""
    try:
        state = visit.house.services.configs.watched(visit.viewer, node, device)
    except NotThere:
        return no_document(visit, node, device)
    return _page(visit, state, saved=saved, add=add)


@router.post("/cameras/{node}/{device}/scenarios")
async def change(visit: SignedIn, request: Request, node: str, device: str) -> Response:
    """Want one scenario of a camera to be otherwise, to come or to go."""
    same_site(request)
    async with request.form(max_files=0, max_fields=60) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        days = frozenset(str(one) for one in form.getlist("day"))
    check_token(visit, fields.get("csrf_token", ""))
    return await run_in_threadpool(_keep, visit, (node, device), fields, days)


def _keep(
    visit: Visit, where: tuple[str, str], fields: Mapping[str, str], days: frozenset[str]
) -> Response:
    configs, viewer = visit.house.services.configs, visit.viewer
    state = configs.watched(viewer, *where)
    number = fields.get("number", NEW)
    rules = list(state.watched.scenario)
    seen = Seen(frozenset({fields.get("version", "")}))
    if number != NEW and not (number.isdigit() and int(number) < len(rules)):
        return _page(visit, state, late=True)
    rule = rules[int(number)] if number != NEW else {"pack": fields.get("pack", "")}
    words = Words(visit.language, {})
    made, wrong = read_form(fields, days, rule, words)
    if fields.get("mode") == "gone" and number != NEW:
        del rules[int(number)]
        wrong = {}
    elif number == NEW:
        rules.append(made)
    else:
        rules[int(number)] = made
    if wrong:
        return _page(visit, state, wrong=(number, fields, wrong))
    at = len(rules) - 1 if number == NEW else int(number)
    title = form_of(made, number, words).title
    why = fields.get("why", "").strip()[:500] or _why(visit, title)
    given = {"why": why, "scenario": rules}
    try:
        kept = configs.put_watched(viewer, *where, given, seen=seen, now=visit.house.clock.now())
    except Outdated:
        return _page(visit, state, wrong=(number, fields, {}), late=True)
    except RulesBroken as error:
        return _page(visit, state, wrong=(number, fields, _by_field(error.faults, at, words)))
    told = outcome(state.version, kept.version)
    return visit.go(f"/cameras/{where[0]}/{where[1]}/scenarios?saved={told}")


def _why(visit: Visit, title: str) -> str:
    return visit.frame.say(msg("%(what)s set")) % {"what": title}


def _by_field(faults: tuple[tuple[str, str], ...], number: int, words: Words) -> dict[str, str]:
    """Return faults by the field that they are of, as far as they name one."""
    start = f"scenario[{number}]."
    return {
        where.removeprefix(start) if where.startswith(start) else where: of_config(what, words)
        for where, what in faults
    }


def _page(
    visit: Visit,
    state: WatchedState,
    *,
    wrong: Wrong | None = None,
    late: bool = False,
    saved: int = 0,
    add: str = "",
) -> Response:
    words, viewer, calendar = Words(visit.language, {}), visit.viewer, visit.calendar
    services, where = visit.house.services, (state.edge, state.camera)
    forms = [_form(str(n), one, words, wrong) for n, one in enumerate(state.watched.scenario)]
    new = wrong[1].get("pack", "") if wrong and wrong[0] == NEW else add
    adding = _form(NEW, {"pack": new}, words, wrong) if new in packs() else None
    return visit.page(
        "scenarios.html",
        status=412 if late else 422 if wrong else 200,
        camera=state,
        forms=[
            (one, findings(services, viewer, (*where, one.event, one.zone), calendar))
            for one in forms
        ],
        adding=adding,
        offers=[form_of({"pack": name}, NEW, words) for name in packs()],
        zones=[(str(one["id"]), str(one.get("label", one["id"]))) for one in state.watched.zone],
        modes={mode: words.say(said) for mode, said in MODES.items()},
        severities={one: words.say(said) for one, said in SEVERITIES.items()},
        day_words={day: words.say(said) for day, said in DAY_WORDS.items()},
        standing=standing(state.version, state.running, calendar, words),
        version=wrong[1].get("version", "") if wrong else str(state.version),
        late=late,
        wrong=wrong is not None and not late,
        at_fault=wrong[0] if wrong else None,
        saved=saved,
    )


def _form(number: str, rule: Mapping[str, Any], words: Words, wrong: Wrong | None) -> ScenarioForm:
    if wrong is None or wrong[0] != number:
        return form_of(rule, number, words)
    return form_of(rule, number, words, typed=wrong[1], faults=wrong[2])
