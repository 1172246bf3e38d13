"""Channels as forms: the settings of each type, and what one version changed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.datastructures import FormData

from dashboards.web import fields
from dashboards.web.channels import TYPES
from dashboards.web.fields import Spec, Values
from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.services.channel_papers import SECRETS

ABOUT = {
    "wecom-bot": msg("Messages into a group chat of WeCom. Each contact is the key of a bot."),
    "wecom-app": msg("Messages to single members of WeCom, as cards with a button if you like."),
    "dingtalk": msg("Messages into a group chat of DingTalk."),
    "feishu": msg("Messages into a group chat of Feishu."),
    "mail": msg("Messages by a mail server of your own or of a provider."),
    "webhook": msg("Signed messages to another system of yours."),
    "sms": msg("Text messages through a gateway."),
    "ntfy": msg("Messages to the app ntfy."),
    "web-push": msg("Messages to phones that people have added on their page."),
    "apprise": msg("Other services, through the library Apprise where it is installed."),
}
SECURITY = (
    ("starttls", msg("encrypted after the greeting (STARTTLS, usual)")),
    ("tls", msg("encrypted from the start (TLS)")),
    ("none", msg("not encrypted")),
)
_KEPT = msg(
    "Written down once, never shown. Empty: what is there stays while it goes to the same server."
)
_PROXY = Spec("url", msg("Another address of the provider"), hint=msg("For a proxy."), rare=True)
_BOT = (_PROXY,)
_SPECS: dict[str, tuple[Spec, ...]] = {
    "wecom-bot": _BOT,
    "dingtalk": _BOT,
    "feishu": _BOT,
    "apprise": (),
    "wecom-app": (
        Spec("corporation", msg("Id of the corporation"), needed=True),
        Spec("agent", msg("Number of the application"), "whole", needed=True),
        Spec("secret", msg("Secret"), "secret", hint=_KEPT, needed=True),
        Spec(
            "callback_token",
            msg("Token of the callback"),
            "secret",
            hint=msg(
                "With the key: cards have a button."
                " Empty: what is there stays while it goes to the same server."
            ),
            rare=True,
        ),
        Spec("callback_key", msg("Key of the callback"), "secret", hint=_KEPT, rare=True),
        _PROXY,
    ),
    "mail": (
        Spec("host", msg("Mail server"), needed=True, hint=msg("Such as: smtp.example.com")),
        Spec("port", msg("Port"), "whole", default="587", hint=msg("Empty: 587.")),
        Spec("security", msg("Encryption"), "choice", choices=SECURITY, default="starttls"),
        Spec("sender", msg("Sent from"), needed=True, hint=msg("An e-mail address")),
        Spec("username", msg("User name")),
        Spec("secret", msg("Password"), "secret", hint=_KEPT),
    ),
    "webhook": (
        Spec("secret", msg("Secret that signs"), "secret", hint=_KEPT, needed=True),
        Spec(
            "old_secret",
            msg("Old secret, while it is being changed"),
            "secret",
            hint=_KEPT,
            rare=True,
        ),
    ),
    "sms": (
        Spec("url", msg("Web address of the gateway"), needed=True),
        Spec("secret", msg("Secret that signs"), "secret", hint=_KEPT, needed=True),
    ),
    "ntfy": (
        Spec("url", msg("Web address of the server"), needed=True),
        Spec("secret", msg("Access token"), "secret", hint=_KEPT),
    ),
    "web-push": (
        Spec(
            "contact",
            msg("Whom push services write to"),
            needed=True,
            hint=msg("As mailto:NAME@example.com or a web address"),
        ),
    ),
}
_PICTURES = Spec(
    "pictures", msg("Pictures may go there"), "check", hint=msg("With hidden heads only.")
)


def kinds(words: Words) -> tuple[tuple[str, str, str], ...]:
    """Return the types of channels, what each is called and what it is for."""
    return tuple((one, words.say(TYPES[one]), words.say(about)) for one, about in ABOUT.items())


def specs(kind: str, words: Words) -> tuple[Spec, ...]:
    """Return the fields of a type."""
    return (*(_said(one, words) for one in _SPECS[kind]), _PICTURES)


def forgettable(kind: str, before: Mapping[str, Any]) -> tuple[Spec, ...]:
    """Return the secrets that are there and that this type can do without."""
    return tuple(
        one
        for one in _SPECS[kind]
        if one.name in SECRETS and not one.needed and before.get(SECRETS[one.name])
    )


def read(kind: str, form: FormData, before: Mapping[str, Any], words: Words) -> Values:
    """Return the document that a browser sent; a secret that was not typed stays as it is."""
    given = fields.taken(specs(kind, words), form)
    values: Values = {"type": kind}
    for name, value in given.items():
        if name not in SECRETS:
            values |= {name: value} if value not in (None, "") else {}
        elif value:
            values[name] = value
        elif before.get(SECRETS[name]) and not form.get(f"{name}.gone"):
            values[SECRETS[name]] = before[SECRETS[name]]
    return values


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], words: Words
) -> list[str]:
    """Return in words what differs between two versions; of secrets only that they do."""
    old, kind = before or {}, str(after.get("type"))
    found = []
    if old.get("type") != kind:
        known = TYPES.get(kind)
        found.append(words.say(known) if known else kind)
    for spec in specs(kind, words) if kind in _SPECS else ():
        colon = words.say(msg(": "))
        name = SECRETS.get(spec.name, spec.name)
        left, right = old.get(name), after.get(name)
        if left == right or (left in (None, False) and right in (None, False)):
            continue
        if spec.name in SECRETS:
            said = words.say(_SECRETLY[left is not None, right is not None])
            found.append(f"{words.say(spec.label)}{colon}{said}")
        else:
            shown = (_shown(spec, left, words), _shown(spec, right, words))
            found.append(f"{words.say(spec.label)}{colon}{shown[0]} → {shown[1]}")
    return found


_SECRETLY = {
    (True, True): msg("written down anew"),
    (False, True): msg("written down"),
    (True, False): msg("taken out"),
}


def _said(spec: Spec, words: Words) -> Spec:
    return replace(spec, choices=tuple((one, words.say(text)) for one, text in spec.choices))


def _shown(spec: Spec, value: object, words: Words) -> str:
    if value in (None, ""):
        return "—"
    if isinstance(value, bool):
        return words.say(msg("yes") if value else msg("no"))
    return dict(spec.choices).get(str(value), str(value))
