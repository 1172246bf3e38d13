import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest

from edge.detect.families import decoder_for
from edge.detect.onnx_session import open_session

REPOSITORY = Path(__file__).parents[2]
BUILTIN = REPOSITORY / "models" / "builtin" / "detector.onnx"
spec = importlib.util.spec_from_file_location("open_size", REPOSITORY / "models" / "open_size.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def run(monkeypatch: pytest.MonkeyPatch, file: Path, out: Path) -> None:
    monkeypatch.setattr("sys.argv", ["open_size.py", str(file), "--out", str(out)])
    script.main()


@pytest.fixture
def fixed(tmp_path: Path) -> Path:
    """The built-in detector, as networks of this family usually come: of one size."""
    model = onnx.load(str(BUILTIN))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value = dims[3].dim_value = 416
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 3549
    onnx.save(model, str(tmp_path / "fixed.onnx"))
    return tmp_path / "fixed.onnx"


def test_an_opened_network_takes_wide_pictures_and_answers_as_before(
    fixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "open.onnx"
    run(monkeypatch, fixed, out)
    session, original = open_session(out), open_session(BUILTIN)
    assert open_session(fixed).signature != session.signature
    assert decoder_for(session.signature, where="here").wants.step == 32
    wide = np.random.default_rng(2).uniform(0, 255, (1, 3, 256, 416)).astype(np.float32)
    assert np.array_equal(session.run(wide), original.run(wide))


def test_a_network_that_is_open_already_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="open already"):
        run(monkeypatch, BUILTIN, tmp_path / "open.onnx")
    assert not (tmp_path / "open.onnx").exists()


def test_a_network_that_counts_on_its_size_is_refused_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    shape = onnx.numpy_helper.from_array(np.array([1, 3549, 6], np.int64), "shape")
    cut = onnx.numpy_helper.from_array(np.array([3549 * 6], np.int64), "cut")
    flat = onnx.numpy_helper.from_array(np.array([-1], np.int64), "flat")
    zero = onnx.numpy_helper.from_array(np.array([0], np.int64), "zero")
    nodes = [
        helper.make_node("Reshape", ["images", "flat"], ["row"]),
        helper.make_node("Slice", ["row", "zero", "cut"], ["some"]),
        helper.make_node("Reshape", ["some", "shape"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "stiff",
        [helper.make_tensor_value_info("images", real, [1, 3, 416, 416])],
        [helper.make_tensor_value_info("output", real, [1, 3549, 6])],
        [shape, cut, flat, zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "stiff.onnx"))
    with pytest.raises(SystemExit, match="3549 cells instead of 2184"):
        run(monkeypatch, tmp_path / "stiff.onnx", tmp_path / "open.onnx")
    assert not (tmp_path / "open.onnx").exists()
