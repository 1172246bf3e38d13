"""Harm to a real process from outside: a clock that jumps, a failing disk, a kill at a step."""

from __future__ import annotations

import functools
import mmap
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("harm.c")
_FIELDS = ("clock_ns", "unsynced", "kill_in", "after", "fail_each", "failed", "steps", "last")


@functools.cache
def library() -> Path:
    """Return what is preloaded; skip the test where it cannot be built."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here; install: gcc libc6-dev")
    made = Path(tempfile.mkdtemp(prefix="linli-harm-")) / "harm.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"harm.c cannot be built here: {done.stderr.splitlines()[-1]}")
    return made


class Harm:
    """Orders to the processes that are started with `env`; they hold for all of them at once."""

    def __init__(self, folder: Path, files: str) -> None:
        """`files`: what is in the path of the files whose writes are steps and may fail."""
        path = folder / "harm"
        path.write_bytes(bytes(8 * len(_FIELDS)))
        self.env = {
            "LD_PRELOAD": str(library()),
            "LINLI_HARM": str(path),
            "LINLI_HARM_FILES": files,
        }
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)

    def kill_in(self, steps: int, *, after: bool = False) -> None:
        """Kill the process before or after so many more steps; 0: no more."""
        self._set("after", int(after))
        self._set("kill_in", steps)

    def jump(self, seconds: float, *, synced: bool = True) -> None:
        """Let the wall clock be wrong by so much from now on, and the kernel know it or not."""
        self._set("unsynced", int(not synced))
        self._set("clock_ns", round(seconds * 1e9))

    def fail_each(self, count: int) -> None:
        """Let every so many writes and fsyncs fail with an I/O error; 0: none."""
        self._set("fail_each", count)

    @property
    def failed(self) -> int:
        """How many writes and fsyncs did."""
        return self._get("failed")

    @property
    def last(self) -> str:
        """What the last step was: w(rite), t(runcate), s(ync), > (send) or < (receive)."""
        return chr(self._get("last"))

    def _set(self, name: str, value: int) -> None:
        struct.pack_into("q", self._shared, 8 * _FIELDS.index(name), value)

    def _get(self, name: str) -> int:
        (value,) = struct.unpack_from("q", self._shared, 8 * _FIELDS.index(name))
        return int(value)
