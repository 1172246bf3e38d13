"""Why a box refused a configuration has words in both languages, and its own stand below."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards.web.edge_version import standing
from dashboards.web.moments import Calendar
from dashboards.web.refusal_words import of_refusal
from dashboards.web.words import Words
from edge.kept import Wanted
from edge.settings import settings_over
from ingest.registry.configs import RunningConfig
from linli.errors import InputError

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
ZH, EN = Words("zh-CN", {}), Words("en", {})
EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
OWN = """data = "data"
[node]
site = "c001"
area = "b03"
id = "c001-n01"
label = "x"
"""


def refused(tmp_path: Path, **changes: Any) -> str:
    """Return what a box says of the example with its camera changed so."""
    path = tmp_path / "edge.toml"
    path.write_text(OWN)
    document = json.loads(EXAMPLE.read_text())
    document["camera"][0] |= changes
    with pytest.raises(InputError) as caught:
        settings_over(path, Wanted(version=3, document=document))
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "does not know the setting colour"),
        ({"fps": "fast"}, "not as it must be"),
        ({"zone": []}, "names something that there is not"),
        ({"id": "self"}, "could not use"),
    ],
    ids=["unknown", "form", "zone", "other"],
)
def test_what_a_box_says_of_a_document(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    detail = refused(tmp_path, **changes)
    assert says in of_refusal(detail, EN), detail
    assert re.search("[\u4e00-\u9fff]", of_refusal(detail, ZH))


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        ("models: no model of the catalogue is called 'x'. There is: a", "is not on the box"),
        ("/m/a.onnx: the file of model 'a' is not on this machine", "is not on the box"),
        ("a.onnx: has sha256 12…, the file of model 'a' has 34…", "damaged or another one"),
        ("guide.model: 'a' finds things, it does not tell what one is", "not made for this"),
        ("/s/cam.password: secret cannot be read (No such file)", "cannot be read on the box"),
        ("device id 'd' is there twice, or the edge's own", "there twice"),
        ("something that nobody has thought of", "could not use"),
        ("", "could not use"),
    ],
)
def test_what_else_there_is(detail: str, says: str) -> None:
    assert says in of_refusal(detail, EN)
    assert re.search("[\u4e00-\u9fff]", of_refusal(detail, ZH))


def test_the_words_of_the_box_stand_below_those_of_the_page() -> None:
    calendar = Calendar("zh-CN", ZoneInfo("Asia/Shanghai"), NOW)
    running = RunningConfig(version=2, refused=3, detail="unknown setting 'a'", at=NOW)
    found = standing(3, running, calendar, ZH)
    assert (found.state, found.said) == ("refused", "unknown setting 'a'")
    assert found.why is not None
    assert "设置项 a" in found.why
    assert standing(4, running, calendar, ZH).why is None, "another version was refused"
