"""The same answers in fewer operations, and nothing kept that answers otherwise."""

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest

from edge.detect.onnx_session import open_session

REPOSITORY = Path(__file__).parents[2]
BUILTIN = REPOSITORY / "models" / "builtin" / "detector.onnx"
spec = importlib.util.spec_from_file_location("lean", REPOSITORY / "models" / "lean.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
RANDOM = np.random.default_rng(3)


def numbers(name: str, *values: int) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def network(*, order: str = "abcd", pools: tuple[int, ...] = (5, 9, 13)) -> onnx.ModelProto:
    """Return a small one built as YOLOX is: the picture's four parts, a layer, pools beside it."""
    halves = [("even", 2, 0), ("odd", 2, 1)]
    nodes, weights = [], RANDOM.normal(0, 0.1, (4, 12, 3, 3)).astype(np.float32)
    kept = [onnx.numpy_helper.from_array(weights, "w"), numbers("end", 1 << 31)]
    kept += [numbers("two", 2), numbers("rows", 2), numbers("columns", 3)]
    kept += [numbers("start0", 0), numbers("start1", 1)]
    for name, _, start in halves:
        for row in (0, 1):
            part = {(0, 0): "a", (1, 0): "b", (0, 1): "c", (1, 1): "d"}[row, start]
            cut = [f"start{row}", "end", "rows", "two"]
            nodes.append(helper.make_node("Slice", ["images", *cut], [f"{name}{row}"]))
            cut = [f"start{start}", "end", "columns", "two"]
            nodes.append(helper.make_node("Slice", [f"{name}{row}", *cut], [part]))
    nodes.append(helper.make_node("Concat", list(order), ["parts"], axis=1))
    nodes.append(
        helper.make_node("Conv", ["parts", "w"], ["layer"], kernel_shape=[3, 3], pads=[1] * 4)
    )
    nodes += [
        helper.make_node(
            "MaxPool", ["layer"], [f"p{side}"], kernel_shape=[side] * 2, pads=[side // 2] * 4
        )
        for side in pools
    ]
    nodes.append(helper.make_node("Concat", [f"p{side}" for side in pools], ["output"], axis=1))
    size = [1, 3, 64, 96]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", FLOAT, size)],
        [helper.make_tensor_value_info("output", FLOAT, [1, 12, 32, 48])],
        kept,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(monkeypatch: pytest.MonkeyPatch, file: Path, out: Path, *more: str) -> None:
    monkeypatch.setattr("sys.argv", ["lean.py", str(file), "--out", str(out), *more])
    script.main()


def test_it_answers_as_before_with_fewer_operations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = tmp_path / "before.onnx", tmp_path / "after.onnx"
    onnx.save(network(), str(before))
    run(monkeypatch, before, after, "--version", "7")
    kinds = [node.op_type for node in onnx.load(str(after)).graph.node]
    assert kinds == ["Conv", "MaxPool", "MaxPool", "MaxPool", "Concat"]
    picture = RANDOM.uniform(0, 255, (1, 3, 64, 96)).astype(np.float32)
    old, new = open_session(before).run(picture), open_session(after).run(picture)
    assert np.abs(new).max() > 10
    assert np.allclose(new, old, atol=1e-4)
    assert open_session(after).metadata["version"] == "7"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        pytest.param(network(order="acbd"), "apart", id="parts joined otherwise than YOLOX"),
        pytest.param(
            helper.make_model(
                helper.make_graph(
                    [helper.make_node("Identity", ["images"], ["output"])],
                    "none",
                    [helper.make_tensor_value_info("images", FLOAT, [1, 3, 32, 32])],
                    [helper.make_tensor_value_info("output", FLOAT, [1, 3, 32, 32])],
                ),
                opset_imports=[helper.make_opsetid("", 17)],
                ir_version=8,
            ),
            "nothing in it",
            id="nothing to do",
        ),
    ],
)
def test_what_cannot_be_made_lean_is_refused_and_nothing_is_kept(
    made: onnx.ModelProto, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx.save(made, str(tmp_path / "before.onnx"))
    with pytest.raises(SystemExit, match=says):
        run(monkeypatch, tmp_path / "before.onnx", tmp_path / "after.onnx")
    assert not (tmp_path / "after.onnx").exists()


def test_the_detector_that_linli_brings_is_lean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="nothing in it"):
        run(monkeypatch, BUILTIN, tmp_path / "after.onnx")
