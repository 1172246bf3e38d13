"""An ordinary day: devices and incidents to look at, and a picture drawn by code."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from ingest.services.views import DeviceView, NodeView
from linli.events import Action, LaneReport

if TYPE_CHECKING:
    from neighbourhood import Neighbourhood

CAMERAS = (
    ("cam-e1", "3 号楼 1 号电梯", "b03", "streaming", "ok", 5.0, None, 3),
    ("cam-gate", "北门消防通道", "gate-n", "stalled", "degraded", 1.2, "no frame for 12 s", 14),
    ("cam-yard", "中心花园", "garden", "streaming", "ok", 4.8, None, 2),
    ("cam-b12", "12 号楼单元门口", "b12", "failed", "down", None, "connection refused", 5400),
)
HELD = (Action(type="door-hold", result="done"), Action(type="voice-prompt", result="done"))


def furnish(place: Neighbourhood) -> None:
    """Fill a neighbourhood with an ordinary day."""
    place.estate.devices.extend(cameras(place.clock.now()))
    place.estate.boxes.append(box(place.clock.now()))
    happen = place.happen
    happen(
        device="cam-e1",
        severity="critical",
        label="ebike",
        zone="lift-1",
        minutes=1.5,
        actions=HELD,
    )
    gate: dict[str, Any] = {"device": "cam-gate", "area": "gate-n", "zone": "fire-lane"}
    happen(**gate, severity="high", label="car", minutes=7)
    over = happen(device="cam-yard", minutes=26, area="garden")
    place.step(over, "cleared", minutes=24)
    again = happen(minutes=40, picture="coming")
    place.step(again, "repeated", minutes=31)
    place.step(again, "repeated", minutes=20)
    happen(
        device="cam-b12", severity="low", label="dog", minutes=55, picture="withheld", area="b12"
    )
    seen = happen(**gate, severity="high", label="truck", minutes=75)
    place.step(seen, "acknowledged", minutes=70, actor="user:王芳")
    for index in range(3):
        ago = 180 + 300 * index
        old = happen(device="cam-yard", minutes=ago, area="garden")
        place.step(old, "cleared", minutes=ago - 5)
        place.step(old, "acknowledged", minutes=ago - 10, actor="user:admin")
        place.step(old, "resolved", minutes=ago - 20, actor="user:admin")


def cameras(now: datetime) -> list[DeviceView]:
    """Return four cameras in all states of health, and one that waits to be confirmed."""
    common: dict[str, Any] = {
        "site": "c001",
        "node": "c001-n07",
        "kind": "camera",
        "subject": None,
    }
    fresh = DeviceView(
        **common,
        device="cam-new",
        label="5 号楼大厅",
        area="b05",
        standing="discovered",
        state="unknown",
        health="unknown",
        parked=4,
    )
    return [fresh] + [
        DeviceView(
            **common,
            standing="confirmed",
            device=device,
            label=label,
            area=area,
            state=state,
            health=health,
            fps=fps,
            detail=detail,
            last_seen=now - timedelta(seconds=age),
        )
        for device, label, area, state, health, fps, detail, age in CAMERAS
    ]


def box(now: datetime) -> NodeView:
    """Return one healthy edge box."""
    return NodeView(
        site="c001",
        area="b03",
        node="c001-n07",
        label="3 号楼弱电间",
        standing="confirmed",
        state="ready",
        health="ok",
        last_seen=now - timedelta(seconds=21),
        agent="0.1.0",
        uptime=187_000,
        rss=143_000_000,
        diskfree=20_400_000_000,
        lanes=(
            LaneReport(lane="events", pending=0, evicted=0, dead=0),
            LaneReport(lane="telemetry", pending=2, evicted=0, dead=0),
        ),
    )


def drawn_picture() -> bytes:
    """Return a made-up scene: a hall, a door, and somebody whose head is already blurred."""
    image = Image.new("RGB", (768, 432))
    draw = ImageDraw.Draw(image)
    for line in range(432):
        shade = 96 + line // 4
        draw.line((0, line, 768, line), fill=(shade, shade + 4, shade + 2))
    draw.polygon([(0, 432), (0, 330), (250, 260), (768, 260), (768, 432)], fill=(120, 112, 100))
    draw.rectangle((430, 70, 620, 330), fill=(70, 84, 90), outline=(40, 48, 52), width=6)
    draw.line((525, 70, 525, 330), fill=(40, 48, 52), width=4)
    draw.rounded_rectangle((240, 195, 315, 340), 24, fill=(44, 74, 120))
    draw.rectangle((250, 325, 272, 378), fill=(38, 42, 54))
    draw.rectangle((283, 325, 305, 378), fill=(38, 42, 54))
    for ring in range(12):
        tone = 150 + ring * 4
        draw.ellipse(
            (250 + ring, 138 + ring, 306 - ring, 194 - ring), fill=(tone, tone - 8, tone - 14)
        )
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=82)
    return kept.getvalue()
