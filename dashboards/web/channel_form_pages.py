"""A channel as a form: written down, changed, taken away, its secrets never shown."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import channel_form, fault_words, fields, paper_pages
from dashboards.web.channels import TYPES
from dashboards.web.fields import Spec
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.refusal import NotThere, Outdated, RulesBroken

router = APIRouter()
HERE = "/channels"
_NEEDED = re.compile(r"required field `(\w+?)(?:_file)?`")
_NAME = Spec(
    "name",
    msg("Short name"),
    needed=True,
    hint=msg("Letters a-z, digits and -; it stays for good."),
)


@router.get(f"{HERE}/new")
def new(visit: SignedIn, kind: str = "") -> Response:
    """Ask for a new channel, first of which type."""
    visit.viewer.require("administer")
    if not kind:
        kinds = channel_form.kinds(Words(visit.language, {}))
        return visit.page("channel_new.html", kinds=kinds)
    return _page(visit, _known(kind), "", {}, "")


@router.get(HERE + "/one/{name}")
def one(visit: SignedIn, name: str) -> Response:
    """Show a channel that was written down as a form."""
    found, tag = visit.house.services.duty.get(visit.viewer, "channel", name)
    values = msgspec.to_builtins(found)
    return _page(visit, values["type"], name, values, tag)


@router.post(HERE + "/edit/{kind}")
async def edit(request: Request, visit: SignedIn, kind: str) -> Response:
    """Write a channel down."""
    form = await posted(request, visit)
    visit.viewer.require("administer")
    return await run_in_threadpool(_save, visit, _known(kind), form)


@router.post(HERE + "/one/{name}/remove")
def remove(visit: Acting, name: str, tag: Annotated[str, Form(max_length=64)]) -> Response:
    """Take a channel away."""
    duty, now = visit.house.services.duty, visit.house.clock.now()
    try:
        duty.remove(visit.viewer, "channel", name, seen=paper_pages.seen_of(tag), now=now)
    except RulesBroken as error:
        text = msg("It is not taken away: people are reached by it. Change that first:")
        who = ", ".join(what.partition(" ")[0] for _, what in error.faults)
        return _again(visit, name, [f"{visit.frame.say(text)} {who}"])
    except Outdated:
        text = msg("Somebody changed this meanwhile. Look at it again.")
        return _again(visit, name, [visit.frame.say(text)])
    return visit.go(f"{HERE}?done=yes")


def _save(visit: Visit, kind: str, form: FormData) -> Response:
    words, duty = Words(visit.language, {}), visit.house.services.duty
    old, tag = _text(form, "old"), _text(form, "tag")
    name = old or _text(form, "name")
    before = _there(visit, name)[0] if old else {}
    values = channel_form.read(kind, form, before, words)
    why, now = _text(form, "why")[:500] or None, visit.house.clock.now()
    typed = {**values, "name": name}
    try:
        duty.put(
            visit.viewer, "channel", name, values, seen=paper_pages.seen_of(tag), now=now, why=why
        )
    except RulesBroken as error:
        faults = dict(_fault(where, what, words) for where, what in error.faults)
        return _page(visit, kind, old, typed, tag, faults=faults)
    except Outdated:
        if not old:
            faults = {"name": words.say(msg("This short name is taken"))}
            return _page(visit, kind, "", typed, "", faults=faults)
        text = msg(
            "Somebody changed this meanwhile. Nothing of yours is saved yet: open the page anew to "
            "see it, or save again to replace it."
        )
        return _page(visit, kind, old, typed, _there(visit, name)[1], said=[words.say(text)])
    return visit.go(f"{HERE}?done=yes")


def _again(visit: Visit, name: str, said: list[str]) -> Response:
    values, tag = _there(visit, name)
    return _page(visit, values["type"], name, values, tag, said=said)


def _page(
    visit: Visit,
    kind: str,
    name: str,
    values: fields.Values,
    tag: str,
    *,
    faults: fields.Faults | None = None,
    said: list[str] | None = None,
) -> Response:
    words, faults = Words(visit.language, {}), faults or {}
    specs = (*(() if name else (_NAME,)), *channel_form.specs(kind, words))
    known = {one.name for one in specs}
    rest = [text for where, text in faults.items() if where not in known]
    below = [words.say(msg("Something below has to be mended first."))] if faults else []
    return visit.page(
        "channel.html",
        status=422 if faults or said else 200,
        kind=kind,
        title=words.say(TYPES[kind]),
        about=words.say(channel_form.ABOUT[kind]),
        name=name,
        fields=fields.shown(specs, values, words.say, faults),
        gone=[(one.name, words.say(one.label)) for one in channel_form.forgettable(kind, values)],
        tag=tag,
        said=[*below, *rest, *(said or ())],
        log=f"{paper_pages.HERE}/channel/{name}/log",
    )


def _fault(where: str, what: str, words: Words) -> tuple[str, str]:
    """Return a fault at the field that it is of."""
    needed = _NEEDED.search(what)
    if needed:
        return needed[1], words.say(msg("This is needed"))
    return where.removesuffix("_file"), fault_words.of_paper(what, words)


def _there(visit: Visit, name: str) -> tuple[dict[str, Any], str]:
    found, tag = visit.house.services.duty.get(visit.viewer, "channel", name)
    return msgspec.to_builtins(found), tag


def _known(kind: str) -> str:
    if kind not in TYPES:
        raise NotThere("no such type of channel")
    return kind


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:512] if isinstance(value, str) else ""
