"""Whether an address can be one of its channel at all; that of a webhook is judged as it is now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network

from ingest.notify.reach import Lookup, looked_up, reach
from ingest.notify_settings import (
    AnyChannel,
    DingTalkSettings,
    FeishuSettings,
    MailSettings,
    NtfySettings,
    SmsSettings,
    WebhookSettings,
    WecomBotSettings,
)
from linli.errors import InputError

_WORDS = re.compile(r"[^\s/]+( \S+)?")
_WORDS_RULE = "is TOKEN or TOKEN SECRET, without the web address around it"
_FORMS: tuple[tuple[type, re.Pattern[str], str], ...] = (
    (MailSettings, re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+"), "is no e-mail address"),
    (SmsSettings, re.compile(r"\+?[0-9][0-9 -]{2,22}[0-9]"), "is no phone number"),
    (NtfySettings, re.compile(r"[A-Za-z0-9_-]{1,64}"), "is no topic of ntfy"),
    (
        WecomBotSettings,
        re.compile(r"[A-Za-z0-9_-]{1,128}"),
        "is no key of a bot: what follows key= in its web address",
    ),
    (DingTalkSettings, _WORDS, _WORDS_RULE),
    (FeishuSettings, _WORDS, _WORDS_RULE),
)


def wrong(
    channel: AnyChannel, address: str, networks: Sequence[str] = (), lookup: Lookup = looked_up
) -> str | None:
    """Return what is wrong with an address, None when nothing is; it is never repeated."""
    if isinstance(channel, WebhookSettings):
        return _url(address, networks, lookup)
    for kind, form, rule in _FORMS:
        if isinstance(channel, kind):
            return None if form.fullmatch(address) else rule
    return None


def _url(address: str, networks: Sequence[str], lookup: Lookup) -> str | None:
    try:
        reach(address, [ip_network(one) for one in networks], lookup)
    except InputError as error:
        return error.what
    except OSError:
        return "its name is not known"
    return None
