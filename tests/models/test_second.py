"""The second look's file says what its network says, though its weights are kept in 8 bits."""

from collections.abc import Callable
from pathlib import Path

MODELS = Path(__file__).parents[2] / "models"
COMPARED = """
import sys
second, waste, out = sys.argv[1:]
sys.path[:0] = [second, waste]
import numpy as np, onnxruntime, torch
from pathlib import Path
from lite import BLOCKS, Classifier, Conv
from make import LIKE, UNLIKE, WIDE, export
torch.manual_seed(1)
model, last = Classifier(len(LIKE) + len(UNLIKE), len(BLOCKS)), Conv(BLOCKS[-1][-1], WIDE, 1)
model.head = torch.nn.Linear(WIDE, len(LIKE) + len(UNLIKE))
export(model, last, 64, Path(out))
pictures = np.random.default_rng(1).integers(0, 255, (1, 3, 64, 64)).astype(np.float32)
with torch.no_grad():
    wide = torch.relu(last(model.start(torch.tensor(pictures), len(BLOCKS)))).clamp(max=6)
    shares = model.head(wide.mean((2, 3))).softmax(1)[0].numpy()
said = onnxruntime.InferenceSession(out).run(None, {"images": pictures})[0][0]
print(said[0], said.sum(), shares[: len(LIKE)].sum())
"""


def test_the_file_says_what_the_network_says(train: Callable[..., str], tmp_path: Path) -> None:
    script, out = tmp_path / "compared.py", tmp_path / "second.onnx"
    script.write_text(COMPARED)
    like, both, wanted = map(
        float, train(script, MODELS / "second", MODELS / "waste", out).split()[-3:]
    )
    assert abs(like - wanted) < 0.01
    assert abs(both - 1) < 1e-5
    assert out.stat().st_size < 4_000_000
