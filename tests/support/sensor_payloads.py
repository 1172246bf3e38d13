"""Payloads as the makers publish them, for tests of mappings."""

from __future__ import annotations

from typing import Any


def chirpstack_up(eui: str, obj: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    """ChirpStack 4's `up` event (documentation of its integrations), with a codec's object."""
    return f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{eui}/event/up", {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "ChirpStack",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
            "applicationName": "Test application",
            "deviceProfileName": "Test device-profile",
            "deviceName": "Test device",
            "devEui": eui,
            "tags": {"key": "value"},
        },
        "devAddr": "00189440",
        "dr": 1,
        "fPort": 85,
        "data": "qg==",
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -36, "snr": 10.5}],
        "object": obj,
        **more,
    }


CHIRPSTACK_LEAK = chirpstack_up(
    "24e124136b502217",
    {"battery": 92, "temperature": 30.8, "humidity": 50.5, "leakage_status": "leak"},
)
# DahuaVTO2MQTT's documentation of its events; card and user filled in.
DAHUA_ACCESS = (
    "DahuaVTO/AccessControl/Event",
    {
        "Action": "Pulse",
        "Data": {
            "CardNo": "8A5F3C01",
            "CardType": None,
            "LocaleTime": "2020-03-02 20:24:08",
            "Method": 4,
            "Name": "OpenDoor",
            "Password": "",
            "ReaderID": "1",
            "RecNo": 691,
            "SnapURL": "",
            "Status": 1,
            "Type": "Entry",
            "UTC": 1583173448,
            "UserID": "42",
        },
    },
)
