"""A real edge looks at faces: none is in anything it writes, sends or says.

What is looked for is found by another detector, which shows on the same frames as they were that it
can find faces.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from beside import SHARED, needs_shared

from linli import seal
from linli.process import linli_argv

from .conftest import BUSY, ROOT, Script

PICTURES = SHARED / "data/coco-val128/images"
LABELS = ROOT / "models" / "heads" / "coco-val128.txt"
FACES = ROOT / "tests" / "support" / "faces.py"
SHOWN = ("001000", "005001", "006954", "008532", "011699", "012670")
WIDTH, HEIGHT, TIMES = 640, 480, 8
Image = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@dataclass
class Ingest:
    """Gives its key, and is sent pictures that it never takes, so that they stay on the disk."""

    private: bytes = field(default_factory=seal.new_key)
    sent: dict[str, bytes] = field(default_factory=dict)
    wire: list[bytes] = field(default_factory=list)
    port: int = 0

    def opened(self, sealed: dict[str, bytes]) -> dict[str, bytes]:
        return {
            name: seal.opened(body, self.private, seal.about("s", "n", name))
            for name, body in sealed.items()
        }


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    known = Ingest()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = base64.b64encode(seal.public_of(known.private)).decode()
            found = self.path == "/api/v1/evidence-key"
            self._answer(200 if found else 404, json.dumps({"key": key}).encode())

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.sent[self.path.rpartition("/")[2]] = body
            known.wire += [body, str(self.headers).encode()]
            self._answer(507, b"")  # of this picture alone: the next one is sent too

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield known
    http.shutdown()
    http.server_close()
    thread.join()


def frames_and_heads() -> tuple[list[Image], list[list[Box]]]:
    """Return the photographs as they are played, and where heads are in them, in pixels."""
    frames, heads = [], []
    rows = [line.split() for line in LABELS.read_text().splitlines() if line[:1] != "#"]
    for number in SHOWN:
        name = f"000000{number}.jpg"
        image = cv2.imread(str(PICTURES / name))
        assert image is not None
        scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        height, width = small.shape[:2]
        frame[:height, :width] = small
        frames.append(frame)
        found = [tuple(map(float, row[1:])) for row in rows if row[0] == name]
        heads.append([(a * width, b * height, c * width, d * height) for a, b, c, d in found])
    return frames, heads


def run_edge(folder: Path, frames: list[Image], port: int) -> str:
    """Let an edge see the photographs as a video until its end; return all that it said."""
    writer = cv2.VideoWriter(
        str(folder / "faces.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 5, (WIDTH, HEIGHT)
    )
    empty = np.full_like(frames[0], 90)
    for frame in frames:
        for shown in (*[frame] * TIMES, *[empty] * TIMES):  # each happening ends before the next
            writer.write(shown)
    writer.release()
    box = folder / "box"
    (box / "tmp").mkdir(parents=True)
    (box / "node.key").write_text("k")
    (box / "edge.toml").write_text(
        f"""
[node]
site = "s"
area = "a"
id = "n"
[mqtt]
port = 1
[ingest]
url = "http://127.0.0.1:{port}"
key_file = "node.key"
[status]
port = 0
[[camera]]
id = "cam"
label = "c"
source = "../faces.avi"
speed = "max"
redact_within = 60.0
[[camera.zone]]
id = "all"
points = [[0, 0], [1, 0], [1, 1], [0, 1]]
anchor = "center"
[[camera.scenario]]
event = "zone-dwell"
labels = ["person"]
zone = "all"
dwell = 0.0
votes = 2
of = 3
gone_after = 0.4
cooldown = 0.0
"""
    )
    done = subprocess.run(
        linli_argv("edge", "run", "--config", "edge.toml", "--json", "--drain", "10", "--alone"),
        cwd=box,
        env={**os.environ, "TMPDIR": str(box / "tmp")},
        capture_output=True,
        text=True,
        timeout=BUSY,
        check=False,
    )
    assert "frames_inferred" in done.stdout, done.stderr[-2000:]
    return done.stdout + done.stderr


def on_heads(found: dict[str, list[list[int]]], heads: dict[str, list[Box]]) -> int:
    """Return how many labelled heads of 24 pixels and more are among the faces that were found."""
    hit = set()
    for path, boxes in found.items():
        for x, y, width, height in boxes:
            middle, size = (x + width / 2, y + height / 2), width
            for number, (x1, y1, x2, y2) in enumerate(heads[path]):
                within = x1 <= middle[0] <= x2 and y1 <= middle[1] <= y2
                if within and 0.4 < size / max(x2 - x1, y2 - y1) < 1.6:
                    hit.add((path, number))
    return len(hit)


def pictures_in(content: bytes) -> int:
    """Return how many pictures can be read out of bytes, whatever they are part of."""
    count = 0
    for magic in (b"\xff\xd8\xff", b"\x89PNG\r\n"):
        at = content.find(magic)
        while at >= 0:
            part = np.frombuffer(content[at : at + 4_000_000], np.uint8)
            with contextlib.suppress(cv2.error):
                count += cv2.imdecode(part, cv2.IMREAD_REDUCED_GRAYSCALE_8) is not None
            at = content.find(magic, at + 1)
    return count


@pytest.mark.shared
@needs_shared("data/coco-val128")
@pytest.mark.timeout(2 * BUSY)
def test_no_face_is_in_anything_that_leaves_the_edge(
    render: Script, ingest: Ingest, tmp_path: Path
) -> None:
    frames, heads = frames_and_heads()
    said = run_edge(tmp_path, frames, ingest.port)
    waiting = (tmp_path / "box" / "data" / "pictures").glob("*.sealed")
    sealed = {path.stem: path.read_bytes() for path in waiting}
    opened = ingest.opened(sealed)
    assert len(opened) >= len(SHOWN)
    assert ingest.sent
    assert ingest.sent.items() <= sealed.items()  # what is sent is what waits

    # On the disk, on the wire and in the log there is nothing that anybody could open.
    disk = [path for path in (tmp_path / "box").rglob("*") if path.is_file()]
    for content in (*(path.read_bytes() for path in disk), *ingest.wire, said.encode()):
        assert pictures_in(content) == 0
    assert sum(map(pictures_in, opened.values())) == len(opened)  # else none would be found above

    # What the ingest opens shows no face, while the same detector finds many in what was seen.
    seen: dict[str, list[Box]] = {}
    shown: dict[str, list[Box]] = {}
    for jpeg, name in {jpeg: name for name, jpeg in opened.items()}.items():
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        number = int(np.argmin([np.abs(image.astype(int) - frame).mean() for frame in frames]))
        before, after = tmp_path / f"seen-{number}.png", tmp_path / f"{name}.jpg"
        cv2.imwrite(str(before), frames[number])
        after.write_bytes(jpeg)
        seen[str(before)] = shown[str(after)] = heads[number]
    assert len(seen) == len(SHOWN)
    assert on_heads(json.loads(render(FACES, *seen)), seen) >= 20
    assert on_heads(json.loads(render(FACES, *shown)), shown) == 0
