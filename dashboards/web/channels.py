"""Channels of messages in words: how each did, and what its provider said."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web.health import HEALTH
from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import Words
from ingest.services.channels import ChannelState
from ingest.services.views import Health

TYPES = {
    "wecom-bot": msg("WeCom group bot"),
    "wecom-app": msg("WeCom application"),
    "dingtalk": msg("DingTalk group bot"),
    "feishu": msg("Feishu group bot"),
    "mail": msg("E-mail"),
    "webhook": msg("Webhook"),
    "sms": msg("Text message"),
    "ntfy": msg("ntfy"),
    "web-push": msg("Web push"),
    "apprise": msg("Apprise"),
}
ADDRESSES = {
    "wecom-bot": msg("The bot's key"),
    "wecom-app": msg("The member's id"),
    "dingtalk": msg("TOKEN, or TOKEN SECRET"),
    "feishu": msg("TOKEN, or TOKEN SECRET"),
    "mail": msg("An e-mail address"),
    "webhook": msg("A web address"),
    "sms": msg("A phone number"),
    "ntfy": msg("A topic"),
    "web-push": msg("A person's id"),
    "apprise": msg("A URL of Apprise"),
}


@dataclass(frozen=True, slots=True)
class ChannelCard:
    """One channel at a glance; `said` are the provider's own words on what it did not take."""

    name: str
    here: bool
    type: str
    address: str
    health: Health
    health_word: str
    waiting: int
    sent: int
    dead: int
    rests: Moment | None
    last_sent: Moment | None
    failed: Moment | None
    code: str
    said: str


def channel_card(one: ChannelState, words: Words, calendar: Calendar) -> ChannelCard:
    """Put one channel into words."""
    health, setback = _health(one, calendar), one.setback
    waits = setback is not None and setback.state not in {"dead", "suppressed"}
    return ChannelCard(
        name=one.name,
        here=one.origin == "here",
        type=words.say(TYPES[one.type]),
        address=words.say(ADDRESSES[one.type]),
        health=health,
        health_word=words.say(HEALTH[health]),
        waiting=one.waiting,
        sent=one.sent,
        dead=one.dead,
        rests=calendar.optional(one.rests_until) if _rests(one, calendar) else None,
        last_sent=calendar.optional(one.last_sent),
        failed=calendar.moment(setback.at) if setback is not None and not waits else None,
        code=setback.code if setback is not None else "",
        said=(setback.words or "") if setback is not None else "",
    )


def _rests(one: ChannelState, calendar: Calendar) -> bool:
    return one.rests_until is not None and one.rests_until > calendar.now


def _health(one: ChannelState, calendar: Calendar) -> Health:
    """Return what was heard of the provider last; nothing heard is not well."""
    setback = one.setback
    if setback is None:
        return "unknown" if one.last_sent is None else "ok"
    if one.last_sent is not None and one.last_sent > setback.at:
        return "ok"
    return "degraded" if setback.state == "waiting" or _rests(one, calendar) else "down"
