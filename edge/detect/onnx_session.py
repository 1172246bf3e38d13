"""The one file that knows ONNX Runtime: loads a model, runs it, translates its errors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from edge.detect.decoder import Input, Shape, Signature
from edge.detect.detections import Floats
from linli.errors import InputError
from linli.events import ModelRef
from linli.process import give_memory_back

_ERRORS: tuple[type[Exception], ...] = (
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.ModelRequiresCompilation,
    state.NoModel,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
    RuntimeError,
    ValueError,
)
_ERRORS_ONLY = 3
_VERSION_LENGTH = 32
_LONGEST = 4096  # pixels
_MOST_BYTES = 1 << 31  # of one protobuf message; read whole, more would take all the memory


@dataclass(frozen=True, slots=True)
class OnnxSession:
    """A loaded model with one input and one output; `sha256` is of the file it came from.

    It runs for several threads at once, each with a tensor of its own.
    """

    path: Path
    sha256: str
    signature: Signature
    metadata: Mapping[str, str]
    _session: onnxruntime.InferenceSession
    _input: str
    _output: str

    def model(self, name: str, version: str | None = None) -> ModelRef:
        """Return what events say of it; without a version, its own or the start of its hash."""
        version = version or self.metadata.get("version") or self.sha256[:8]
        return ModelRef(name=name, version=version[:_VERSION_LENGTH], sha256=self.sha256)

    def run(self, tensor: Floats) -> Floats:
        """Return the first output for `tensor`. Raises InputError when the model fails."""
        try:
            result: Floats = self._session.run([self._output], {self._input: tensor})[0]
        except _ERRORS as error:
            raise InputError(
                f"the model failed on a picture ({_short(error)})", where=str(self.path)
            ) from None
        return result


def open_session(path: Path, *, threads: int = 1) -> OnnxSession:
    """Load an ONNX file with `threads` threads per inference. Raises InputError."""
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise InputError(f"{size:,} bytes are more than a model has", where=str(path))
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError("no such model file", where=str(path), hint="Check the path") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _ERRORS as error:
        raise InputError(
            f"not an ONNX model that can be run ({_short(error)})",
            where=str(path),
            hint="Give an .onnx file",
        ) from None
    give_memory_back()  # 30 MB after weights that were kept in 8 bits
    inputs, outputs = session.get_inputs(), session.get_outputs()
    metadata = session.get_modelmeta().custom_metadata_map
    floats = all(port.type == "tensor(float)" for port in (*inputs, *outputs))
    if not floats:
        kinds = ", ".join(port.type for port in (*inputs, *outputs))
        raise InputError(
            f"all inputs and outputs must be tensor(float), not {kinds}", where=str(path)
        )
    return OnnxSession(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        signature=Signature(_shapes(inputs), _shapes(outputs), _side(metadata, path)),
        metadata=metadata,
        _session=session,
        _input=inputs[0].name,
        _output=outputs[0].name,
    )


def warm_up(session: OnnxSession, wanted: Input) -> Floats:
    """Run once on grey, so that the first real picture is not the slow one; return the output."""
    return session.run(np.full((1, 3, wanted.height, wanted.width), 114 * wanted.unit, np.float32))


def _shapes(ports: list[Any]) -> tuple[Shape, ...]:
    return tuple(
        tuple(size if isinstance(size, int) else None for size in port.shape) for port in ports
    )


def _side(metadata: Mapping[str, str], path: Path) -> int | None:
    """Read the longest side of pictures. Raises InputError when it is none."""
    text = metadata.get("side")
    if text is None:
        return None
    if not (text.isdecimal() and len(text) <= len(str(_LONGEST)) and 0 < int(text) <= _LONGEST):
        raise InputError(
            f"its metadata say side = {text[:20]!r}",
            where=str(path),
            hint=f"It is a number of pixels up to {_LONGEST}",
        )
    return int(text)


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition(" : ")[2].rstrip(".")[:160]
