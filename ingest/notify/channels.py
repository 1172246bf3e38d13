"""Channels as the settings describe them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from pathlib import Path

import httpx2

from ingest.notify import dingtalk, feishu, wecom_app, wecom_bot
from ingest.notify.by_apprise import ByApprise
from ingest.notify.channel import Channel
from ingest.notify.mail import Mail
from ingest.notify.ntfy import Ntfy
from ingest.notify.push_desk import PushDesk
from ingest.notify.reach import Network
from ingest.notify.sms import Sms
from ingest.notify.webhook import Webhook
from ingest.notify.wecom_callback import Callback
from ingest.notify_settings import (
    AnyChannel,
    AppriseSettings,
    DingTalkSettings,
    FeishuSettings,
    MailSettings,
    NtfySettings,
    SmsSettings,
    WebhookSettings,
    WebPushSettings,
    WecomAppSettings,
    WecomBotSettings,
)
from linli.errors import InputError
from linli.settings import read_secret

Secrets = Callable[[str], str]
"""What a setting says of a secret → the secret. Raises InputError."""


def from_file(name: str) -> str:
    """Return a secret of the settings file. Raises InputError."""
    return read_secret(Path(name))


def channel_of(
    one: AnyChannel,
    client: httpx2.Client,
    networks: Sequence[str],
    push: PushDesk | None = None,
    secrets: Secrets = from_file,
    *,
    guarded: bool = False,
) -> Channel:
    """Return the sender of one channel. Raises InputError for a secret that cannot be read.

    What people write down by a page is `guarded`: it goes to no network inside but `networks`;
    its `client` must be one that does so too.
    """
    match one:
        case WebPushSettings():
            return _web_push(one, client, networks, push)
        case WecomAppSettings():
            return wecom_app_of(one, client, secrets)
        case AppriseSettings():
            return ByApprise(one.name)
        case WebhookSettings() | SmsSettings():
            return _hook(one, client, [ip_network(network) for network in networks], secrets)
        case MailSettings() | NtfySettings():
            allowed = [ip_network(network) for network in networks] if guarded else None
            return _server(one, client, allowed, secrets)
        case _:
            return _bot(one, client)


def _server(
    one: MailSettings | NtfySettings,
    client: httpx2.Client,
    allowed: Sequence[Network] | None,
    secrets: Secrets,
) -> Channel:
    secret = secrets(one.secret_file) if one.secret_file else None
    if isinstance(one, NtfySettings):
        return Ntfy(client, one.url, secret)
    return Mail(
        one.host,
        one.port,
        sender=one.sender,
        security=one.security,
        username=one.username,
        password=secret,
        allowed=allowed,
    )


def _web_push(
    one: WebPushSettings, client: httpx2.Client, networks: Sequence[str], push: PushDesk | None
) -> Channel:
    if push is None:
        raise InputError("is tried from the page of channels", where=one.name)
    from ingest.notify.web_push import WebPush  # noqa: PLC0415 - for its cipher, see push_seal

    allowed = tuple(ip_network(network) for network in networks)
    return WebPush(client, push, contact=one.contact, allowed=allowed)


def wecom_app_of(
    one: WecomAppSettings, client: httpx2.Client, secrets: Secrets = from_file
) -> wecom_app.WecomApp:
    """Return the sender of an application's cards. Raises InputError."""
    return wecom_app.WecomApp(
        client,
        corporation=one.corporation,
        agent=one.agent,
        secret=secrets(one.secret_file),
        url=one.url or wecom_app.URL,
        answered=one.callback_key_file is not None,
    )


def callback_of(one: AnyChannel, secrets: Secrets = from_file) -> Callback | None:
    """Return what opens the provider's calls; None for a channel without. Raises InputError."""
    if not isinstance(one, WecomAppSettings):
        return None
    if not (one.callback_token_file and one.callback_key_file):
        return None
    return Callback(
        token=secrets(one.callback_token_file),
        key=secrets(one.callback_key_file),
        corporation=one.corporation,
    )


def _bot(
    one: WecomBotSettings | DingTalkSettings | FeishuSettings, client: httpx2.Client
) -> Channel:
    match one:
        case WecomBotSettings():
            return wecom_bot.WecomBot(client, one.url or wecom_bot.URL)
        case DingTalkSettings():
            return dingtalk.DingTalk(client, one.url or dingtalk.URL)
        case FeishuSettings():
            return feishu.Feishu(client, one.url or feishu.URL)


def _hook(
    one: WebhookSettings | SmsSettings,
    client: httpx2.Client,
    allowed: Sequence[Network],
    secrets: Secrets,
) -> Channel:
    if isinstance(one, SmsSettings):
        return Sms(Webhook(client, [secrets(one.secret_file)], allowed=allowed), one.url)
    names = (one.secret_file, one.old_secret_file)
    return Webhook(client, [secrets(name) for name in names if name], allowed=allowed)
