"""The words of a registry file: what columns and values are called, in English and Chinese."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from ingest import spreadsheet

Titles = Literal["zh", "en"]

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "type": ("类型", "类别"),
    "id": ("编号", "标识", "编码"),
    "label": ("名称", "姓名", "中文名", "name"),
    "label_en": ("英文名", "英文名称", "english name"),
    "place": ("位置", "安装位置", "地点", "location"),
    "kind": ("种类", "设备类型", "设备种类"),
    "vendor": ("厂商", "厂家", "品牌", "manufacturer"),
    "model": ("型号",),
    "capabilities": ("能力", "功能"),
    "network": ("上级网络", "上联设备", "network parent"),
    "power": ("上级电源", "供电", "power parent"),
    "role": ("岗位", "职务"),
    "phone": ("电话", "手机", "手机号", "联系电话"),
    "team": ("班组", "部门"),
    "languages": ("语言",),
    "account": ("账号", "登录名"),
    "retired": ("停用", "报废"),
}
"""Each field with what else a column may be called; the first Chinese name is what we write."""

VALUES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "type": {
        "site": ("小区", "社区"),
        "building": ("楼栋", "楼"),
        "area": ("公共区域", "区域"),
        "unit": ("单元",),
        "point": ("点位",),
        "edge": ("边缘盒", "边缘盒子", "边缘节点", "node"),
        "device": ("设备",),
        "team": ("班组",),
        "person": ("人员", "员工"),
    },
    "kind": {
        "camera": ("摄像头", "摄像机", "相机"),
        "lamp": ("路灯", "灯"),
        "lamp-group": ("灯组",),
        "bin": ("垃圾桶",),
        "lift": ("电梯",),
        "switch": ("交换机",),
        "gate": ("闸机",),
        "sensor": ("传感器",),
        "cabinet": ("配电箱",),
    },
    "role": {
        "manager": ("主管", "经理"),
        "duty": ("值班", "值班员"),
        "security": ("保安", "安保"),
        "repair": ("维修", "工程"),
        "cleaning": ("保洁",),
        "grid": ("网格员",),
        "integrator": ("集成商", "厂商人员"),
        "other": ("其他",),
    },
    "languages": {"zh": ("中文", "汉语"), "en": ("英文", "英语")},
    "retired": {
        "yes": ("是", "true", "1", "停用", "报废", "y"),
        "no": ("否", "false", "0", "在用", "n"),
    },
}
"""Words that stand for a value; the first is what we write under Chinese titles."""

LISTS: Final = frozenset({"capabilities", "languages"})


plain = lru_cache(maxsize=1024)(spreadsheet.plain)

_FIELD_OF: Final = {
    plain(word): field for field, words in COLUMNS.items() for word in (field, *words)
}
_VALUE_OF: Final = {
    field: {plain(word): value for value, words in known.items() for word in (value, *words)}
    for field, known in VALUES.items()
}


def field_of(title: str) -> str | None:
    """Return which field a column's title names."""
    return _FIELD_OF.get(plain(title))


def value_of(field: str, cell: str) -> str:
    """Return the value that a word of ours stands for, the cell itself otherwise."""
    return _VALUE_OF.get(field, {}).get(plain(cell), cell)


def title(field: str, titles: Titles) -> str:
    """Return what we call a column."""
    return COLUMNS[field][0] if titles == "zh" else field


def word(field: str, value: str, titles: Titles) -> str:
    """Return how we write a value under such titles."""
    known = VALUES.get(field, {}).get(value)
    return known[0] if titles == "zh" and known else value
