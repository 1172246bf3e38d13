"""Children are restarted when they fall and never outlive their parent."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from linli.cli.main import main
from linli.clock import ManualClock, SystemClock
from linli.errors import InputError
from linli.process import Child, Supervisor, give_memory_back, linli_argv, rss

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def until(condition: Callable[[], bool], seconds: float = 45.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_fallen_child_is_restarted_after_a_pause() -> None:
    clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))
    supervisor = Supervisor(clock)
    try:
        first = supervisor.start(Child("sleeper", SLEEPER))
        first.kill()
        first.wait()
        assert supervisor.poll() == {"sleeper": -signal.SIGKILL}
        assert supervisor.process("sleeper") is None
        assert supervisor.poll() == {}
        clock.advance(1.0)
        supervisor.poll()
        second = supervisor.process("sleeper")
        assert second is not None
        assert second.pid != first.pid
    finally:
        supervisor.stop()
    assert second.poll() is not None


def test_a_child_that_may_not_restart_stays_down() -> None:
    clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))
    supervisor = Supervisor(clock)
    try:
        child = supervisor.start(
            Child("once", [sys.executable, "-c", "raise SystemExit(3)"], False)
        )
        child.wait()
        assert supervisor.poll() == {"once": 3}
        clock.advance(100)
        assert supervisor.poll() == {}
        assert supervisor.process("once") is None
    finally:
        supervisor.stop()


def test_pauses_grow_while_a_child_keeps_falling() -> None:
    clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))
    supervisor = Supervisor(clock)
    pauses = []
    try:
        supervisor.start(Child("falls", [sys.executable, "-c", "raise SystemExit(1)"]))
        for _ in range(3):
            process = supervisor.process("falls")
            assert process is not None
            process.wait()
            supervisor.poll()
            waited = 0.0
            while supervisor.process("falls") is None:
                clock.advance(0.25)
                waited += 0.25
                supervisor.poll()
            pauses.append(waited)
    finally:
        supervisor.stop()
    assert pauses == [0.5, 1.0, 2.0]


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    child = tmp_path / "child.py"
    child.write_text(
        "from linli.process import follow_parent\n"
        "import time\nfollow_parent()\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            from linli.clock import SystemClock
            from linli.process import Child, Supervisor
            supervisor = Supervisor(SystemClock())
            process = supervisor.start(Child("c", [sys.executable, {str(child)!r}]))
            print(process.pid, flush=True)
            time.sleep(600)
            """
        )
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        lines = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
        pid = int((lines - {"ready"}).pop())
        assert alive(pid)
        parent.kill()
        until(lambda: not alive(pid))


def test_stop_ends_children_that_ignore_politeness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linli.process.GRACE", 0.2)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"  # noqa: E501
    supervisor = Supervisor(SystemClock())
    process = supervisor.start(
        Child("stubborn", [sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        supervisor.stop()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demoo"], "No such command 'demoo'"),
        (["broker", "run", "--data", "/proc/nowhere", "--site", "c", "--user", "u"], "/proc/"),
    ],
)
def test_bad_arguments_are_one_line_without_a_traceback(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        linli_argv(*arguments), capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_level_of_the_log_is_one_line() -> None:
    done = subprocess.run(
        linli_argv("--help"),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LINLI_LOG": "verbose"},
    )
    assert "Usage: linli" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert "not 'verbose'; using WARNING" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (
            InputError("no answer", where="rtsp://admin:a/b@c@host"),
            2,
            "rtsp://admin:***@host: no answer",
        ),
        (RuntimeError("rtsp://admin:pa55@host"), 70, "unexpected RuntimeError"),
    ],
)
def test_errors_are_one_line_without_passwords(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    shown: str,
) -> None:
    def fails(process: str) -> None:
        raise error

    monkeypatch.setattr("linli.cli.main.set_up", fails)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().err
    assert ended.value.code == code
    assert said.startswith(f"linli: {shown}")
    assert said.count("\n") == 1
    assert "pa55" not in said


def test_a_guarded_program_ends_with_the_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import time
            from linli.clock import SystemClock
            from linli.guard import guarded
            from linli.process import Child, Supervisor
            supervisor = Supervisor(SystemClock())
            program = ["sh", "-c", "echo $$; exec sleep 600"]
            supervisor.start(Child("s", guarded(program)))
            time.sleep(600)
            """
        )
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        until(lambda: not alive(pid))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone keeps what was freed")
def test_what_was_freed_goes_back_to_the_system() -> None:
    held = [bytearray(b"x" * 60_000) for _ in range(2_000)]
    del held[:-1]  # the last lies above them all, so that nothing goes back by itself
    before = rss()
    give_memory_back()
    assert rss() < before - 50_000_000
    assert len(held) == 1
