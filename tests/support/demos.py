"""Running `linli demo` as a newcomer would: a process with its output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from linli.process import linli_argv


@dataclass
class Done:
    """What a finished demo left: its exit code, what it said, and its JSON summary."""

    code: int
    said: str
    summary: dict[str, Any]


def run_demo(*arguments: str, env: dict[str, str] | None = None, seconds: float = 90) -> Done:
    done = subprocess.run(
        linli_argv("demo", "--port", "0", *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={**os.environ, **(env or {})},
    )
    summary = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Done(done.returncode, done.stderr, summary)


@dataclass
class RunningDemo:
    """A demo that runs until it is interrupted, as at a terminal."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, *arguments: str) -> RunningDemo:
        process = subprocess.Popen(
            linli_argv("demo", "--port", "0", *arguments),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running = cls(process)
        threading.Thread(target=running._read, daemon=True).start()
        return running

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            self.lines += iter(self.process.stderr.readline, "")

    def until(self, condition: Callable[[str], bool], seconds: float = 45) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = "".join(self.lines)
            if condition(text):
                return text
            time.sleep(0.05)
        raise AssertionError("".join(self.lines))

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)
