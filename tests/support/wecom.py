"""Calls as 企业微信 makes them: sealed with the EncodingAESKey, signed with the token."""

from __future__ import annotations

import base64
import os
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ingest.notify.wecom_callback import signature

TOKEN, CORPORATION, AGENT = "QDG6eK", "wx5823bf96d3bd56c7", 1000002
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def sealed(plain: bytes, *, key: str = KEY, corporation: str = CORPORATION) -> str:
    raw = os.urandom(16) + len(plain).to_bytes(4) + plain + corporation.encode()
    pad = 32 - len(raw) % 32
    secret = base64.b64decode(f"{key}=")
    cipher = Cipher(AES256(secret), CBC(secret[:16])).encryptor()
    return base64.b64encode(cipher.update(raw + bytes([pad]) * pad) + cipher.finalize()).decode()


def query(part: str, at: datetime, token: str = TOKEN) -> dict[str, str]:
    moment, nonce = str(int(at.timestamp())), "263014780"
    found = signature(token, moment, nonce, part)
    return {"msg_signature": found, "timestamp": moment, "nonce": nonce}


def tap(member: str, task: str, *, response: str = "code-1", **more: Any) -> bytes:
    """What is sealed when a member taps a button."""
    fields = {
        "ToUserName": CORPORATION,
        "FromUserName": member,
        "CreateTime": "1772452800",
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": "acknowledge",
        "TaskId": task,
        "CardType": "button_interaction",
        "ResponseCode": response,
        "AgentID": AGENT,
        **more,
    }
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


def call(part: str) -> str:
    return f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{part}]]></Encrypt></xml>"
