"""A data folder has one owner at a time, whoever made its lock."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Any

import pytest

from linli.errors import InputError
from linli.owner import sole_owner


def test_a_lock_that_another_user_made_can_be_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sole_owner(tmp_path, "backup"):
        pass
    plain = Path.open

    def may_read(self: Path, mode: str = "r", *more: Any) -> IO[Any]:
        if mode != "r":
            raise PermissionError(13, "Permission denied")
        return plain(self, mode, *more)

    monkeypatch.setattr(Path, "open", may_read)
    with (
        sole_owner(tmp_path, "backup"),
        pytest.raises(InputError, match="another backup runs"),
        sole_owner(tmp_path, "backup"),
    ):
        pytest.fail("two hold it")

    def may_nothing(*_: Any) -> IO[Any]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", may_nothing)
    with (
        pytest.raises(InputError, match=r"backup\.lock: cannot be opened"),
        sole_owner(tmp_path, "backup"),
    ):
        pytest.fail("nobody may")


def test_who_waits_gets_it_when_the_other_is_done(tmp_path: Path) -> None:
    held, got = threading.Event(), threading.Event()

    def wait() -> None:
        held.wait(60)
        with sole_owner(tmp_path, "list", wait=60):
            got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    with sole_owner(tmp_path, "list"):
        held.set()
        assert not got.wait(0.1)
    assert got.wait(60)
    thread.join()
