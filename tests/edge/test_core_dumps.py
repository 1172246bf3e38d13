"""What crashes leaves no image of its memory behind: frames are in it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linli.process import linli_argv

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="limits are read as Linux shows them: run it on Linux"
)
CRASH = """
import ctypes, os, resource, signal
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
from linli.process import no_core_dumps
no_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
"""


@LINUX
def test_a_crash_leaves_no_core(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "(0, 0) 0"
    assert done.returncode == -signal.SIGSEGV
    assert list(tmp_path.iterdir()) == []


@LINUX
def test_the_edge_runs_so(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(
        '[node]\nsite = "s"\narea = "a"\nid = "n"\n[mqtt]\nport = 1\n[status]\nport = 0\n'
        '[[camera]]\nid = "cam"\nlabel = "c"\nsource = "pattern:square"\n'
    )
    command = linli_argv("edge", "run", "--config", "edge.toml", "--alone", "--json")
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "cam" in process.stdout.readline()
            limits = Path(f"/proc/{process.pid}/limits").read_text()
        finally:
            process.kill()
    (cores,) = [line.split() for line in limits.splitlines() if "core file" in line]
    assert cores[4:6] == ["0", "0"]
