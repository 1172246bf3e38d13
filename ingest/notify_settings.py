"""`[notify]` of `ingest.toml`: the means by which people are told, and when it is business hours.

Secrets are names of files. Who is told is written down in the store (`ingest.notify.plans`).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

from linli.errors import InputError
from linli.events import Slug
from linli.settings import Settings

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)")]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/@?#]+(/[^\s]*)?$", max_length=1024)]
Word = Annotated[str, Meta(min_length=1, max_length=256)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Day = Annotated[int, Meta(ge=0, le=6)]


class ChannelSettings(Settings, frozen=True, kw_only=True, tag_field="type"):
    """What all have: the `name` that contacts use; `pictures` may go there, redacted."""

    name: Slug
    pictures: bool = False


class WecomBotSettings(ChannelSettings, frozen=True, kw_only=True, tag="wecom-bot"):
    """A group bot of WeCom; `url` only for a proxy or a test."""

    url: Url | None = None


class WecomAppSettings(ChannelSettings, frozen=True, kw_only=True, tag="wecom-app"):
    """An application of WeCom; its cards have a button when the callback's secrets are given."""

    corporation: Word
    agent: int
    secret_file: Word
    callback_token_file: Word | None = None
    callback_key_file: Word | None = None
    url: Url | None = None


class DingTalkSettings(ChannelSettings, frozen=True, kw_only=True, tag="dingtalk"):
    """A group bot of DingTalk."""

    url: Url | None = None


class FeishuSettings(ChannelSettings, frozen=True, kw_only=True, tag="feishu"):
    """A group bot of Feishu."""

    url: Url | None = None


class MailSettings(ChannelSettings, frozen=True, kw_only=True, tag="mail"):
    """A mail server."""

    host: Word
    sender: Word
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Word | None = None
    secret_file: Word | None = None


class WebhookSettings(ChannelSettings, frozen=True, kw_only=True, tag="webhook"):
    """Somebody else's system; `old_secret_file` signs too while a secret is being changed."""

    secret_file: Word
    old_secret_file: Word | None = None


class SmsSettings(ChannelSettings, frozen=True, kw_only=True, tag="sms"):
    """A gateway for text messages."""

    url: Url
    secret_file: Word


class NtfySettings(ChannelSettings, frozen=True, kw_only=True, tag="ntfy"):
    """A server of ntfy."""

    url: Url
    secret_file: Word | None = None


class WebPushSettings(ChannelSettings, frozen=True, kw_only=True, tag="web-push"):
    """Phones that people have added; `contact` is whom push services write to when we misbehave."""

    contact: Annotated[
        str, Meta(pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://[^\s]+)$", max_length=256)
    ]


class AppriseSettings(ChannelSettings, frozen=True, kw_only=True, tag="apprise"):
    """Services that the library Apprise knows, where it is installed."""


AnyChannel: TypeAlias = (
    WecomBotSettings
    | WecomAppSettings
    | DingTalkSettings
    | FeishuSettings
    | MailSettings
    | WebhookSettings
    | SmsSettings
    | NtfySettings
    | WebPushSettings
    | AppriseSettings
)


CHANNELS: tuple[type, ...] = get_args(AnyChannel)
SECRET_FILES = ("secret_file", "old_secret_file", "callback_token_file", "callback_key_file")


class Business(Settings, frozen=True, kw_only=True):
    """Business hours on the site's own clocks; days count from Monday, 0."""

    days: tuple[Day, ...] = (0, 1, 2, 3, 4)
    begin: Clock = "08:30"
    end: Clock = "17:30"


class Notify(Settings, frozen=True, kw_only=True):
    """How people are told; `channels` are more where people have written some down by a page.

    `base_url` is what links in messages begin with, `allow_networks` the networks inside that
    webhooks and channels by a page may reach, `alive_url` an address that is called each minute
    while all is well.
    """

    channels: Annotated[tuple[AnyChannel, ...], Meta(max_length=32)] = ()
    base_url: Url | None = None
    allow_networks: Annotated[tuple[Word, ...], Meta(max_length=32)] = ()
    alive_url: Url | None = None
    business: Business = Business()


def checked(path: Path, notify: Notify, whole: Callable[[str], str]) -> Notify:
    """Return it with whole paths. Raises InputError that says where and which rule."""
    where = f"{path}: notify"
    names = [one.name for one in notify.channels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two channels are called {twice!r}", where=f"{where}.channels")
    for network in notify.allow_networks:
        try:
            ip_network(network)
        except ValueError:
            raise InputError(
                f"not a network: {network!r}",
                where=f"{where}.allow_networks",
                hint="As in 10.1.0.0/16",
            ) from None
    for one in notify.channels:
        if half_called(one):
            raise InputError(
                "one of callback_token_file and callback_key_file alone",
                where=f"{where}.channels {one.name}",
                hint="Give both, as the application's page in the console shows them, or none",
            )
    channels = tuple(_whole(one, whole) for one in notify.channels)
    return msgspec.structs.replace(notify, channels=channels)


def half_called(one: AnyChannel) -> bool:
    """Tell whether an application has one of the two secrets of its callback."""
    return isinstance(one, WecomAppSettings) and (
        (one.callback_token_file is None) != (one.callback_key_file is None)
    )


def _whole(one: AnyChannel, whole: Callable[[str], str]) -> AnyChannel:
    found = {
        name: whole(value)
        for name in SECRET_FILES
        if (value := getattr(one, name, None)) is not None
    }
    return msgspec.structs.replace(one, **found)
