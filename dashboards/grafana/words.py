"""Words and colours for the ids that stand in the data, the same as on Linli's own pages."""

from __future__ import annotations

from dashboards.grafana.panel import BLUE, GREEN, GREY, ORANGE, RED, YELLOW, Word
from dashboards.grafana.text import Text

SEVERITY_COLORS = {"critical": RED, "high": ORANGE, "medium": YELLOW, "low": BLUE}
SEVERITIES = {
    "critical": Word(Text("紧急", "Critical"), RED),
    "high": Word(Text("重要", "High"), ORANGE),
    "medium": Word(Text("一般", "Medium"), YELLOW),
    "low": Word(Text("提示", "Low"), BLUE),
}
URGENCIES = dict(zip(("0", "1", "2", "3"), SEVERITIES.values(), strict=True))
STATES = {
    "open": Word(Text("待处理", "Waiting"), RED),
    "acknowledged": Word(Text("已确认", "Acknowledged"), YELLOW),
    "in-progress": Word(Text("处理中", "Being handled"), BLUE),
    "resolved": Word(Text("已解决", "Resolved"), GREEN),
}
EVENTS = {
    "ebike-in-elevator": Word(Text("电动自行车进电梯", "E-bike in the lift")),
    "zone-dwell": Word(Text("在看护区域停留", "Staying in the watched area")),
    "bin-full": Word(Text("垃圾桶满", "Bin full")),
    "lamp-fault": Word(Text("灯具故障", "Lamp fault")),
    "alarm-storm": Word(Text("短时间内大量告警", "Many alarms at once")),
    "message-conflict": Word(Text("设备消息自相矛盾", "Box contradicts its own messages")),
    "disk-low": Word(Text("硬盘快满", "Disk nearly full")),
    "grafana-alert": Word(Text("系统健康告警", "Health alert")),
    "bin-fire": Word(Text("垃圾桶着火", "Fire in a waste bin")),
    "bin-tipped": Word(Text("垃圾桶倾倒", "Bin has fallen")),
    "bin-overdue": Word(Text("垃圾桶满未及时清运", "Full bin not emptied in time")),
    "blocked-fire-lane": Word(Text("消防通道被占", "Fire lane blocked")),
    "closed-zone-entry": Word(Text("有人进入封闭区域", "Somebody in a closed zone")),
    "loitering": Word(Text("有人长时间逗留", "Somebody stays long")),
    "crowding": Word(Text("人员聚集", "Crowd")),
    "bulky-waste": Word(Text("大件垃圾堆放", "Bulky waste left")),
    "camera-tampered": Word(Text("摄像头画面异常", "Camera shows nothing useful")),
    "smoke": Word(Text("烟感报警", "Smoke alarm")),
    "gas": Word(Text("燃气报警", "Gas alarm")),
    "carbon-monoxide": Word(Text("一氧化碳报警", "Carbon monoxide alarm")),
    "water-leak": Word(Text("漏水", "Water leak")),
    "door-open": Word(Text("门未关", "Door left open")),
    "forced": Word(Text("门被强行打开", "Door forced open")),
    "held-open": Word(Text("门长时间未关", "Door held open too long")),
    "access-granted": Word(Text("门禁放行", "Let in at the gate")),
    "access-denied": Word(Text("门禁拒绝", "Refused at the gate")),
    "occupancy": Word(Text("有人", "Somebody is there")),
    "vibration": Word(Text("振动", "Vibration")),
    "battery-low": Word(Text("传感器电量低", "Battery of a sensor low")),
    "on": Word(Text("已接通", "Switched on")),
    "tamper": Word(Text("传感器被拆", "Sensor taken off")),
    "tilted": Word(Text("倾倒", "Tipped over")),
    "sensor-offline": Word(Text("传感器失联", "Sensor silent")),
    "edge-silent": Word(Text("边缘盒失联", "Edge box silent")),
    "sensor-source-offline": Word(Text("传感器网关失联", "Sensors' gateway silent")),
}
STEPS = {
    "opened": Word(Text("发生", "Opened"), RED),
    "reopened": Word(Text("再次发生", "Opened again"), RED),
    "repeated": Word(Text("又一次", "Once more")),
    "worsened": Word(Text("变严重", "Got worse"), ORANGE),
    "cleared": Word(Text("现象消失", "Cleared"), GREEN),
    "recurred": Word(Text("现象又出现", "Back again"), ORANGE),
    "acknowledged": Word(Text("有人确认", "Acknowledged"), YELLOW),
    "started": Word(Text("开始处理", "Work started"), BLUE),
    "resolved": Word(Text("解决", "Resolved"), GREEN),
    "labelled": Word(Text("判定", "Judged")),
    "unacknowledged": Word(Text("确认后无进展", "Seen, not resolved"), ORANGE),
    "reminded": Word(Text("已提醒", "Reminded"), ORANGE),
    "resumed": Word(Text("继续处理", "Taken up again"), BLUE),
    "shelved": Word(Text("暂停通知", "Shelved")),
    "unshelved": Word(Text("恢复通知", "Calls go on")),
    "noted": Word(Text("备注", "Noted")),
    "undone": Word(Text("撤销", "Taken back")),
}
COUNTERS = {
    "duplicates": Word(Text("重复", "Duplicates")),
    "probe": Word(Text("试探", "Probes")),
    "dropped": Word(Text("来不及收而放弃", "Dropped, too many at once")),
    "evicted": Word(Text("盒子丢弃", "Given up by edges")),
    "future": Word(Text("时钟超前", "From a clock that runs ahead")),
    "unknown_fields": Word(Text("未知字段", "Unknown fields")),
    "parked_dropped": Word(Text("待确认设备的消息放弃", "Parked and given up")),
    "quarantine_dropped": Word(Text("拒收原文不再保留", "Refused, bytes not kept")),
    **{
        f"rejected.{code}": Word(Text(f"拒收：{zh}", f"Refused: {en}"))
        for code, zh, en in (
            ("json", "不是 JSON", "no JSON"),
            ("schema", "不合格式", "breaks the schema"),
            ("version", "版本不识", "a version not spoken here"),
            ("topic-mismatch", "主题不符", "not its topic's"),
            ("location-mismatch", "位置不符", "registered elsewhere"),
            ("size", "过大", "too large"),
            ("privacy", "涉及个人信息", "may identify a person"),
            ("conflict", "与已收内容冲突", "contradicts what is kept"),
            ("unknown-device", "未知设备过多", "too much of an unknown device"),
        )
    },
}
CONSUMERS = {
    "incidents": Word(Text("事件", "Incidents")),
    "series": Word(Text("曲线", "Charts")),
    "influx": Word(Text("InfluxDB", "InfluxDB")),
}
KINDS = {
    "event": Word(Text("事件", "Events")),
    "telemetry": Word(Text("读数", "Readings")),
    "health": Word(Text("健康报告", "Health")),
    "meta": Word(Text("设备说明", "Descriptions")),
    "probe": Word(Text("试探", "Probes")),
}
LANES = {
    "events": Word(Text("事件", "Events")),
    "telemetry": Word(Text("读数", "Readings")),
}
SHARES = {
    "p50": Word(Text("一半快于", "half within")),
    "p95": Word(Text("95 % 快于", "95 % within")),
}
STREAMING = {
    "starting": Word(Text("正在连接", "Starting"), YELLOW),
    "streaming": Word(Text("有画面", "Streaming"), GREEN),
    "stalled": Word(Text("画面停住", "Stalled"), RED),
    "ended": Word(Text("已结束", "Ended"), GREY),
    "failed": Word(Text("连不上", "Failed"), RED),
}
PHASES = {
    "begin": Word(Text("开始", "Begins"), RED),
    "update": Word(Text("持续", "Goes on"), YELLOW),
    "end": Word(Text("结束", "Ends"), GREEN),
}
HEALTH = {
    "ok": Word(Text("正常", "OK"), GREEN),
    "degraded": Word(Text("部分可用", "Degraded"), YELLOW),
    "down": Word(Text("离线", "Offline"), RED),
    "unknown": Word(Text("未知", "Unknown"), GREY),
}
LIT = {
    "0": Word(Text("未亮", "Off"), GREY),
    "1": Word(Text("亮", "On"), YELLOW),
}
