"""Channels as the settings describe them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import httpx2

from ingest.notify import dingtalk, feishu, wecom_app, wecom_bot
from ingest.notify.channel import Channel
from ingest.notify.mail import Mail
from ingest.notify.ntfy import Ntfy
from ingest.notify.reach import Network
from ingest.notify.sms import Sms
from ingest.notify.webhook import Webhook
from ingest.notify_settings import (
    AnyChannel,
    DingTalkSettings,
    FeishuSettings,
    MailSettings,
    NtfySettings,
    SmsSettings,
    WebhookSettings,
    WecomAppSettings,
    WecomBotSettings,
)
from linli.settings import read_secret


def channel_of(one: AnyChannel, client: httpx2.Client, networks: Sequence[str]) -> Channel:
    """Return the sender of one channel. Raises InputError for a secret that cannot be read."""
    match one:
        case WecomAppSettings():
            return wecom_app.WecomApp(
                client,
                corporation=one.corporation,
                agent=one.agent,
                secret=_secret(one.secret_file),
                url=one.url or wecom_app.URL,
            )
        case MailSettings():
            return Mail(
                one.host,
                one.port,
                sender=one.sender,
                security=one.security,
                username=one.username,
                password=_secret(one.secret_file) if one.secret_file else None,
            )
        case NtfySettings():
            token = _secret(one.secret_file) if one.secret_file else None
            return Ntfy(client, one.url, token)
        case WebhookSettings() | SmsSettings():
            return _hook(one, client, [ip_network(network) for network in networks])
        case _:
            return _bot(one, client)


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
    one: WebhookSettings | SmsSettings, client: httpx2.Client, allowed: Sequence[Network]
) -> Channel:
    if isinstance(one, SmsSettings):
        return Sms(Webhook(client, [_secret(one.secret_file)], allowed=allowed), one.url)
    names = (one.secret_file, one.old_secret_file)
    return Webhook(client, [_secret(name) for name in names if name], allowed=allowed)


def _secret(name: str) -> str:
    return read_secret(Path(name))
